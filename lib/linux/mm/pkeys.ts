/**
 * Protection keys: `pkey_alloc`, `pkey_free`, WRPKRU, and the key of mappings that may be executed only, which denies
 * data accesses, where the processor has keys. `pkey_mprotect` is in `mprotect.ts`.
 *
 * @cite linux 6.1 arch/x86/mm/pkeys.c __execute_only_pkey
 * @module
 */

import { enterCall, refuse } from "./last_call.ts";
import { ok, type SysResult } from "../../core/errno.ts";
import { CR4_PKE } from "../../x86/registers.ts";
import type { MmStruct } from "./mm_struct.ts";
import type { Vma } from "./vma.ts";
import { VM_ACCESS_FLAGS, VM_EXEC } from "./vm_flags.ts";
import { PROT_EXEC } from "./prot.ts";

const NR_KEYS = 16;

/** True if user pages have protection keys. @cite linux 6.1 arch/x86/include/asm/cpufeatures.h X86_FEATURE_OSPKE */
export function hasPkeys(mm: MmStruct): boolean {
  const cpu = mm.system.cpus[0];
  return cpu !== undefined && (cpu.cr4 & CR4_PKE) !== 0;
}

/** The key of exec-only mappings, taken at the first need; 0 where there are no keys or none is free. */
export function executeOnlyPkey(mm: MmStruct): number {
  if (!hasPkeys(mm)) return 0;
  if (mm.executeOnlyPkey < 0) {
    let key = 1;
    while (key < NR_KEYS && (mm.pkeyAllocationMap >>> key & 1) !== 0) key++;
    if (key === NR_KEYS) return 0;
    mm.pkeyAllocationMap |= 1 << key;
    mm.executeOnlyPkey = key;
    mm.pkru = mm.pkru & ~(3 << 2 * key) | 1 << 2 * key;
  }
  return mm.executeOnlyPkey;
}

/** Bits of a key's rights in PKRU. @cite linux 6.1 include/uapi/asm-generic/mman-common.h PKEY_DISABLE_ACCESS */
export const PKEY_DISABLE_ACCESS = 1;
/** @cite linux 6.1 include/uapi/asm-generic/mman-common.h PKEY_DISABLE_WRITE */
export const PKEY_DISABLE_WRITE = 2;

/** True if a program may name the key: in use, and not the one of exec-only mappings. @cite linux 6.1 arch/x86/include/asm/pkeys.h mm_pkey_is_allocated */
export function mmPkeyIsAllocated(mm: MmStruct, pkey: number): boolean {
  if (pkey < 0 || pkey >= (hasPkeys(mm) ? NR_KEYS : 1) || pkey === mm.executeOnlyPkey) return false;
  return (mm.pkeyAllocationMap >>> pkey & 1) !== 0;
}

/**
 * Takes a free key and gives the thread these rights on it.
 *
 * @returns EINVAL for flags or unknown rights, ENOSPC if no key is free or the processor has none
 * @cite linux 6.1 mm/mprotect.c pkey_alloc
 */
export function pkeyAlloc(mm: MmStruct, flags: number, rights: number): SysResult<number> {
  enterCall(mm, "pkey_alloc");
  if (flags !== 0 || (rights & ~(PKEY_DISABLE_ACCESS | PKEY_DISABLE_WRITE)) !== 0) {
    return refuse(mm, "EINVAL", "pkey_alloc", "flags, or unknown rights");
  }
  let key = hasPkeys(mm) ? 1 : NR_KEYS;
  while (key < NR_KEYS && (mm.pkeyAllocationMap >>> key & 1) !== 0) key++;
  if (key === NR_KEYS) return refuse(mm, "ENOSPC", "pkey_alloc", "no key is free, or the processor has none");
  mm.pkeyAllocationMap |= 1 << key;
  wrpkru(mm, mm.pkru & ~(3 << 2 * key) | rights << 2 * key);
  return ok(key);
}

/** Gives a key back; mappings keep it. EINVAL if it is not the program's. @cite linux 6.1 mm/mprotect.c pkey_free */
export function pkeyFree(mm: MmStruct, pkey: number): SysResult<0> {
  enterCall(mm, "pkey_free");
  if (!mmPkeyIsAllocated(mm, pkey)) return refuse(mm, "EINVAL", "pkey_free", "the key is not the program's");
  mm.pkeyAllocationMap &= ~(1 << pkey);
  return ok(0);
}

/** The program changes its rights on all keys: two bits a key, key 0 lowest. @cite sdm 3A 4.6.2 */
export function wrpkru(mm: MmStruct, pkru: number): void {
  mm.pkru = pkru;
}

/** The key a VMA gets from mprotect with these rights. @cite linux 6.1 arch/x86/mm/pkeys.c __arch_override_mprotect_pkey */
export function overrideMprotectPkey(vma: Vma, prot: number): number {
  if (!hasPkeys(vma.mm)) return 0;
  if (prot === PROT_EXEC) {
    const key = executeOnlyPkey(vma.mm);
    if (key > 0) return key;
  } else if ((vma.flags & VM_ACCESS_FLAGS) === VM_EXEC && vma.pkey === vma.mm.executeOnlyPkey) return 0;
  return vma.pkey;
}

/** Does PKRU let the thread do this? Fetches always pass. @cite linux 6.1 arch/x86/include/asm/mmu_context.h arch_vma_access_permitted */
export function vmaAccessPermitted(vma: Vma, write: boolean, execute: boolean): boolean {
  if (execute || vma.pkey === 0 || !hasPkeys(vma.mm)) return true;
  const rights = vma.mm.pkru >>> 2 * vma.pkey & 3;
  return (rights & 1) === 0 && (!write || (rights & 2) === 0);
}
