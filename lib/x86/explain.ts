/**
 * A walk as a drawing: index per level, the entry decoded, and the rule that decided. Looks only: no accessed or
 * dirty bit is set, no TLB entry used or made, no event counted.
 *
 * @module
 */

import { joinHalves, type Mfn } from "../core/frames.ts";
import { lookUp } from "../core/nearest.ts";
import { hex } from "../core/show.ts";
import { Trace } from "../trace/trace.ts";
import {
  ACCESS_OF,
  ACCESS_PEEK,
  type AccessKind,
  AccessResult,
  OUTCOME_OK,
  OUTCOME_PAGE_FAULT,
} from "./access.ts";
import { Cpu } from "./cpu.ts";
import { describeFault } from "./fault.ts";
import { ENTRY_NAME, indexAt, OFFSET_MASK, PAGE_NAME } from "./levels.ts";
import { addressHalves, faultOf, type Translation, translationOf } from "./translation.ts";
import { describeEntry, flagsOf, frameOf } from "./pte.ts";
import type { PhysMem } from "./phys_mem.ts";
import { walk } from "./walk.ts";

/**
 * Draws the walk that the processor would make now.
 *
 * ```text
 * 0x4005  write at CPL 3
 * ├ CR3           frame 0x1
 * ├ PML4E [  0]   0x0000000000002007  frame 0x2 P RW US
 * ├ PDPTE [  0]   0x0000000000003007  frame 0x3 P RW US
 * ├ PDE   [  0]   0x0000000000004007  frame 0x4 P RW US
 * ├ PTE   [  4]   0x0000000000020007  frame 0x20 P RW US
 * └ frame 0x20 + 0x5, 4 KiB page: readable, writable, executable, user
 * ```
 *
 * @example
 * ```ts
 * import { Cpu, explainWalk, PhysMem } from "grantlab/x86";
 * const lines = explainWalk(new Cpu(), new PhysMem(16), 0x4005, "write");
 * if (!lines.at(-1)!.includes("P = 0")) throw new Error(lines.join("\n"));
 * ```
 */
export function explainWalk(cpu: Cpu, mem: PhysMem, va: number | bigint, kind: AccessKind): string[] {
  const [hi, lo] = addressHalves(va);
  const out = new AccessResult();
  const outcome = walk(onlooker(cpu), mem, hi, lo, lookUp("access kind", ACCESS_OF, kind) | ACCESS_PEEK, out);
  const lines = [`${hex(joinHalves(hi, lo))}  ${kind} at CPL ${cpu.cpl}`];
  if (out.topLevel !== 0 && out.level !== 0) {
    lines.push(`├ CR3           frame ${hex(cpu.rootFrame)}`);
    const isMissing = outcome !== OUTCOME_OK && outcome !== OUTCOME_PAGE_FAULT;
    const last = isMissing ? out.level + 1 : out.level;
    for (let level = out.topLevel; level >= last; level--) lines.push(entryLine(level, hi, lo, out));
  }
  lines.push(
    outcome === OUTCOME_OK
      ? `└ ${describeTranslation(translationOf(cpu, hi, lo, out))}`
      : `└ ${describeFault(faultOf(hi, lo, out))}`,
  );
  return lines;
}

/** The same processor state with a trace nobody reads. */
function onlooker(cpu: Cpu): Cpu {
  const twin = new Cpu({
    trace: new Trace(),
    maxPhyAddr: cpu.maxPhyAddr,
    has1GiBPages: (cpu.reservedInLeaf[3]! & 0x80) === 0,
    tlb: { sets: 1, ways: 1 },
  });
  const { cr0, cr4, efer, cpl, ac, pkru, pkrs, cr3Low } = cpu;
  twin.load({ cr0, cr4, efer, cpl, ac, pkru, pkrs, pcid: cr3Low, root: cpu.rootFrame as Mfn });
  return twin;
}

function entryLine(level: number, hi: number, lo: number, out: AccessResult): string {
  const entryLo = out.entryLo[level]!;
  const entryHi = out.entryHi[level]!;
  const isPage = level === out.level && level <= 3 && (level === 1 || (entryLo & 0x80) !== 0);
  const frame = frameOf(isPage ? entryLo & ~OFFSET_MASK[level]! : entryLo, entryHi) as Mfn;
  const index = String(indexAt(level, hi, lo)).padStart(3);
  return `├ ${ENTRY_NAME[level]!.padEnd(5)} [${index}]   ${hex(joinHalves(entryHi, entryLo), 16)}  ` +
    describeEntry(frame, flagsOf(entryLo, entryHi));
}

/** A translation in a line: where it leads, and what may be done there by whom. */
export function describeTranslation(t: Translation): string {
  const rights = ["readable"];
  if (t.writable) rights.push("writable");
  if (t.executable) rights.push("executable");
  rights.push(t.user ? "user" : "supervisor");
  if (t.global) rights.push("global");
  if (t.key !== 0) rights.push(`key ${t.key}`);
  if (t.memoryType !== "WB") rights.push(t.memoryType);
  const page = t.level === 0 ? "paging off" : `${PAGE_NAME[t.level]} page`;
  return `frame ${hex(t.frame)} + ${hex(t.offset)}, ${page}: ${rights.join(", ")}`;
}
