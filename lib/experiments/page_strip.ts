/**
 * The pages of a range of a process as a strip: a letter for each VMA, empty for a hole, and the frame behind each page.
 *
 * @module
 */

import { PAGE_SIZE } from "../core/geometry.ts";
import { hex } from "../core/show.ts";
import { wholeNumber } from "../core/misuse.ts";
import { lookupSlot, rawFlags, rawFrame } from "../linux/mm/pgtable.ts";
import { _PAGE_PRESENT } from "../x86/pte.ts";
import type { Process } from "./process.ts";

/** One page. */
export interface StripPage {
  readonly when: string;
  readonly page: number;
  readonly vma: string;
  readonly frame: string;
}

/**
 * The strip of `pages` pages from `start`.
 *
 * @param when its name: `before`
 *
 * @example
 * ```ts
 * import { PAGE, world } from "grantlab";
 * import { pageStrip } from "grantlab/experiments";
 * const w = world();
 * const qemu = w.process("qemu");
 * const { start } = qemu.mmapGrants(w.guest.grant(3));
 * qemu.munmap(start + PAGE, PAGE);
 * const letters = pageStrip(qemu, "after", { start, pages: 3 }).map(({ vma }) => vma || ".").join("");
 * if (letters !== "A.B") throw new Error(letters);
 * ```
 */
export function pageStrip(
  process: Process,
  when: string,
  { start, pages }: { readonly start: number; readonly pages: number },
): StripPage[] {
  wholeNumber("draw pages, of number", pages, 1, 256);
  const { mm } = process;
  const end = start + pages * PAGE_SIZE;
  const inRange = process.vmas.filter((vma) => vma.end > start && vma.start < end);
  return Array.from({ length: pages }, (_, page) => {
    const address = start + page * PAGE_SIZE;
    const at = inRange.findIndex((vma) => vma.start <= address && address < vma.end);
    const slot = lookupSlot(mm, address);
    const isPresent = slot >= 0 && (rawFlags(mm.system, slot) & _PAGE_PRESENT) !== 0;
    return {
      when,
      page,
      vma: at < 0 ? "" : String.fromCharCode("A".charCodeAt(0) + at % 26),
      frame: isPresent ? hex(rawFrame(mm.system, slot)) : "",
    };
  });
}
