/**
 * A VMA: its line of /proc/PID/maps, and what each page of it is.
 *
 * @module
 */

import { PAGE_SIZE } from "../../../core/geometry.ts";
import { drawing, type View } from "../../../core/view.ts";
import { unobserved } from "../../../trace/unobserved.ts";
import { pageLetter, vmFlagsLetters } from "../proc.ts";
import type { Vma } from "../vma.ts";

/** Pages that are looked at one by one. */
const MOST_PAGES = 256;
const PER_LINE = 64;

/** Letters as in `proc.ts`; `!` where the design for foreign pages has no answer. */
export function vmaView(vma: Vma): View {
  let letters = "";
  unobserved(vma.mm.system.trace, () => {
    const nr = Math.min(vma.nrPages, MOST_PAGES);
    for (let i = 0; i < nr; i++) letters += letterOf(vma, vma.start + i * PAGE_SIZE);
  });
  const lines: string[] = [];
  for (let i = 0; i < letters.length; i += PER_LINE) {
    lines.push(`${i === 0 ? "pages    " : "         "}${letters.slice(i, i + PER_LINE)}`);
  }
  if (vma.nrPages > MOST_PAGES) lines.push(`         … ${vma.nrPages - MOST_PAGES} more pages`);
  const present = letters.replaceAll(/[.]/g, "");
  if (present !== "") lines.push(`         ${legend(present)}`);
  return {
    line: `Vma ${vma}`,
    blocks: [drawing([`VmFlags  ${vmFlagsLetters(vma)}`, ...lines])],
  };
}

function letterOf(vma: Vma, address: number): string {
  try {
    return pageLetter(vma, address);
  } catch {
    // A modelled kernel that would die here is not killed by a look.
    return "!";
  }
}

const MEANINGS: Readonly<Record<string, string>> = {
  z: "z page of zeros",
  A: "A anonymous",
  a: "a anonymous, mapped more than once or without a page",
  F: "F file or shared",
  f: "f file or shared, mapped more than once",
  s: "s not present, not empty",
  "!": "! no answer: the kernel would die",
};

function legend(letters: string): string {
  return [...new Set(letters)].map((letter) => MEANINGS[letter] ?? letter).join(", ");
}
