/**
 * What guests ask of their disks and networks.
 *
 * @module
 */

export * from "./block_workload.ts";
export * from "./net_workload.ts";
