/**
 * The physical-to-machine table of a translated domain (PVH, HVM): what stands behind each guest frame. Second-level
 * page tables (EPT, NPT) of 4 KiB entries, kept as columns: nobody walks them bit by bit here.
 *
 * Only entries that Xen's grant code asks about are told apart: RAM, memory that is paged out, mapped grants, frames
 * of other domains.
 *
 * @cite xen 4.17 xen/arch/x86/include/asm/p2m.h p2m_type_t
 * @module
 */

import { IntMap } from "../core/int_map.ts";
import { EV } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";

/** Nothing there. */
export const p2m_invalid = 0;
/** Ordinary memory. */
export const p2m_ram_rw = 1;
/** Memory whose content is not in a frame now, or is being shared or unshared. */
export const p2m_ram_paged = 2;
/** A grant, mapped writable. */
export const p2m_grant_map_rw = 3;
/** A grant, mapped read-only. */
export const p2m_grant_map_ro = 4;
/** A frame of another domain. */
export const p2m_map_foreign = 5;

/** Names of the types. */
export const P2M_TYPES = [
  "invalid",
  "ram_rw",
  "ram_paged",
  "grant_map_rw",
  "grant_map_ro",
  "map_foreign",
] as const;

/** Guest frames below this can be mapped: four levels of 9 bits. @cite xen 4.17 xen/arch/x86/mm/p2m-ept.c ept_set_entry */
export const P2M_GFN_END: number = 2 ** 36;

/** The largest key of the fast index. */
const MAX_INDEX = 0x7fffffff;

/** True for a grant that is mapped. @cite xen 4.17 xen/arch/x86/include/asm/p2m.h p2m_is_grant */
export function p2mIsGrant(type: number): boolean {
  return type === p2m_grant_map_rw || type === p2m_grant_map_ro;
}

/** The table of one domain. */
export class P2m {
  readonly #trace: Trace;
  readonly #low = new IntMap(64);
  readonly #high = new Map<number, number>();
  #type: number[] = [];
  #mfn: number[] = [];
  #gfn: number[] = [];

  constructor(trace: Trace) {
    this.#trace = trace;
  }

  /** `p2m_*` of a guest frame. */
  type(gfn: number): number {
    const row = this.#row(gfn);
    return row < 0 ? p2m_invalid : this.#type[row]!;
  }

  /** Machine frame behind a guest frame, or -1. */
  mfn(gfn: number): number {
    const row = this.#row(gfn);
    return row < 0 || this.#type[row] === p2m_invalid ? -1 : this.#mfn[row]!;
  }

  /** Sets an entry; false if the guest frame is beyond the table. @cite xen 4.17 xen/arch/x86/mm/p2m.c p2m_set_entry */
  set(gfn: number, mfn: number, type: number): boolean {
    if (!(gfn >= 0 && gfn < P2M_GFN_END)) return false;
    this.#trace.one(EV.xen_p2m_update);
    let row = this.#row(gfn);
    if (row < 0) {
      row = this.#type.length;
      this.#gfn.push(gfn);
      if (gfn <= MAX_INDEX) this.#low.set(gfn, row);
      else this.#high.set(gfn, row);
    }
    this.#type[row] = type;
    this.#mfn[row] = mfn;
    return true;
  }

  /** Calls `visit` for every entry in use. */
  forEach(visit: (gfn: number, mfn: number, type: number) => void): void {
    for (let row = 0; row < this.#type.length; row++) {
      if (this.#type[row] !== p2m_invalid) visit(this.#gfn[row]!, this.#mfn[row]!, this.#type[row]!);
    }
  }

  #row(gfn: number): number {
    if (gfn >= 0 && gfn <= MAX_INDEX) return this.#low.get(gfn);
    return this.#high.get(gfn) ?? -1;
  }
}
