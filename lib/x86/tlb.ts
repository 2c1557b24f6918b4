/**
 * One translation look-aside buffer: a set-associative cache of translations, tagged by PCID, with global entries.
 * What is stale stays stale until something invalidates it. `translation_caches.ts` puts a processor's TLBs together;
 * the paging-structure caches are made of the same thing, there an entry leads to a table instead of a page.
 *
 * Replacement is round-robin within a set. An entry is eight words, side by side so that a hit touches one line:
 *
 * ```text
 *  TLB_TAG_LO   page number, low 32 bits     (linear address >> 12, 21 or 30; of a structure entry >> 21 … 48)
 *  TLB_TAG_HI   level << 20 | page number, high bits; 0 = empty
 *  TLB_ASID     PCID, or -1 for a global entry
 *  TLB_RIGHTS   RIGHT_* of access.ts
 *  TLB_BASE_LO  low word of the page's (or table's) physical address
 *  TLB_BASE_HI  high word
 * ```
 *
 * @cite sdm 3A 4.10.2 translation lookaside buffers
 * @module
 */

import { outOfRange, wholeNumber } from "../core/misuse.ts";
import { RIGHT_GLOBAL, RIGHT_LEVEL_SHIFT } from "./access.ts";
import { LEVEL_SHIFT, MAX_LEAF_LEVEL } from "./levels.ts";

/** Words of an entry, and where each lies in it. */
export const TLB_STRIDE = 8;
export const TLB_TAG_LO = 0;
export const TLB_TAG_HI = 1;
export const TLB_ASID = 2;
export const TLB_RIGHTS = 3;
export const TLB_BASE_LO = 4;
export const TLB_BASE_HI = 5;

/** ASID of a global entry. */
export const TLB_GLOBAL = -1;

/** Entries to which a TLB that grows may grow. */
const MOST_ENTRIES = 2 ** 20;

/** Size of a TLB. */
export interface TlbGeometry {
  /** Number of sets, a power of two. */
  readonly sets: number;
  /** Entries per set. */
  readonly ways: number;
  /** Grow instead of replacing, up to a million entries: keeps as much as hardware may. */
  readonly grows?: boolean;
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
export class Tlb {
  /** The entries. Another array after a TLB that grows has grown. */
  words: Int32Array;
  /** Sets less one. */
  setMask: number;
  /** Entries per set. */
  ways: number;
  readonly #grows: boolean;
  /** Next place to replace, by set. */
  #victim: Int32Array;
  /** Live entries by set. */
  #used: Int32Array;
  /** Live entries by level, so that a size nobody uses is not looked for. */
  readonly live: Int32Array = new Int32Array(6);

  /** @throws {RangeError} if `sets` is not a power of two up to 65536 or `ways` not 1 … 64 */
  constructor({ sets, ways, grows = false }: TlbGeometry = { sets: 256, ways: 4 }) {
    wholeNumber("make a TLB of sets", sets, 1, 65536);
    if ((sets & sets - 1) !== 0) throw outOfRange("make a TLB of sets", sets, "it must be a power of two");
    this.ways = wholeNumber("make a TLB of ways", ways, 1, 64);
    this.setMask = sets - 1;
    this.words = new Int32Array(sets * ways * TLB_STRIDE);
    this.#victim = new Int32Array(sets);
    this.#used = new Int32Array(sets);
    this.#grows = grows;
  }

  /** Entries it can hold; a TLB that grows, before it has to grow. */
  get capacity(): number {
    return this.words.length / TLB_STRIDE;
  }

  /** Entries it holds. */
  get size(): number {
    let sum = 0;
    for (const n of this.live) sum += n;
    return sum;
  }

  /** Where the entry lies that translates the address in this PCID, of whatever page size; or -1. */
  find(hi: number, lo: number, pcid: number): number {
    for (let level = 1; level <= MAX_LEAF_LEVEL; level++) {
      if (this.live[level]! === 0) continue;
      const at = this.findAt(level, hi, lo, pcid);
      if (at >= 0) return at;
    }
    return -1;
  }

  /** Where the entry of this level lies that translates the address in this PCID; or -1. */
  findAt(level: number, hi: number, lo: number, pcid: number): number {
    return this.findTag(tagLoOf(level, hi, lo), tagHiOf(level, hi), pcid);
  }

  /** As {@linkcode findAt}, by the two words of the tag. */
  findTag(tagLo: number, tagHi: number, pcid: number): number {
    const words = this.words;
    const size = this.ways * TLB_STRIDE;
    let at = (tagLo & this.setMask) * size;
    for (const end = at + size; at < end; at += TLB_STRIDE) {
      if (words[at]! === tagLo && words[at + TLB_TAG_HI]! === tagHi) {
        const asid = words[at + TLB_ASID]!;
        if (asid === pcid || asid === TLB_GLOBAL) return at;
      }
    }
    return -1;
  }

  /**
   * Caches a page's translation: the page size is in `rights`, the page's physical base in two words. An entry with
   * the same page number and PCID is replaced, else a free place is taken, else the set's next victim. Answers where
   * the entry lies.
   */
  insert(hi: number, lo: number, pcid: number, rights: number, baseLo: number, baseHi: number): number {
    const asid = (rights & RIGHT_GLOBAL) !== 0 ? TLB_GLOBAL : pcid;
    return this.insertAt(rights >>> RIGHT_LEVEL_SHIFT & 3, hi, lo, asid, rights, baseLo, baseHi);
  }

  /** As {@linkcode insert}, for any level and ASID. */
  insertAt(
    level: number,
    hi: number,
    lo: number,
    asid: number,
    rights: number,
    baseLo: number,
    baseHi: number,
  ): number {
    const tagLo = tagLoOf(level, hi, lo);
    const tagHi = tagHiOf(level, hi);
    const words = this.words;
    const size = this.ways * TLB_STRIDE;
    const first = (tagLo & this.setMask) * size;
    for (let at = first; at < first + size; at += TLB_STRIDE) {
      if (words[at]! === tagLo && words[at + TLB_TAG_HI]! === tagHi && words[at + TLB_ASID]! === asid) {
        words[at + TLB_RIGHTS] = rights;
        words[at + TLB_BASE_LO] = baseLo;
        words[at + TLB_BASE_HI] = baseHi;
        return at;
      }
    }
    return this.insertNew(tagLo, tagHi, asid, rights, baseLo, baseHi);
  }

  /** As {@linkcode insertAt}, by the two words of the tag, where the caller knows that no such entry is there. */
  insertNew(
    tagLo: number,
    tagHi: number,
    asid: number,
    rights: number,
    baseLo: number,
    baseHi: number,
  ): number {
    const set = tagLo & this.setMask;
    const ways = this.ways;
    const live = this.live;
    let at = set * ways * TLB_STRIDE;
    if (this.#used[set]! < ways || this.#grows && this.capacity * 2 <= MOST_ENTRIES) {
      at = this.#freePlace(set, tagLo);
      live[tagHi >>> 20]!++;
    } else {
      const way = this.#victim[set]!;
      this.#victim[set] = way + 1 === ways ? 0 : way + 1;
      at += way * TLB_STRIDE;
      const old = this.words[at + TLB_TAG_HI]!;
      if (old >>> 20 !== tagHi >>> 20) {
        live[old >>> 20]!--;
        live[tagHi >>> 20]!++;
      }
    }
    const words = this.words;
    words[at] = tagLo;
    words[at + TLB_TAG_HI] = tagHi;
    words[at + TLB_ASID] = asid;
    words[at + TLB_RIGHTS] = rights;
    words[at + TLB_BASE_LO] = baseLo;
    words[at + TLB_BASE_HI] = baseHi;
    return at;
  }

  /** The first free place of a set, after growing if there is none. */
  #freePlace(set: number, tagLo: number): number {
    if (this.#used[set]! === this.ways) {
      this.#grow();
      return this.#freePlace(tagLo & this.setMask, tagLo);
    }
    this.#used[set]!++;
    let at = set * this.ways * TLB_STRIDE;
    while (this.words[at + TLB_TAG_HI]! !== 0) at += TLB_STRIDE;
    return at;
  }

  /** Doubles the ways while most of the TLB is empty, as when one page is cached in many PCIDs; else the sets. */
  #grow(): void {
    const old = this.words;
    if (this.size * 4 < this.capacity) this.ways *= 2;
    else this.setMask = this.setMask * 2 + 1;
    this.words = new Int32Array(old.length * 2);
    this.#victim = new Int32Array(this.setMask + 1);
    this.#used = new Int32Array(this.setMask + 1);
    for (let from = 0; from < old.length; from += TLB_STRIDE) {
      if (old[from + TLB_TAG_HI]! === 0) continue;
      const at = this.#freePlace(old[from]! & this.setMask, old[from]!);
      this.words.set(old.subarray(from, from + TLB_STRIDE), at);
    }
  }

  /** Drops the entry that lies there. */
  dropAt(at: number): void {
    const level = this.words[at + TLB_TAG_HI]! >>> 20;
    if (level === 0) return;
    this.live[level]!--;
    this.#used[Math.floor(at / (this.ways * TLB_STRIDE))]!--;
    this.words[at + TLB_TAG_HI] = 0;
  }

  /** Drops what translates this address in this PCID, global entries too (INVLPG, and what a #PF does). */
  dropPage(hi: number, lo: number, pcid: number): void {
    for (let at = this.find(hi, lo, pcid); at >= 0; at = this.find(hi, lo, pcid)) this.dropAt(at);
  }

  /** Drops what translates this address in this PCID and is not global (INVPCID type 0). */
  dropPageKeepingGlobal(hi: number, lo: number, pcid: number): void {
    for (let level = 1; level <= MAX_LEAF_LEVEL; level++) {
      const tagLo = tagLoOf(level, hi, lo);
      const tagHi = tagHiOf(level, hi);
      const size = this.ways * TLB_STRIDE;
      const first = (tagLo & this.setMask) * size;
      for (let at = first; at < first + size; at += TLB_STRIDE) {
        if (
          this.words[at]! === tagLo && this.words[at + TLB_TAG_HI]! === tagHi &&
          this.words[at + TLB_ASID]! === pcid
        ) this.dropAt(at);
      }
    }
  }

  /** Drops all entries of one PCID; global entries stay. */
  dropPcid(pcid: number): void {
    if (this.size === 0) return;
    const words = this.words;
    for (let at = 0; at < words.length; at += TLB_STRIDE) {
      if (words[at + TLB_ASID]! === pcid) this.dropAt(at);
    }
  }

  /** Drops all entries that are not global, of every PCID. */
  dropNonGlobal(): void {
    const words = this.words;
    for (let at = 0; at < words.length; at += TLB_STRIDE) {
      if (words[at + TLB_ASID]! !== TLB_GLOBAL) this.dropAt(at);
    }
  }

  /** Drops everything. */
  dropAll(): void {
    if (this.size === 0) return;
    this.words.fill(0);
    this.live.fill(0);
    this.#used.fill(0);
  }
}

/** Low word of the tag of an address at a level. */
function tagLoOf(level: number, hi: number, lo: number): number {
  if (level === 1) return hi << 20 | lo >>> 12;
  const shift = LEVEL_SHIFT[level]!;
  return shift < 32 ? hi << 32 - shift | lo >>> shift : hi >>> shift - 32;
}

/** High word of the tag. */
function tagHiOf(level: number, hi: number): number {
  if (level === 1) return 1 << 20 | hi >>> 12;
  const shift = LEVEL_SHIFT[level]!;
  return shift < 32 ? level << 20 | hi >>> shift : level << 20;
}
