/**
 * Records that grant operations fill again and again, so that a batch allocates nothing. One set for each depth of
 * nested hypercalls.
 *
 * @module
 */

import type { Domain } from "./domain.ts";
import { UnmapCommon } from "./gnttabop/unmap_record.ts";

/**
 * A map that runs. It is passed on as the question of `setStatus`, as the host mapping to make and as the maptrack entry
 * to fill: each looks at its own fields.
 */
export class MapRequest {
  /** I: u16, the granter's number. */
  domid = 0;
  /** I: u32. */
  ref = 0;
  /** I: u32, `GNTMAP_*`. */
  flags = 0;
  /** I: u64, `host_addr`. */
  addr = 0;
  /** The granter, once it is found. */
  granter!: Domain;
  /** Domid of the mapper. */
  user = 0;
  readonly = false;
  readonly isMap = true;
  /** The frame, once it is known. */
  mfn = 0;
  /** Its row of the frame table. */
  row = 0;
  /** Where the host mapping is. */
  hostPte = 0;
  tableRow = 0;
  entryAt = 0;
  /** Unused here: an unmap tells it. */
  wasAccessed = false;
  /** O: `GNTST_*`. */
  status = 0;
  /** O: names the mapping, if the status is okay. */
  handle = 0;

  /** Sets the inputs. */
  reset(domid: number, ref: number, flags: number, addr: number): void {
    this.domid = domid;
    this.ref = ref;
    this.flags = flags;
    this.addr = addr;
  }
}

/** The records of one depth. */
export class Scratch {
  readonly map: MapRequest = new MapRequest();
  readonly unmapBatch: readonly UnmapCommon[];

  constructor(batchSize: number) {
    this.unmapBatch = Array.from({ length: batchSize }, () => new UnmapCommon());
  }
}
