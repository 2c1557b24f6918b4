/**
 * The drivers between Linux and the grants, and the users of what they map. Knows nothing of costs or charts.
 * Start with `gntdev/`.
 *
 * @module
 */

export * from "./access_process_vm.ts";
export * from "./blkback/mod.ts";
export * from "./blkfront/mod.ts";
export * from "./blkif/mod.ts";
export * from "./block/mod.ts";
export * from "./direct_io.ts";
export * from "./evtchn/mod.ts";
export * from "./frontend_kernel.ts";
export * from "./futex.ts";
export * from "./gntalloc/mod.ts";
export * from "./gntdev/mod.ts";
export * from "./io_uring.ts";
export * from "./netback/mod.ts";
export * from "./netfront/mod.ts";
export * from "./netif/mod.ts";
export * from "./numa.ts";
export * from "./pipe.ts";
export * from "./privcmd/mod.ts";
export * from "./process_vm.ts";
export * from "./ram_disk.ts";
export * from "./ring/mod.ts";
export * from "./socket.ts";
export * from "./unmap_notify.ts";
export * from "./user_blkback/mod.ts";
export * from "./user_bytes.ts";
export * from "./workload/mod.ts";
