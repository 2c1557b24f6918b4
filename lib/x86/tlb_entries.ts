/**
 * TLB contents for people: entries as records, and as a table.
 *
 * @module
 */

import { joinHalves } from "../core/frames.ts";
import { RIGHT_DIRTY, RIGHT_KEY_SHIFT, RIGHT_NX, RIGHT_USER, RIGHT_WRITE } from "./access.ts";
import { LEVEL_SHIFT } from "./levels.ts";
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
