/**
 * TLB contents for people: entries as records, and as a table.
 *
 * @module
 */

import { joinHalves } from "../core/frames.ts";
import { hex } from "../core/show.ts";
import { RIGHT_DIRTY, RIGHT_KEY_SHIFT, RIGHT_NX, RIGHT_USER, RIGHT_WRITE } from "./access.ts";
import { ENTRY_NAME, LEVEL_SHIFT, PAGE_NAME } from "./levels.ts";
import {
  type Tlb,
  TLB_ASID,
  TLB_BASE_HI,
  TLB_BASE_LO,
  TLB_GLOBAL,
  TLB_RIGHTS,
  TLB_STRIDE,
  TLB_TAG_HI,
} from "./tlb.ts";

/** One cached translation. */
export interface TlbEntry {
  /** Which TLB: `L1 data 4K`. */
  readonly bank: string;
  readonly va: bigint;
  readonly level: 1 | 2 | 3;
  /** `undefined` for a global entry. */
  readonly pcid: number | undefined;
  /** First 4 KiB frame of the page. */
  readonly frame: number;
  readonly writable: boolean;
  readonly user: boolean;
  readonly executable: boolean;
  readonly dirty: boolean;
  readonly key: number;
}

/** The live entries of one TLB, by place. */
export function tlbEntriesOf(tlb: Tlb, bank: string): TlbEntry[] {
  const list: TlbEntry[] = [];
  const { words } = tlb;
  for (let at = 0; at < words.length; at += TLB_STRIDE) {
    const tagHi = words[at + TLB_TAG_HI]!;
    const level = tagHi >>> 20;
    if (level === 0) continue;
    const page = BigInt(tagHi & 0xfffff) << 32n | BigInt(words[at]! >>> 0);
    const rights = words[at + TLB_RIGHTS]!;
    const asid = words[at + TLB_ASID]!;
    list.push({
      bank,
      va: BigInt.asUintN(64, page << BigInt(LEVEL_SHIFT[level]!)),
      level: level as 1 | 2 | 3,
      pcid: asid === TLB_GLOBAL ? undefined : asid,
      frame: Number(joinHalves(words[at + TLB_BASE_HI]!, words[at + TLB_BASE_LO]!) >> 12n),
      writable: (rights & RIGHT_WRITE) !== 0,
      user: (rights & RIGHT_USER) !== 0,
      executable: (rights & RIGHT_NX) === 0,
      dirty: (rights & RIGHT_DIRTY) !== 0,
      key: rights >>> RIGHT_KEY_SHIFT & 0xf,
    });
  }
  return list;
}

/** Rows shown of one TLB; the rest is counted. */
const MOST_ROWS = 32;

/** TLBs as a table. */
export function describeTlb(
  banks: readonly { readonly name: string; readonly tlb: Tlb }[],
  structures: readonly { readonly level: number; readonly tlb: Tlb }[],
): string {
  const lines: string[] = [];
  for (const { name, tlb } of banks) {
    lines.push(`${name}: ${tlb.size} of ${tlb.capacity} entries, ${tlb.setMask + 1} sets of ${tlb.ways}`);
    const entries = tlbEntriesOf(tlb, name);
    for (const entry of entries.slice(0, MOST_ROWS)) lines.push(`  ${rowOf(entry)}`);
    if (entries.length > MOST_ROWS) lines.push(`  … and ${entries.length - MOST_ROWS} more`);
  }
  for (const { level, tlb } of structures) {
    lines.push(`${ENTRY_NAME[level]} cache: ${tlb.size} of ${tlb.capacity} entries`);
  }
  return lines.join("\n");
}

function rowOf(entry: TlbEntry): string {
  const who = entry.pcid === undefined ? "global" : `PCID ${entry.pcid}`;
  const rights = `r${entry.writable ? "w" : "-"}${entry.executable ? "x" : "-"}${entry.user ? "u" : "s"}` +
    (entry.dirty ? "d" : "-");
  const key = entry.key === 0 ? "" : ` key ${entry.key}`;
  return `${hex(entry.va, 16)}  ${PAGE_NAME[entry.level]!.padEnd(5)}  ${who.padEnd(9)}  ${rights}  ` +
    `frame ${hex(entry.frame)}${key}`;
}
