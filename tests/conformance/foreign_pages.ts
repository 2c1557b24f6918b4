/**
 * The table of the designs for foreign pages: rules down, designs across. A new design adds one column, that is one
 * line of {@linkcode EXPECTED}; the build asks for it.
 *
 * Expectations are written from what is said and recorded about each design, never computed. An unexpected *right*
 * answer of a broken design fails too.
 *
 * @module
 */

import { PAGE } from "../../lib/core/geometry.ts";
import type { IoOutcome } from "../../lib/experiments/io_outcome.ts";
import { type World, world } from "../../lib/experiments/world.ts";
import { PROT_READ } from "../../lib/linux/mm/prot.ts";
import type { KernelFlavourName } from "../../lib/linux/kernel.ts";

/** How direct I/O on one page came out. */
type Outcome =
  | "fast right"
  | "slow right"
  | "fast other page" // right frame, but another struct page: references are counted on the wrong one
  | "slow EFAULT" // as it must be
  | "fast wrong"
  | "slow wrong"
  | "slow EFAULT wrongly"
  | "crash";

/** One rule. */
export interface Rule {
  readonly rule: string;
  readonly cite: string;
  readonly run: (w: World) => IoOutcome;
  /** The page that the I/O must hold references on, if the rule is about that. */
  readonly page?: (w: World, io: IoOutcome) => boolean;
}

/** Guest pages whose frame numbers dom0's p2m covers, or lie beyond its end. */
const COVERED = [16, 17, 18, 19, 20, 21, 22, 23];
const BEYOND = [300, 301, 302, 303, 304, 305, 306, 307];

function mapped(w: World, pfns: readonly number[], readonly = false) {
  const qemu = w.process("qemu");
  return { qemu, vma: qemu.mmapGrants(w.guest.grant(pfns, { readonly })) };
}

function split(w: World, pfns: readonly number[], cut: number, page: number): IoOutcome {
  const { qemu, vma } = mapped(w, pfns);
  const { start } = vma;
  qemu.munmap(start + cut * PAGE, PAGE);
  return qemu.directRead(start + page * PAGE, PAGE);
}

/** The rules, in the order of the columns. */
export const RULES: readonly Rule[] = [
  {
    rule: "control: whole mapping, frame number that dom0's p2m covers",
    cite: "recorded grant-cases-pv.jsonl odirect",
    run: (w) => {
      const { qemu, vma } = mapped(w, COVERED);
      return qemu.directRead(vma.start, PAGE);
    },
  },
  {
    rule: "whole mapping, frame number beyond dom0's p2m",
    cite: "linux 6.1 arch/x86/include/asm/xen/page.h mfn_to_pfn",
    run: (w) => {
      const { qemu, vma } = mapped(w, BEYOND);
      return qemu.directRead(vma.start, PAGE);
    },
  },
  {
    rule: "split: page of the lower piece",
    cite: "linux 6.1 mm/mmap.c __split_vma",
    run: (w) => split(w, COVERED, 4, 3),
  },
  {
    rule: "split: page of the upper piece",
    cite: "linux 6.1 mm/mmap.c __split_vma",
    run: (w) => split(w, COVERED, 4, 5),
  },
  {
    rule: "split: page of the upper piece whose shifted slot is the empty one",
    cite: "linux 6.1 mm/mmap.c __split_vma",
    run: (w) => split(w, COVERED, 3, 7),
  },
  {
    rule: "the page that was unmapped",
    cite: "linux 6.1 mm/gup.c __get_user_pages",
    run: (w) => split(w, COVERED, 4, 4),
  },
  {
    rule: "head unmapped: second page left",
    cite: "linux 6.1 mm/mmap.c __split_vma",
    run: (w) => split(w, COVERED, 0, 2),
  },
  {
    rule: "tail unmapped: last page left",
    cite: "linux 6.1 mm/mmap.c __split_vma",
    run: (w) => split(w, COVERED, 7, 6),
  },
  {
    rule: "rights changed: the grant is gone, its slot empty, the VMA still there",
    cite: "recorded grant-cases-pv.jsonl mprotect",
    run: (w) => {
      const { qemu, vma } = mapped(w, COVERED);
      qemu.mprotect(vma.start, 8 * PAGE, PROT_READ);
      return qemu.directWrite(vma.start + 2 * PAGE, PAGE, 0);
    },
  },
  {
    rule: "read-only grant, device reads memory",
    cite: "linux 6.1 mm/gup.c check_vma_flags",
    run: (w) => {
      const { qemu, vma } = mapped(w, COVERED, true);
      return qemu.directWrite(vma.start, PAGE, 0);
    },
  },
  {
    rule: "read-only grant, device writes memory",
    cite: "linux 6.1 mm/gup.c check_vma_flags",
    run: (w) => {
      const { qemu, vma } = mapped(w, COVERED, true);
      return qemu.directRead(vma.start, PAGE);
    },
  },
  {
    rule: "one frame mapped at two pages: the older mapping",
    cite: "linux 3.15 arch/x86/xen/p2m.c m2p_find_override",
    run: (w) => {
      const qemu = w.process("qemu");
      const grants = w.guest.grant(COVERED);
      const older = qemu.mmapGrants(grants);
      qemu.mmapGrants(grants);
      return qemu.directRead(older.start, PAGE);
    },
    // Pages for foreign mappings are handed out upwards: the older mapping has the first of them.
    page: (w, io) => io.pages[0]!.pfn === w.dom0.frames.length,
  },
];

/** Per design the outcome of each rule, in the order of {@linkcode RULES}. */
// deno-fmt-ignore
export const EXPECTED: Readonly<Record<KernelFlavourName, readonly Outcome[]>> = {
  //             covered       beyond        lower         upper         shifted                unmapped       head          tail          mprotect       ro write      ro read        two pages
  classic2005:  ["slow right", "slow right", "slow right", "slow wrong", "slow EFAULT wrongly", "slow EFAULT", "slow wrong", "slow right", "slow EFAULT", "slow right", "slow wrong",  "slow right"],
  linux3_19:    ["fast right", "fast right", "fast right", "fast right", "fast right",          "slow EFAULT", "fast right", "fast right", "slow EFAULT", "fast right", "slow EFAULT", "fast other page"],
  draft_b:      ["fast wrong", "crash",      "fast wrong", "fast wrong", "fast wrong",          "slow EFAULT", "fast wrong", "fast wrong", "slow EFAULT", "fast wrong", "slow EFAULT", "fast wrong"],
  seed2014:     ["slow right", "slow right", "slow right", "slow wrong", "slow EFAULT wrongly", "slow EFAULT", "slow wrong", "slow right", "slow EFAULT", "slow right", "slow EFAULT", "slow right"],
  vma_pages_v1: ["slow right", "slow right", "slow right", "slow right", "slow right",          "slow EFAULT", "slow right", "slow right", "slow EFAULT", "slow right", "slow EFAULT", "slow right"],
  linux4_0:     ["slow right", "slow right", "slow right", "slow right", "slow right",          "slow EFAULT", "slow right", "slow right", "slow EFAULT", "slow right", "slow EFAULT", "slow right"],
  linux6_0:     ["slow right", "slow right", "slow right", "slow right", "slow right",          "slow EFAULT", "slow right", "slow right", "slow EFAULT", "slow right", "slow EFAULT", "slow right"],
  linux5_10:    ["slow right", "slow right", "slow right", "slow right", "slow right",          "slow EFAULT", "slow right", "slow right", "slow EFAULT", "slow right", "slow EFAULT", "slow right"],
  linux6_1:     ["slow right", "slow right", "slow right", "slow right", "slow right",          "slow EFAULT", "slow right", "slow right", "slow EFAULT", "slow right", "slow EFAULT", "slow right"],
  lazy_fault:   ["slow right", "slow right", "slow right", "slow right", "slow right",          "slow EFAULT", "slow right", "slow right", "slow EFAULT", "slow right", "slow EFAULT", "slow right"],
  linux6_12:    ["slow right", "slow right", "slow right", "slow right", "slow right",          "slow EFAULT", "slow right", "slow right", "slow EFAULT", "slow right", "slow EFAULT", "slow right"],
  linux7_1:     ["slow right", "slow right", "slow right", "slow right", "slow right",          "slow EFAULT", "slow right", "slow right", "slow EFAULT", "slow right", "slow EFAULT", "slow right"],
  linux7_2:     ["slow right", "slow right", "slow right", "slow right", "slow right",          "slow EFAULT", "slow right", "slow right", "slow EFAULT", "slow right", "slow EFAULT", "slow right"],
};

/** The outcome of a rule under a design. */
export function outcomeOf(design: string, rule: Rule): string {
  const w = world({ kernel: design });
  const io = rule.run(w);
  const { path, verdict, reached } = io.pages[0]!;
  switch (verdict) {
    case "ok":
      if (reached.kind === "errno") return `${path} ${reached.errno}`;
      return rule.page?.(w, io) === false ? `${path} other page` : `${path} right`;
    case "wrong-page":
    case "must-fail":
      return `${path} wrong`;
    case "crash":
      return "crash";
    default:
      return `${path} ${io.returned.slice(1)} wrongly`;
  }
}
