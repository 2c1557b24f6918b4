/**
 * The block front end of a guest. Start with `queue_request.ts`.
 *
 * @module
 */

export * from "./blkfront.ts";
export * from "./interrupt.ts";
export { blkfrontKick, blkfrontQueue } from "./queue_request.ts";
