/**
 * What the first pass of an unmap leaves for the second.
 *
 * @cite xen 4.17 xen/common/grant_table.c gnttab_unmap_common
 * @module
 */

import type { Domain } from "../domain.ts";
import type { HostMapping } from "../host_map/ops.ts";

/** One operation of a batch. Reused from batch to batch. */
export class UnmapCommon {
  /** I: u64, 0 = leave the host mapping. */
  hostAddr = 0;
  /** I: u64, 0 = leave the device mapping. */
  devBusAddr = 0;
  /** I: u64, 0 = do not replace. */
  newAddr = 0;
  /** I: u32. */
  handle = 0;
  /** O: `GNTST_*`. */
  status = 0;
  /** O: kinds of mapping that are gone, with `GNTMAP_readonly` if they were; 0 = nothing to complete. */
  done = 0;
  /** O: the granter. */
  granter: Domain | null = null;
  /** O: grant reference. */
  ref = 0;
  /** O: the frame. */
  mfn = 0;
  /** O: its row of the frame table. */
  row = 0;
  /** The host mapping as the host side sees it. */
  readonly mapping: HostMapping = {
    addr: 0,
    mfn: 0,
    flags: 0,
    wasAccessed: false,
    hostPte: 0,
    tableRow: 0,
    entryAt: 0,
  };

  /** Sets the inputs and clears the outputs. */
  reset(hostAddr: number, devBusAddr: number, newAddr: number, handle: number): void {
    this.clear();
    this.hostAddr = hostAddr;
    this.devBusAddr = devBusAddr;
    this.newAddr = newAddr;
    this.handle = handle;
  }

  /** Clears outputs and `newAddr`, before inputs are set one by one. */
  clear(): void {
    this.newAddr = 0;
    this.status = 0;
    this.done = 0;
    this.granter = null;
    this.ref = 0;
    this.mfn = 0;
    this.mapping.wasAccessed = false;
  }
}
