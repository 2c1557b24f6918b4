/**
 * The machine-to-physical table: one for the machine, an entry per frame, read-only to every guest. The entry is
 * what the frame's owner says: its pseudo-physical frame. A guest that looks up a frame of somebody else gets *that
 * owner's* number, which means nothing in its own numbering: many a wrong page starts here.
 *
 * Simplified: the table is a column by frame here, not memory that guests map; reading it costs the reader what the
 * reader's layer says.
 *
 * @cite xen 4.17 xen/include/public/xen.h machine_to_phys_mapping
 * @module
 */

import { Shown, viewOf } from "../core/shown.ts";
import type { View } from "../core/view.ts";
import type { FrameTable } from "./frame_table.ts";

/** Entry of a frame that nobody numbers. @cite xen 4.17 xen/arch/x86/include/asm/mm.h INVALID_M2P_ENTRY */
export const INVALID_M2P_ENTRY = -1;

/** The table. */
export class M2p extends Shown {
  readonly #frames: FrameTable;

  constructor(frames: FrameTable) {
    super();
    this.#frames = frames;
  }

  /** Entry of `mfn`: a pseudo-physical frame, or {@linkcode INVALID_M2P_ENTRY}. Never throws. */
  get(mfn: number): number {
    const row = this.#frames.rowOf(mfn);
    return row < 0 ? INVALID_M2P_ENTRY : this.#frames.info.m2p[row]!;
  }

  /** True if the table has an entry for this number; a read beyond its end faults in a guest. */
  isReadable(mfn: number): boolean {
    return Number.isInteger(mfn) && mfn >= 0 && mfn < this.#frames.nrFrames;
  }

  /** Sets the entry of an owned frame. @cite xen 4.17 xen/arch/x86/include/asm/mm.h set_gpfn_from_mfn */
  set(mfn: number, pfn: number): void {
    const row = this.#frames.rowOf(mfn);
    if (row >= 0) this.#frames.info.m2p[row] = pfn;
  }

  override [viewOf](): View {
    return {
      line: `machine-to-physical table of ${this.#frames.nrFrames} frames; get(mfn) answers an entry`,
    };
  }
}
