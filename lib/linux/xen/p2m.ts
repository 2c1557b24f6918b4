/**
 * The guest's own physical-to-machine list, and the reverse look-up that has to be consistent with it.
 *
 * An entry is a frame with one of two marks: FOREIGN (bit 63 in Linux) for a frame that another domain owns, IDENTITY
 * (bit 62) where pfn and mfn are the same number. The reverse look-up compares with the *raw* entry, so a slot that
 * holds FOREIGN(mfn) never satisfies it: a granted frame has no local pfn, by design.
 *
 * @cite linux 6.1 arch/x86/include/asm/xen/page.h __pfn_to_mfn
 * @module
 */

import { Shown, viewOf } from "../../core/shown.ts";
import type { View } from "../../core/view.ts";
import { p2mView } from "./p2m_view.ts";
import { BUDGET } from "../../core/budget.ts";
import { wholeNumber } from "../../core/misuse.ts";
import { EV } from "../../trace/events.ts";
import type { Trace } from "../../trace/trace.ts";

/** No frame. @cite linux 6.1 arch/x86/include/asm/xen/page.h INVALID_P2M_ENTRY */
export const INVALID_P2M_ENTRY = -1;

/** Marks of an entry. */
export const P2M_LOCAL = 0;
export const P2M_FOREIGN = 1;
export const P2M_IDENTITY = 2;

/** The list of one guest. */
export class P2m extends Shown {
  readonly #frame: Int32Array;
  readonly #mark: Uint8Array;

  /** @param size entries; pfns beyond read as IDENTITY, as Linux has it */
  constructor(readonly trace: Trace, readonly size: number) {
    super();
    wholeNumber("make a p2m of entries", size, 1, BUDGET.domainFrames);
    this.#frame = new Int32Array(size).fill(INVALID_P2M_ENTRY);
    this.#mark = new Uint8Array(size);
  }

  /** The frame of an entry without its mark, or `INVALID_P2M_ENTRY`. @cite linux 6.1 arch/x86/include/asm/xen/page.h pfn_to_mfn */
  pfnToMfn(pfn: number): number {
    this.trace.add(EV.p2m_read);
    return pfn < this.size ? this.#frame[pfn]! : pfn;
  }

  /** The mark of an entry: `P2M_LOCAL`, `P2M_FOREIGN` or `P2M_IDENTITY`. */
  markOf(pfn: number): number {
    return pfn < this.size ? this.#mark[pfn]! : P2M_IDENTITY;
  }

  /** True if the raw entry is exactly this local frame. */
  isLocal(pfn: number, mfn: number): boolean {
    this.trace.add(EV.p2m_read);
    return pfn >= 0 && pfn < this.size && this.#mark[pfn] === P2M_LOCAL && this.#frame[pfn] === mfn;
  }

  /** True if the raw entry is IDENTITY(pfn): asked of frames that proved not to be the guest's own. */
  isIdentity(pfn: number): boolean {
    this.trace.add(EV.p2m_lookup);
    return pfn >= this.size || this.#mark[pfn] === P2M_IDENTITY;
  }

  /**
   * Makes sure that the entry can be written. Its page is always there in the model.
   *
   * @cite linux 6.1 arch/x86/xen/p2m.c xen_alloc_p2m_entry
   */
  allocEntry(_pfn: number): void {
    this.trace.add(EV.p2m_lookup);
  }

  /** Writes an entry. @cite linux 6.1 arch/x86/xen/p2m.c set_phys_to_machine */
  set(pfn: number, frame: number, mark: number = P2M_LOCAL): void {
    wholeNumber("write the p2m entry of pfn", pfn, 0, this.size - 1);
    this.trace.add(EV.p2m_write);
    this.#frame[pfn] = frame;
    this.#mark[pfn] = frame === INVALID_P2M_ENTRY ? P2M_LOCAL : mark;
  }

  /** An entry for people: `0x1f`, `FOREIGN(0x1f)`, `IDENTITY(0x1f)`, `INVALID`. */
  describe(pfn: number): string {
    const frame = pfn < this.size ? this.#frame[pfn]! : pfn;
    if (frame === INVALID_P2M_ENTRY) return "INVALID";
    const text = `0x${frame.toString(16)}`;
    const mark = this.markOf(pfn);
    return mark === P2M_FOREIGN ? `FOREIGN(${text})` : mark === P2M_IDENTITY ? `IDENTITY(${text})` : text;
  }

  override [viewOf](): View {
    return p2mView(this);
  }
}
