/**
 * gntalloc, by entry point. Start with `grefs.ts` (the objects), then `alloc_gref.ts`.
 *
 * @module
 */

export * from "./alloc_gref.ts";
export * from "./dealloc_gref.ts";
export * from "./grefs.ts";
export * from "./mmap.ts";
export * from "./open.ts";
export * from "./set_unmap_notify.ts";
