/**
 * Xen: domains, the frame table, grant tables, direct paging and second-level tables. Knows nothing of
 * Linux. Start with `hypercall.ts`, what a guest can ask; state hangs off `hypervisor.ts`; the README of this folder
 * says what is modelled and what is not.
 *
 * @module
 */

export * from "./abi.ts";
export * from "./build.ts";
export * from "./domain.ts";
export * from "./domain_death.ts";
export * from "./explain_frame.ts";
export * from "./flavours.ts";
export * from "./flush.ts";
export * from "./frame_table.ts";
export * from "./grant_access.ts";
export * from "./grant_batch.ts";
export * from "./grant_dump.ts";
export * from "./grant_entry.ts";
export * from "./grant_picture.ts";
export * from "./grant_protocol.ts";
export * from "./grant_table.ts";
export * from "./host_map/ops.ts";
export * from "./hypercall.ts";
export * from "./hypervisor.ts";
export * from "./locks.ts";
export * from "./m2p.ts";
export * from "./maptrack.ts";
export {
  type AddToPhysmap,
  XENMAPIDX_grant_table_status,
  XENMAPSPACE_gmfn_foreign,
  XENMAPSPACE_grant_table,
} from "./mmu/add_to_physmap.ts";
export type { ListResult } from "./mmu/mmu_update.ts";
export * from "./p2m.ts";
export * from "./pin.ts";
export type { FrameWish } from "./placement.ts";
export * from "./preemption.ts";
export { BadSnapshot, SNAPSHOT_VERSION } from "./snapshot/format.ts";
export { loadHost, type LoadHostOptions } from "./snapshot/load_host.ts";
export { hostDigest, saveHost } from "./snapshot/save_host.ts";
export * from "./status.ts";
export * from "./validate.ts";
export * from "./xsm.ts";
export * from "./views/frame_view.ts";
export * from "./views/grant_entry_view.ts";
export * from "./views/maptrack_view.ts";
