/**
 * The translation look-aside buffer of one processor: a set-associative cache of leaf translations of all three page
 * sizes, tagged by PCID, with global entries. What is stale stays stale until something invalidates it.
 *
 * Simplified: one level, data and instructions together, round-robin replacement. A reader who wants only the
 * architecture may take it as always missing. Columns, one int per entry and field:
 *
 * ```text
 *  tagLo   page number, low 32 bits        (linear address >> 12, 21 or 30)
 *  tagHi   level << 20 | page number, high bits; 0 = empty
 *  asid    PCID, or -1 for a global entry
 *  rights  RIGHT_* of access.ts
 *  baseLo  low word of the page's physical address
 *  baseHi  high word
 * ```
 *
 * @cite sdm 3A 4.10.2 translation lookaside buffers
 * @module
 */

import { Shown, viewOf } from "../core/shown.ts";
import type { View } from "../core/view.ts";
import { tlbView } from "./views/tlb_view.ts";
import { joinHalves } from "../core/frames.ts";
import { outOfRange, wholeNumber } from "../core/misuse.ts";
import {
  RIGHT_GLOBAL,
  RIGHT_KEY_SHIFT,
  RIGHT_LEVEL_SHIFT,
  RIGHT_NX,
  RIGHT_USER,
  RIGHT_WRITE,
} from "./access.ts";
import { LEVEL_SHIFT, MAX_LEAF_LEVEL } from "./levels.ts";

const GLOBAL = -1;

/** Size of a TLB. */
export interface TlbGeometry {
  /** Number of sets, a power of two. */
  readonly sets: number;
  /** Entries per set. */
  readonly ways: number;
}

/** One cached translation, for people. */
export interface TlbEntry {
  readonly va: bigint;
  readonly level: 1 | 2 | 3;
  /** `undefined` for a global entry. */
  readonly pcid: number | undefined;
  /** First 4 KiB frame of the page. */
  readonly frame: number;
  readonly writable: boolean;
  readonly user: boolean;
  readonly executable: boolean;
  readonly key: number;
}

/**
 * A TLB.
 *
 * @example
 * ```ts
 * import { RIGHT_LEVEL_SHIFT, Tlb } from "grantlab/x86";
 * const tlb = new Tlb({ sets: 16, ways: 4 });
 * tlb.insert(0, 0x5000, 7, 1 << RIGHT_LEVEL_SHIFT, 0x9000, 0);
 * if (tlb.find(0, 0x5123, 7) < 0 || tlb.find(0, 0x5123, 8) >= 0) throw new Error();
 * tlb.dropPage(0, 0x5000, 7);
 * if (tlb.find(0, 0x5123, 7) >= 0) throw new Error();
 * ```
 */
export class Tlb extends Shown {
  readonly tagLo: Int32Array;
  readonly tagHi: Int32Array;
  readonly asid: Int32Array;
  readonly rights: Int32Array;
  readonly baseLo: Int32Array;
  readonly baseHi: Int32Array;
  readonly #victim: Int32Array;
  /** Live entries by level, so that a size nobody uses is not looked for. */
  readonly #live: Int32Array = new Int32Array(MAX_LEAF_LEVEL + 1);
  readonly #setMask: number;
  readonly #ways: number;

  /** @throws {RangeError} if `sets` is not a power of two up to 65536 or `ways` not 1 … 64 */
  constructor({ sets, ways }: TlbGeometry = { sets: 256, ways: 4 }) {
    super();
    wholeNumber("make a TLB of sets", sets, 1, 65536);
    if ((sets & sets - 1) !== 0) throw outOfRange("make a TLB of sets", sets, "it must be a power of two");
    this.#ways = wholeNumber("make a TLB of ways", ways, 1, 64);
    this.#setMask = sets - 1;
    const size = sets * ways;
    this.tagLo = new Int32Array(size);
    this.tagHi = new Int32Array(size);
    this.asid = new Int32Array(size);
    this.rights = new Int32Array(size);
    this.baseLo = new Int32Array(size);
    this.baseHi = new Int32Array(size);
    this.#victim = new Int32Array(sets);
  }

  /** Entries it can hold. */
  get capacity(): number {
    return this.tagLo.length;
  }

  /** Entries it holds. */
  get size(): number {
    return this.#live[1]! + this.#live[2]! + this.#live[3]!;
  }

  /** Index of an entry that translates the address in this PCID, or -1. */
  find(hi: number, lo: number, pcid: number): number {
    const live = this.#live;
    for (let level = 1; level <= MAX_LEAF_LEVEL; level++) {
      if (live[level]! === 0) continue;
      const i = this.#findAt(level, hi, lo, pcid);
      if (i >= 0) return i;
    }
    return -1;
  }

  #findAt(level: number, hi: number, lo: number, pcid: number): number {
    const shift = LEVEL_SHIFT[level]!;
    const tagLo = hi << 32 - shift | lo >>> shift;
    const tagHi = level << 20 | hi >>> shift;
    const ways = this.#ways;
    let i = (tagLo & this.#setMask) * ways;
    for (const end = i + ways; i < end; i++) {
      if (this.tagLo[i]! === tagLo && this.tagHi[i]! === tagHi) {
        const asid = this.asid[i]!;
        if (asid === pcid || asid === GLOBAL) return i;
      }
    }
    return -1;
  }

  /**
   * Caches a translation: the page size is in `rights`, the page's physical base in two words. An entry with the
   * same page number and PCID is replaced, else a free place is taken, else the set's next victim.
   */
  insert(hi: number, lo: number, pcid: number, rights: number, baseLo: number, baseHi: number): void {
    const level = rights >>> RIGHT_LEVEL_SHIFT & 3;
    const shift = LEVEL_SHIFT[level]!;
    const tagLo = hi << 32 - shift | lo >>> shift;
    const tagHi = level << 20 | hi >>> shift;
    const asid = (rights & RIGHT_GLOBAL) !== 0 ? GLOBAL : pcid;
    const set = tagLo & this.#setMask;
    const first = set * this.#ways;
    const end = first + this.#ways;
    let place = -1;
    for (let i = first; i < end; i++) {
      const t = this.tagHi[i]!;
      if (t === tagHi && this.tagLo[i]! === tagLo && this.asid[i]! === asid) {
        place = i;
        break;
      }
      if (t === 0 && place < 0) place = i;
    }
    if (place < 0) {
      place = first + this.#victim[set]!;
      this.#victim[set] = (this.#victim[set]! + 1) % this.#ways;
    }
    const old = this.tagHi[place]! >>> 20;
    if (old !== 0) this.#live[old]!--;
    this.#live[level]!++;
    this.tagLo[place] = tagLo;
    this.tagHi[place] = tagHi;
    this.asid[place] = asid;
    this.rights[place] = rights;
    this.baseLo[place] = baseLo;
    this.baseHi[place] = baseHi;
  }

  /** Drops the entry with this index. */
  dropAt(i: number): void {
    const level = this.tagHi[i]! >>> 20;
    if (level === 0) return;
    this.#live[level]!--;
    this.tagHi[i] = 0;
  }

  /** Drops what translates this address in this PCID, global entries too (INVLPG, and what a #PF does). */
  dropPage(hi: number, lo: number, pcid: number): void {
    for (let i = this.find(hi, lo, pcid); i >= 0; i = this.find(hi, lo, pcid)) this.dropAt(i);
  }

  /** Drops what translates this address in this PCID and is not global (INVPCID type 0). */
  dropPageKeepingGlobal(hi: number, lo: number, pcid: number): void {
    for (let level = 1; level <= MAX_LEAF_LEVEL; level++) {
      const shift = LEVEL_SHIFT[level]!;
      const tagLo = hi << 32 - shift | lo >>> shift;
      const tagHi = level << 20 | hi >>> shift;
      const first = (tagLo & this.#setMask) * this.#ways;
      for (let i = first; i < first + this.#ways; i++) {
        if (this.tagLo[i]! === tagLo && this.tagHi[i]! === tagHi && this.asid[i]! === pcid) this.dropAt(i);
      }
    }
  }

  /** Drops all entries of one PCID; global entries stay. */
  dropPcid(pcid: number): void {
    for (let i = 0; i < this.asid.length; i++) if (this.asid[i]! === pcid) this.dropAt(i);
  }

  /** Drops all entries that are not global, of every PCID. */
  dropNonGlobal(): void {
    for (let i = 0; i < this.asid.length; i++) if (this.asid[i]! !== GLOBAL) this.dropAt(i);
  }

  /** Drops everything. */
  dropAll(): void {
    this.tagHi.fill(0);
    this.#live.fill(0);
  }

  /** The live entries, by place. */
  entries(): TlbEntry[] {
    const list: TlbEntry[] = [];
    for (let i = 0; i < this.tagHi.length; i++) {
      const level = this.tagHi[i]! >>> 20;
      if (level === 0) continue;
      const page = BigInt(this.tagHi[i]! & 0xfffff) << 32n | BigInt(this.tagLo[i]! >>> 0);
      const rights = this.rights[i]!;
      list.push({
        va: BigInt.asUintN(64, page << BigInt(LEVEL_SHIFT[level]!)),
        level: level as 1 | 2 | 3,
        pcid: this.asid[i]! === GLOBAL ? undefined : this.asid[i]!,
        frame: Number(joinHalves(this.baseHi[i]!, this.baseLo[i]!) >> 12n),
        writable: (rights & RIGHT_WRITE) !== 0,
        user: (rights & RIGHT_USER) !== 0,
        executable: (rights & RIGHT_NX) === 0,
        key: rights >>> RIGHT_KEY_SHIFT & 0xf,
      });
    }
    return list;
  }

  override [viewOf](): View {
    return tlbView(this);
  }
}
