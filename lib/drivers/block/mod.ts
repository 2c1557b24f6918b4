/**
 * Disks under a back end. Start with `bio.ts`.
 *
 * @module
 */

export * from "./bio.ts";
export * from "./network_block_device.ts";
export * from "./ram_block_device.ts";
export * from "./timed_block_device.ts";
