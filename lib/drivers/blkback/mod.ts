/**
 * The block back end of the kernel. Start with `dispatch.ts`, then `map.ts` and `unmap.ts`.
 *
 * @module
 */

export * from "./connect.ts";
export * from "./gref_tree.ts";
export { numClean, purgePersistentGnt } from "./purge.ts";
export { reclaimMemory, xenBlkifSchedule } from "./schedule.ts";
export * from "./unmap_policy.ts";
export * from "./validate.ts";
export * from "./wake.ts";
export * from "./xen_blkif.ts";
