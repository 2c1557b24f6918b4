/**
 * gntdev, by entry point. Start with `grant_map.ts` (the objects), then `mmap.ts`.
 *
 * @module
 */

export * from "./clear_byte.ts";
export * from "./get_offset_for_vaddr.ts";
export * from "./grant_copy.ts";
export * from "./grant_map.ts";
export * from "./map_grant_pages.ts";
export * from "./map_grant_ref.ts";
export * from "./mmap.ts";
export * from "./mode.ts";
export * from "./open.ts";
export * from "./ptemod.ts";
export * from "./put_map.ts";
export * from "./set_unmap_notify.ts";
export * from "./translated.ts";
export * from "./unmap_grant_pages.ts";
export * from "./unmap_grant_ref.ts";
export * from "./unmap_with_item.ts";
export * from "./user_half_first.ts";
