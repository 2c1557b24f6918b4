/**
 * Protection keys as far as plain calls meet them: a mapping that may be executed only gets a key of its own that
 * denies data accesses, where the processor has keys.
 *
 * Left out: `pkey_alloc`, `pkey_free`, `pkey_mprotect`, changes of PKRU.
 *
 * @cite linux 6.1 arch/x86/mm/pkeys.c __execute_only_pkey
 * @module
 */

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
