/**
 * Hypervisor releases as data: one choice per seam, each with where it can be read. Derive a new one by spreading an
 * old one; nothing below tests a flavour's name.
 *
 * @module
 */

import { lookUp } from "../core/nearest.ts";
import { type BuildKind, debugBuild, debugBuildUntil2022, releaseBuild } from "./build.ts";
import { flushPerBatch, type FlushPolicy } from "./flush.ts";
import { type LockPlan, perCpuRwlock, singleSpinLock } from "./locks.ts";
import { type MaptrackPlan, queuedHandles, stackedHandles } from "./maptrack.ts";
import { GNTST_bad_dev_addr, GNTST_general_error, GNTST_no_device_space, GNTST_no_space } from "./status.ts";
import { type UsagePrint, usagePrint, usagePrintFirstEntry } from "./usage_print.ts";
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
  /** What a debug build of this release does instead; see {@linkcode withDebugBuild}. */
  readonly debugBuild: BuildKind;
  /** How free handles are kept. */
  readonly maptrack: MaptrackPlan;
  /** Status of an unmap whose bus address is wrong. */
  readonly unmapWrongBusAddress: number;
  /** Status of a map when no handle is left. */
  readonly mapNoHandle: number;
  /** Default and, for the privileged domain, bound of the frames of a grant table. */
  readonly gnttabMaxFrames: number;
  /** Default and, for the privileged domain, bound of the pages of maptrack. */
  readonly gnttabMaxMaptrackFrames: number;
  /** Highest version of entries that a guest may choose. */
  readonly gnttabMaxVersion: 1 | 2;
  /** Copies through transitive grants are allowed. */
  readonly transitiveGrants: boolean;
  /** Frames may be transferred. */
  readonly gnttabTransfer: boolean;
  /** Consecutive copies share pinned pages. */
  readonly copyKeepsPages: boolean;
  /** A copy of no bytes succeeds before anything else is looked at. */
  readonly copyIgnoresEmpty: boolean;
  /** A copy that makes a reader a writer looks at the entry's frame and range again. */
  readonly copyRechecksPinned: boolean;
  /** Back to version 1 only when no copy of version-2 entries runs. */
  readonly versionWaitsForCopies: boolean;
  /** The end of a domain with many mappings lets others in between pages of handles. */
  readonly deathIsPreempted: boolean;
  /** How the debug key `g` words a table. */
  readonly usagePrint: UsagePrint;
  /** A translated Linux that boots on it warns: sizes of XSAVE areas are not what it expects. */
  readonly xsaveSizesSurprise: boolean;
  /** Bytes of an active entry, release build. */
  readonly activeEntrySize: number;
  /** Where each choice can be read. */
  readonly citations: Readonly<Record<string, string>>;
}

/** Xen 4.17, release build. The one that most recordings are of. */
export const xen4_17: XenFlavour = Object.freeze({
  name: "xen4_17",
  locks: perCpuRwlock,
  flush: flushPerBatch,
  xsm: xsmDummy,
  build: releaseBuild,
  debugBuild,
  maptrack: queuedHandles,
  unmapWrongBusAddress: GNTST_bad_dev_addr,
  mapNoHandle: GNTST_no_space,
  gnttabMaxFrames: 64,
  gnttabMaxMaptrackFrames: 1024,
  gnttabMaxVersion: 2,
  transitiveGrants: true,
  gnttabTransfer: true,
  copyKeepsPages: true,
  copyIgnoresEmpty: false,
  copyRechecksPinned: false,
  versionWaitsForCopies: false,
  deathIsPreempted: true,
  usagePrint,
  xsaveSizesSurprise: false,
  activeEntrySize: 40,
  citations: Object.freeze({
    locks: "xen 4.17 xen/common/grant_table.c grant_read_lock",
    flush: "xen 4.17 xen/common/grant_table.c gnttab_unmap_grant_ref",
    xsm: "xen 4.17 xen/include/xsm/dummy.h xsm_grant_mapref",
    build: "xen 4.17 xen/arch/x86/mm.c put_page_from_l1e",
    debugBuild: "commit f61c54967f implicit unmaps inject a fault since 2022-07",
    maptrack: "xen 4.17 xen/common/grant_table.c get_maptrack_handle",
    unmapWrongBusAddress: "recorded grant-cases-pv.jsonl rawhyp",
    mapNoHandle: "xen 4.17 xen/common/grant_table.c map_grant_ref",
    gnttabMaxFrames: "xen 4.17 xen/common/grant_table.c opt_max_grant_frames",
    gnttabMaxMaptrackFrames: "xen 4.17 xen/common/grant_table.c opt_max_maptrack_frames",
    gnttabMaxVersion: "xen 4.17 xen/common/grant_table.c opt_gnttab_max_version",
    transitiveGrants: "xen 4.17 xen/common/grant_table.c opt_transitive_grants",
    gnttabTransfer: "xen 4.17 xen/common/grant_table.c opt_grant_transfer",
    copyKeepsPages: "xen 4.17 xen/common/grant_table.c gnttab_copy_one",
    copyIgnoresEmpty: "commit a4a790f432 zero-length copies since 2024-02",
    copyRechecksPinned: "commit 61b0a59ce2 copies of pinned entries since 2026-07",
    versionWaitsForCopies: "commit 96dfeb4177 version changes and copies since 2026-07",
    deathIsPreempted: "xen 4.17 xen/common/grant_table.c gnttab_release_mappings",
    usagePrint: "xen 4.17 xen/common/grant_table.c gnttab_usage_print",
    xsaveSizesSurprise: "recorded grant-cases-pvh.jsonl tainted at the end",
    activeEntrySize: "commit a2f5203141 active entries shrink from 40 to 32 bytes in 2022-12",
  }),
});

/** Xen 4.14: other statuses, and a debug build that kills; the code paths are those of 4.17. */
export const xen4_14: XenFlavour = Object.freeze({
  ...xen4_17,
  name: "xen4_14",
  debugBuild: debugBuildUntil2022,
  unmapWrongBusAddress: GNTST_general_error,
  mapNoHandle: GNTST_no_device_space,
  citations: Object.freeze({
    ...xen4_17.citations,
    unmapWrongBusAddress: "recorded linux6_1-xen4_14/grant-cases-pv.jsonl rawhyp",
    mapNoHandle: "commit 5c10b96795 no_device_space until 2021-09",
    debugBuild: "commit f61c54967f implicit unmaps kill until 2022-07",
  }),
});

/** Xen 4.5, the release of the time of the proposal. The size of its active entries is taken as 4.17's. */
export const xen4_5: XenFlavour = Object.freeze({
  ...xen4_14,
  name: "xen4_5",
  locks: singleSpinLock,
  maptrack: stackedHandles,
  gnttabMaxFrames: 32,
  gnttabMaxMaptrackFrames: 256,
  copyKeepsPages: false,
  deathIsPreempted: false,
  usagePrint: usagePrintFirstEntry,
  citations: Object.freeze({
    ...xen4_14.citations,
    locks: "commit b4650e9a96 split of the grant lock, 2015-06",
    maptrack: "xen 4.5 xen/common/grant_table.c put_maptrack_handle",
    gnttabMaxFrames: "xen 4.5 xen/include/xen/grant_table.h DEFAULT_MAX_NR_GRANT_FRAMES",
    gnttabMaxMaptrackFrames: "xen 4.5 xen/common/grant_table.c MAX_MAPTRACK_TO_GRANTS_RATIO",
    copyKeepsPages: "commit d28f42f270 copies keep pages since 2015-01-29",
    deathIsPreempted: "xen 4.5 xen/common/grant_table.c gnttab_release_mappings",
    usagePrint: "xen 4.5 xen/common/grant_table.c gnttab_usage_print",
  }),
});

/** Xen 4.20. */
export const xen4_20: XenFlavour = Object.freeze({
  ...xen4_17,
  name: "xen4_20",
  copyIgnoresEmpty: true,
  xsaveSizesSurprise: true,
  activeEntrySize: 32,
  citations: Object.freeze({
    ...xen4_17.citations,
    unmapWrongBusAddress: "recorded linux6_1-xen4_20/grant-cases-pv.jsonl rawhyp",
    xsaveSizesSurprise: "recorded linux6_1-xen4_20/grant-cases-pvh.jsonl tainted at the end",
  }),
});

/** Xen 4.23, as of August 2026. */
export const xen4_23: XenFlavour = Object.freeze({
  ...xen4_20,
  name: "xen4_23",
  copyRechecksPinned: true,
  versionWaitsForCopies: true,
  citations: Object.freeze({
    ...xen4_20.citations,
    unmapWrongBusAddress: "xen 4.23 xen/common/grant_table.c unmap_common",
  }),
});

/** A flavour as its debug build; its name says so. Debug builds pad an active entry by 8 bytes. */
export function withDebugBuild(flavour: XenFlavour): XenFlavour {
  return Object.freeze({
    ...flavour,
    name: `${flavour.name}_debug`,
    build: flavour.debugBuild,
    activeEntrySize: flavour.activeEntrySize + 8,
  });
}

/** All releases by name. */
export const XEN_FLAVOURS = Object.freeze({ xen4_5, xen4_14, xen4_17, xen4_20, xen4_23 });

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
