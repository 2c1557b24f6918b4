/**
 * The kernels there are, one line each. A new design is one file in `xen/foreign/` and one line here; nothing else
 * in the library knows the names.
 *
 * @module
 */

export { classic2005 } from "./xen/foreign/vm_foreign.ts";
export { linux3_19 } from "./xen/foreign/m2p_override.ts";
export { draft_b } from "./xen/foreign/draft_b.ts";
export { seed2014 } from "./xen/foreign/vma_pages_seed.ts";
export { vma_pages_v1 } from "./xen/foreign/vma_pages_v1.ts";
export { linux4_0, linux6_1 } from "./xen/foreign/find_special_page.ts";
export { lazy_fault } from "./xen/foreign/lazy_fault.ts";
export { linux6_0 } from "./xen/gntdev_range.ts";
export { linux5_10 } from "./releases/linux5_10.ts";
export { linux6_12 } from "./releases/linux6_12.ts";
export { linux7_1 } from "./xen/foreign/find_normal_page.ts";
export { linux7_2 } from "./releases/linux7_2.ts";
