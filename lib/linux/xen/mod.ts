/**
 * Linux as a PV guest of Xen: its page-table operations, its p2m, its grant helpers, the seam of the designs for
 * foreign pages. Start with `xen_linux.ts`, then `foreign/scheme.ts`. The designs themselves are reached through the
 * kernel flavours.
 *
 * @module
 */

export * from "./call_sites.ts";
export * from "./delayed_work.ts";
export * from "./evtchn.ts";
export * from "./flavour_seams.ts";
export * from "./foreign/kernel_half.ts";
export * from "./foreign/scheme.ts";
export * from "./frame_source.ts";
export * from "./gnttab.ts";
export { type GntdevRange, type RangedMap, rangeOfMap, rangeOfVma } from "./gntdev_range.ts";
export * from "./grant_refs.ts";
export * from "./guest_kind.ts";
export * from "./hypercalls.ts";
export * from "./kernel_flavour.ts";
export * from "./kernel_rules.ts";
export * from "./multicalls.ts";
export * from "./p2m.ts";
export * from "./page_cache.ts";
export * from "./page_foreign.ts";
export * from "./pv_mmu_ops.ts";
export * from "./pv_tables.ts";
export * from "./pvh.ts";
export * from "./remap.ts";
export * from "./xen_linux.ts";
