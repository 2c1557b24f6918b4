/**
 * VM_* flags of a VMA: Linux's names and bits. All flags used lie in 32 bits; protection keys (bits 32–35 in Linux)
 * have a field of their own in {@linkcode Vma}.
 *
 * @cite linux 6.1 include/linux/mm.h VM_READ
 * @module
 */

export const VM_READ = 1 << 0;
export const VM_WRITE = 1 << 1;
export const VM_EXEC = 1 << 2;
export const VM_SHARED = 1 << 3;
export const VM_MAYREAD = 1 << 4;
export const VM_MAYWRITE = 1 << 5;
export const VM_MAYEXEC = 1 << 6;
export const VM_MAYSHARE = 1 << 7;
export const VM_GROWSDOWN = 1 << 8;
export const VM_UFFD_MISSING = 1 << 9;
export const VM_PFNMAP = 1 << 10;
export const VM_UFFD_WP = 1 << 12;
export const VM_LOCKED = 1 << 13;
export const VM_IO = 1 << 14;
export const VM_SEQ_READ = 1 << 15;
export const VM_RAND_READ = 1 << 16;
export const VM_DONTCOPY = 1 << 17;
export const VM_DONTEXPAND = 1 << 18;
export const VM_LOCKONFAULT = 1 << 19;
export const VM_ACCOUNT = 1 << 20;
export const VM_NORESERVE = 1 << 21;
export const VM_HUGETLB = 1 << 22;
export const VM_WIPEONFORK = 1 << 25;
export const VM_DONTDUMP = 1 << 26;
export const VM_SOFTDIRTY = 1 << 27;
export const VM_MIXEDMAP = 1 << 28;
export const VM_HUGEPAGE = 1 << 29;
export const VM_NOHUGEPAGE = 1 << 30;
export const VM_MERGEABLE = 1 << 31;

/** Flags whose VMAs never merge. @cite linux 6.1 include/linux/mm.h VM_SPECIAL */
export const VM_SPECIAL: number = VM_IO | VM_DONTEXPAND | VM_PFNMAP | VM_MIXEDMAP;

/** The three access bits. */
export const VM_ACCESS_FLAGS: number = VM_READ | VM_WRITE | VM_EXEC;

/** A private mapping that may be written is copied on write. @cite linux 6.1 include/linux/mm.h is_cow_mapping */
export function isCowMapping(flags: number): boolean {
  return (flags & (VM_SHARED | VM_MAYWRITE)) === VM_MAYWRITE;
}
