/**
 * All that one processor remembers of the paging structures: TLBs of one or two levels, apart for data and
 * instructions and per page size if the geometry says so, and paging-structure caches per level.
 *
 * ```text
 *              data access                 fetch
 *        ┌────────┬────────┬────┐   ┌────────┬────────┐
 *   L1   │ 4 KiB  │ 2 MiB  │1GiB│   │ 4 KiB  │ 2 MiB  │    banks; one bank may serve several sizes
 *        └────────┴───┬────┴────┘   └───┬────┴────────┘
 *   L2            ┌───┴────────────────┴───┐                shared, or one of each, or absent
 *                 └───────────┬────────────┘
 *   walk starts at  PDE … PML5E caches: the deepest hit gives table and rights so far
 * ```
 *
 * A translation found in L2 is copied to L1; a walk fills both. Every invalidation reaches every cache. Data and
 * instruction TLBs may disagree about a page whose entry was changed without an invalidation, as on hardware.
 *
 * @cite sdm 3A 4.10.2 translation lookaside buffers
 * @cite sdm 3A 4.10.3 paging-structure caches
 * @module
 */

import { RIGHT_GLOBAL, RIGHT_LEVEL_SHIFT } from "./access.ts";
import { tlbEntriesOf, type TlbEntry } from "./tlb_entries.ts";
import { tlbView } from "./views/tlb_view.ts";
import { Tlb, TLB_GLOBAL, type TlbGeometry } from "./tlb.ts";
import { Shown, viewOf } from "../core/shown.ts";
import type { View } from "../core/view.ts";

/** One bank and the page sizes it holds, as levels of the leaf. */
export interface BankGeometry extends TlbGeometry {
  readonly levels: readonly (1 | 2 | 3)[];
}

/** What a processor caches. */
export interface CachesGeometry {
  readonly l1Data: readonly BankGeometry[];
  /** Without it fetches use the data side. */
  readonly l1Instruction?: readonly BankGeometry[];
  readonly l2?: readonly BankGeometry[];
  /** Without it fetches share `l2`. */
  readonly l2Instruction?: readonly BankGeometry[];
  /** Paging-structure caches by level of the entry: 2 = PDE … 5 = PML5E. */
  readonly structures?: Readonly<Partial<Record<2 | 3 | 4 | 5, TlbGeometry>>>;
}

/** The banks asked together, one per page size; a size no bank serves is `null`. */
export class TlbLevel {
  /** The bank that was asked or filled last. */
  hit: Tlb;
  readonly small: Tlb | null;
  readonly large: Tlb | null;
  readonly huge: Tlb | null;
  /** Every bank once, with its name. */
  readonly banks: readonly { readonly name: string; readonly tlb: Tlb }[];

  constructor(name: string, banks: readonly BankGeometry[], readonly next: TlbLevel | null) {
    const made = banks.map((geometry) => ({ geometry, tlb: new Tlb(geometry) }));
    const serving = (level: 1 | 2 | 3): Tlb | null =>
      made.find(({ geometry }) => geometry.levels.includes(level))?.tlb ?? null;
    this.small = serving(1);
    this.large = serving(2);
    this.huge = serving(3);
    this.banks = made.map(({ geometry, tlb }) => ({
      name: made.length === 1
        ? name
        : `${name} ${geometry.levels.map((l) => ["4K", "2M", "1G"][l - 1]).join("/")}`,
      tlb,
    }));
    this.hit = made[0]?.tlb ?? new Tlb({ sets: 1, ways: 1 });
  }

  /** Where the entry lies in `hit`, or -1. */
  find(hi: number, lo: number, pcid: number): number {
    const at = this.findSmall(hi, lo, pcid);
    return at >= 0 ? at : this.findLarge(hi, lo, pcid);
  }

  /** As {@linkcode find}, 4 KiB pages only: the common case, small enough to be inlined. */
  findSmall(hi: number, lo: number, pcid: number): number {
    const small = this.small;
    if (small === null) return -1;
    this.hit = small;
    return small.findTag(hi << 20 | lo >>> 12, 1 << 20 | hi >>> 12, pcid);
  }

  /** As {@linkcode find}, larger pages only. */
  findLarge(hi: number, lo: number, pcid: number): number {
    const { large, huge } = this;
    let at = -1;
    if (large !== null && large.live[2]! !== 0) {
      this.hit = large;
      at = large.findAt(2, hi, lo, pcid);
    }
    if (at < 0 && huge !== null && huge.live[3]! !== 0) {
      this.hit = huge;
      at = huge.findAt(3, hi, lo, pcid);
    }
    return at;
  }

  /** Caches what {@linkcode find} has just not found, in the bank of its page size; -1 if there is none. */
  insertNew(hi: number, lo: number, pcid: number, rights: number, baseLo: number, baseHi: number): number {
    const asid = (rights & RIGHT_GLOBAL) !== 0 ? TLB_GLOBAL : pcid;
    const level = rights >>> RIGHT_LEVEL_SHIFT & 3;
    if (level !== 1) return this.#insertLarge(level, hi, lo, asid, rights, baseLo, baseHi);
    const small = this.small;
    if (small === null) return -1;
    this.hit = small;
    return small.insertNew(hi << 20 | lo >>> 12, 1 << 20 | hi >>> 12, asid, rights, baseLo, baseHi);
  }

  #insertLarge(
    level: number,
    hi: number,
    lo: number,
    asid: number,
    rights: number,
    baseLo: number,
    baseHi: number,
  ): number {
    const bank = level === 2 ? this.large : this.huge;
    if (bank === null) return -1;
    this.hit = bank;
    return bank.insertAt(level, hi, lo, asid, rights, baseLo, baseHi);
  }
}

/**
 * The caches of one processor.
 *
 * @example
 * ```ts
 * import { RIGHT_LEVEL_SHIFT, TLB_PRESETS, TranslationCaches } from "grantlab/x86";
 * const caches = new TranslationCaches(TLB_PRESETS.skylake);
 * caches.data.insertNew(0, 0x5000, 0, 1 << RIGHT_LEVEL_SHIFT, 0x9000, 0);
 * if (!caches.holds(0, 0x5fff, 0) || caches.size !== 1) throw new Error();
 * caches.dropPage(0, 0x5000, 0);
 * if (caches.holds(0, 0x5fff, 0)) throw new Error();
 * ```
 */
export class TranslationCaches extends Shown {
  /** What a data access asks first. */
  readonly data: TlbLevel;
  /** What a fetch asks first; the same as `data` if they are not split. */
  readonly instruction: TlbLevel;
  /** Paging-structure caches, by level of the entry; `null` if the geometry has none. */
  readonly structures: readonly (Tlb | null)[] | null;
  /** The TLBs, each once. */
  readonly banks: readonly { readonly name: string; readonly tlb: Tlb }[];
  readonly #structures: readonly Tlb[];

  constructor({ l1Data, l1Instruction, l2, l2Instruction, structures }: CachesGeometry) {
    super();
    const second = l2 === undefined
      ? null
      : new TlbLevel(l2Instruction === undefined ? "L2" : "L2 data", l2, null);
    const fetchSecond = l2Instruction === undefined
      ? second
      : new TlbLevel("L2 instruction", l2Instruction, null);
    const isSplit = l1Instruction !== undefined;
    this.data = new TlbLevel(isSplit ? "L1 data" : "L1", l1Data, second);
    this.instruction = isSplit ? new TlbLevel("L1 instruction", l1Instruction, fetchSecond) : this.data;
    const levels = [this.data, this.instruction, second, fetchSecond].filter((level) => level !== null);
    this.banks = [...new Set(levels)].flatMap((level) => level.banks);
    this.structures = structures === undefined ? null : [0, 1, 2, 3, 4, 5].map((level) => {
      const geometry = structures[level as 2];
      return geometry === undefined ? null : new Tlb(geometry);
    });
    this.#structures = (this.structures ?? []).filter((tlb) => tlb !== null);
  }

  /** Entries in all TLBs; a translation in L1 and L2 counts twice. */
  get size(): number {
    return this.banks.reduce((sum, { tlb }) => sum + tlb.size, 0);
  }

  /** Entries in the paging-structure caches. */
  get structureSize(): number {
    return this.#structures.reduce((sum, tlb) => sum + tlb.size, 0);
  }

  /** True if some TLB holds a translation of the address in this PCID. */
  holds(hi: number, lo: number, pcid: number): boolean {
    return this.banks.some(({ tlb }) => tlb.find(hi, lo, pcid) >= 0);
  }

  /** True if a walk for the address in this PCID would start from a paging-structure cache. */
  holdsStructure(hi: number, lo: number, pcid: number): boolean {
    return (this.structures ?? []).some((tlb, level) => tlb !== null && tlb.findAt(level, hi, lo, pcid) >= 0);
  }

  /** INVLPG: the page in this PCID and where it is global; all paging-structure entries of the PCID. */
  dropPage(hi: number, lo: number, pcid: number): void {
    for (const { tlb } of this.banks) tlb.dropPage(hi, lo, pcid);
    for (const tlb of this.#structures) tlb.dropPcid(pcid);
  }

  /** #PF: the page, and the paging-structure entries that a walk for the address would use. */
  dropFaulting(hi: number, lo: number, pcid: number): void {
    for (const { tlb } of this.banks) tlb.dropPage(hi, lo, pcid);
    if (this.structures === null) return;
    for (let level = 2; level <= 5; level++) {
      const tlb = this.structures[level]!;
      if (tlb === null) continue;
      const at = tlb.findAt(level, hi, lo, pcid);
      if (at >= 0) tlb.dropAt(at);
    }
  }

  /** INVPCID type 0: the page in this PCID where it is not global; all paging-structure entries of the PCID. */
  dropPageKeepingGlobal(hi: number, lo: number, pcid: number): void {
    for (const { tlb } of this.banks) tlb.dropPageKeepingGlobal(hi, lo, pcid);
    for (const tlb of this.#structures) tlb.dropPcid(pcid);
  }

  /** All of one PCID but what is global. */
  dropPcid(pcid: number): void {
    for (const { tlb } of this.banks) tlb.dropPcid(pcid);
    for (const tlb of this.#structures) tlb.dropPcid(pcid);
  }

  /** All but what is global. */
  dropNonGlobal(): void {
    for (const { tlb } of this.banks) tlb.dropNonGlobal();
    for (const tlb of this.#structures) tlb.dropAll();
  }

  /** Everything. */
  dropAll(): void {
    for (const { tlb } of this.banks) tlb.dropAll();
    for (const tlb of this.#structures) tlb.dropAll();
  }

  /** The live entries of all TLBs, by bank and place. */
  entries(): TlbEntry[] {
    return this.banks.flatMap(({ name, tlb }) => tlbEntriesOf(tlb, name));
  }

  override [viewOf](): View {
    return tlbView(this);
  }
}
