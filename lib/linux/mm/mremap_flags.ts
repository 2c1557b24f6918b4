/**
 * The flags of mremap.
 *
 * @module
 */

/** @cite linux 6.1 include/uapi/linux/mman.h MREMAP_MAYMOVE */
export const MREMAP_MAYMOVE = 1;
/** @cite linux 6.1 include/uapi/linux/mman.h MREMAP_FIXED */
export const MREMAP_FIXED = 2;
/** @cite linux 6.1 include/uapi/linux/mman.h MREMAP_DONTUNMAP */
export const MREMAP_DONTUNMAP = 4;
