/**
 * Hypervisor releases as data: one choice per seam, each with where it can be read. Derive a new one by spreading an
 * old one; nothing below tests a flavour's name.
 *
 * @module
 */

import { lookUp } from "../core/nearest.ts";
import { type BuildKind, releaseBuild } from "./build.ts";
import { flushPerBatch, type FlushPolicy } from "./flush.ts";
import { type LockPlan, perCpuRwlock } from "./locks.ts";
import { GNTST_bad_dev_addr, GNTST_no_space } from "./status.ts";
import { xsmDummy, type XsmPolicy } from "./xsm.ts";

/** One choice per seam. */
export interface XenFlavour {
  readonly name: string;
  /** Which lock acquisitions the grant-table code makes. */
  readonly locks: LockPlan;
  /** When an unmap flushes. */
  readonly flush: FlushPolicy;
  /** Security module. */
  readonly xsm: XsmPolicy;
  /** Debug or release build: what happens to a grant mapping that the guest destroys by itself. */
  readonly build: BuildKind;
  /** Status of an unmap whose bus address is wrong. */
  readonly unmapWrongBusAddress: number;
  /** Status of a map when no handle is left. */
  readonly mapNoHandle: number;
  /** Default and, for the privileged domain, bound of the frames of a grant table. */
  readonly gnttabMaxFrames: number;
  /** Default and, for the privileged domain, bound of the pages of maptrack. */
  readonly gnttabMaxMaptrackFrames: number;
  /** Where each choice can be read. */
  readonly citations: Readonly<Record<string, string>>;
}

/** Xen 4.17, release build. */
export const xen4_17: XenFlavour = Object.freeze({
  name: "xen4_17",
  locks: perCpuRwlock,
  flush: flushPerBatch,
  xsm: xsmDummy,
  build: releaseBuild,
  unmapWrongBusAddress: GNTST_bad_dev_addr,
  mapNoHandle: GNTST_no_space,
  gnttabMaxFrames: 64,
  gnttabMaxMaptrackFrames: 1024,
  citations: Object.freeze({
    locks: "xen 4.17 xen/common/grant_table.c grant_read_lock",
    flush: "xen 4.17 xen/common/grant_table.c gnttab_unmap_grant_ref",
    xsm: "xen 4.17 xen/include/xsm/dummy.h xsm_grant_mapref",
    build: "xen 4.17 xen/arch/x86/mm.c put_page_from_l1e",
    unmapWrongBusAddress: "recorded grant-cases-pv.jsonl rawhyp",
    mapNoHandle: "xen 4.17 xen/common/grant_table.c map_grant_ref",
    gnttabMaxFrames: "xen 4.17 xen/common/grant_table.c opt_max_grant_frames",
    gnttabMaxMaptrackFrames: "xen 4.17 xen/common/grant_table.c opt_max_maptrack_frames",
  }),
});

/** All releases by name. */
export const XEN_FLAVOURS = Object.freeze({ xen4_17 });

/**
 * A release by name.
 *
 * @throws {RangeError} if there is none; near names are suggested
 *
 * @example
 * ```ts
 * import { xenFlavour } from "grantlab/xen";
 * if (xenFlavour("xen4_17").flush.batchSize !== 32) throw new Error();
 * ```
 */
export function xenFlavour(name: string): XenFlavour {
  return lookUp<XenFlavour>("xen flavour", XEN_FLAVOURS, name);
}
