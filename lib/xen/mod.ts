/**
 * Xen: domains, the frame table, grant tables and direct paging, for 64-bit paravirtual domains. Knows nothing of
 * Linux. Start with `hypercall.ts`, what a guest can ask; state hangs off `hypervisor.ts`; the README of this folder
 * says what is modelled and what is not.
 *
 * @module
 */

export * from "./abi.ts";
export * from "./build.ts";
export * from "./domain.ts";
export * from "./flavours.ts";
export * from "./flush.ts";
export * from "./frame_table.ts";
export * from "./grant_access.ts";
export * from "./grant_entry.ts";
export * from "./grant_table.ts";
export * from "./host_map/ops.ts";
export * from "./hypercall.ts";
export * from "./hypervisor.ts";
export * from "./locks.ts";
export * from "./m2p.ts";
export * from "./maptrack.ts";
export type { ListResult } from "./mmu/mmu_update.ts";
export * from "./pin.ts";
export * from "./status.ts";
export * from "./validate.ts";
export * from "./xsm.ts";
export * from "./views/frame_view.ts";
export * from "./views/grant_entry_view.ts";
export * from "./views/maptrack_view.ts";
