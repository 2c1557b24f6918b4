/**
 * Grant operations as columns: a batch of maps or unmaps without an object per operation. The same checks in the same
 * order as `grantTableOp`, on the same state; only the list looks different. For work loads of a million grants.
 *
 * ```text
 *  reset(n) ─► fill columns ─► mapBatch ─► status, handle, devBusAddr ─► unmapBatch ─► status
 * ```
 *
 * @module
 */

import { PAGE_SIZE } from "../core/geometry.ts";
import { outOfRange, wholeNumber } from "../core/misuse.ts";
import { EV } from "../trace/events.ts";
import { type GnttabMapGrantRef, GNTTABOP_map_grant_ref, GNTTABOP_unmap_grant_ref } from "./abi.ts";
import type { Domain } from "./domain.ts";
import { enterWith } from "./enter.ts";
import { mapGrantRef } from "./gnttabop/map_grant_ref.ts";
import { finishBatch, unmapCommon } from "./gnttabop/unmap_common.ts";
import { word64 } from "./guest_word.ts";
import type { Hypervisor } from "./hypervisor.ts";
import { preemptPoint } from "./preemption.ts";
import { GNTST_okay } from "./status.ts";

/**
 * Columns of a list of maps, and of the unmaps that undo them.
 *
 * @example
 * ```ts
 * import { PhysMem } from "grantlab/x86";
 * import { Trace } from "grantlab/trace";
 * import * as xen from "grantlab/xen";
 * const cpus = [{ flushAll() {}, invlpg() {} }];
 * const hv = new xen.Hypervisor({ mem: new PhysMem(4096), trace: new Trace(), flavour: xen.xen4_17, cpus });
 * const [dom0, guest] = [hv.createDomain({ frames: 8, privileged: true }), hv.createDomain({ frames: 8 })];
 * for (let i = 0; i < 4; i++) xen.grantAccess(guest, 8 + i, { domid: dom0.domid, frame: guest.mfnOf(i) });
 * const batch = new xen.GrantBatch(4);
 * for (let i = 0; i < 4; i++) batch.set(i, { ref: 8 + i, dom: guest.domid, flags: xen.GNTMAP_device_map, host_addr: 0 });
 * if (xen.mapBatch(hv, dom0, batch) !== 4 || xen.unmapBatch(hv, dom0, batch) !== 4) throw new Error();
 * ```
 */
export class GrantBatch {
  /** Operations in the list. */
  readonly length: number;
  /** I, u64. */
  readonly hostAddr: Float64Array;
  /** O of a map, I of an unmap: u64. */
  readonly devBusAddr: Float64Array;
  /** I, u32: `GNTMAP_*`. */
  readonly flags: Int32Array;
  /** I, u32. */
  readonly ref: Uint32Array;
  /** I, u16: the granter. */
  readonly dom: Uint16Array;
  /** O of a map, I of an unmap: u32. */
  readonly handle: Uint32Array;
  /** O: `GNTST_*`. */
  readonly status: Int16Array;

  constructor(length: number) {
    this.length = wholeNumber("make a batch of operations", length, 0, 2 ** 24);
    this.hostAddr = new Float64Array(length);
    this.devBusAddr = new Float64Array(length);
    this.flags = new Int32Array(length);
    this.ref = new Uint32Array(length);
    this.dom = new Uint16Array(length);
    this.handle = new Uint32Array(length);
    this.status = new Int16Array(length);
  }

  /** Sets the inputs of operation `i`. @throws {RangeError} if there is no such operation */
  set(i: number, op: Pick<GnttabMapGrantRef, "host_addr" | "flags" | "ref" | "dom">): void {
    this.#check(i);
    this.hostAddr[i] = word64(op.host_addr);
    this.flags[i] = op.flags;
    this.ref[i] = op.ref;
    this.dom[i] = op.dom;
  }

  /** Operation `i` as an object, for people: a copy. @throws {RangeError} if there is no such operation */
  op(i: number): GnttabMapGrantRef {
    this.#check(i);
    return {
      host_addr: this.hostAddr[i]!,
      flags: this.flags[i]! >>> 0,
      ref: this.ref[i]!,
      dom: this.dom[i]!,
      status: this.status[i]!,
      handle: this.handle[i]!,
      dev_bus_addr: this.devBusAddr[i]!,
    };
  }

  #check(i: number): void {
    if (Number.isInteger(i) && i >= 0 && i < this.length) return;
    throw outOfRange("use operation", i, `the batch has ${this.length}`);
  }
}

/**
 * `GNTTABOP_map_grant_ref` of all operations, in one hypercall; answers how many succeeded.
 *
 * @throws {DomainCrash} if Xen kills the caller
 */
export function mapBatch(hv: Hypervisor, caller: Domain, batch: GrantBatch): number {
  return enterWith(hv, caller, EV.hc_grant_table_op, mapColumns, batch);
}

function mapColumns(hv: Hypervisor, caller: Domain, batch: GrantBatch): number {
  const { map } = hv.scratch;
  let done = 0;
  for (let i = 0; i < batch.length; i++) {
    if (i > 0 && hv.preemption !== null) preemptPoint(hv, caller, { cmd: GNTTABOP_map_grant_ref, done: i });
    hv.trace.one(EV.gnttab_op);
    map.domid = batch.dom[i]!;
    map.ref = batch.ref[i]!;
    map.flags = batch.flags[i]!;
    map.addr = batch.hostAddr[i]!;
    mapGrantRef(hv, caller, map);
    batch.status[i] = map.status;
    if (map.status !== GNTST_okay) continue;
    batch.handle[i] = map.handle;
    batch.devBusAddr[i] = map.mfn * PAGE_SIZE;
    done++;
  }
  return done;
}

/** `GNTTABOP_unmap_grant_ref` of all operations, in one hypercall; answers how many succeeded. Errors as {@linkcode mapBatch}. */
export function unmapBatch(hv: Hypervisor, caller: Domain, batch: GrantBatch): number {
  return enterWith(hv, caller, EV.hc_grant_table_op, unmapColumns, batch);
}

function unmapColumns(hv: Hypervisor, caller: Domain, batch: GrantBatch): number {
  const { batchSize } = hv.flavour.flush;
  const { unmapBatch: records } = hv.scratch;
  let okay = 0;
  for (let first = 0; first < batch.length; first += batchSize) {
    if (first > 0 && hv.preemption !== null) {
      preemptPoint(hv, caller, { cmd: GNTTABOP_unmap_grant_ref, done: first });
    }
    const end = Math.min(first + batchSize, batch.length);
    for (let i = first; i < end; i++) {
      const record = records[i - first]!;
      hv.trace.one(EV.gnttab_op);
      record.clear();
      record.hostAddr = batch.hostAddr[i]!;
      record.devBusAddr = batch.devBusAddr[i]!;
      record.handle = batch.handle[i]!;
      if (unmapCommon(hv, caller, record)) batch.status[i] = record.status;
      if (record.status === GNTST_okay) okay++;
    }
    finishBatch(hv, caller, end - first);
  }
  return okay;
}
