/**
 * A load, store or fetch of a user program: through the processor, and through the kernel's page-fault handler as
 * often as the processor faults.
 *
 * @module
 */

import { type Maddr, maddrOf } from "../../core/frames.ts";
import { EV } from "../../trace/events.ts";
import {
  ACCESS_FETCH,
  ACCESS_READ,
  ACCESS_WRITE,
  AccessResult,
  OUTCOME_GENERAL_PROTECTION,
  OUTCOME_OK,
  OUTCOME_PAGE_FAULT,
} from "../../x86/access.ts";
import { translate } from "../../x86/mmu.ts";
import { addressHalves } from "../../x86/translation.ts";
import { PF_ID, PF_P, PF_PK, PF_WR } from "../../x86/registers.ts";
import { expandDownwards } from "./expand_stack.ts";
import { handleMmFault } from "./fault.ts";
import { findVma } from "./find_vma.ts";
import { type MmStruct, TASK_SIZE_MAX } from "./mm_struct.ts";
import { vmaAccessPermitted } from "./pkeys.ts";
import type { Vma } from "./vma.ts";
import { VM_ACCESS_FLAGS, VM_GROWSDOWN, VM_WRITE } from "./vm_flags.ts";

/** Read, write or fetch. */
export type UserAccessKind = "r" | "w" | "x";

/** The signal a program gets, as its handler sees it. */
export interface Signal {
  readonly ok: false;
  readonly signal: "SIGSEGV" | "SIGBUS" | "SIGKILL";
  /** `si_code`. */
  readonly code: number;
  /** Vector: 14 = #PF, 13 = #GP. */
  readonly trap: number;
  readonly errorCode: number;
  /** `si_addr`. */
  readonly address: number | bigint;
}

/** What became of an access: the byte read, fetched or written; or a signal. */
export type UserAccessResult = { readonly ok: true; readonly value: number } | Signal;

export const SEGV_MAPERR = 1;
export const SEGV_ACCERR = 2;
export const SEGV_PKUERR = 4;
export const BUS_ADRERR = 2;
export const SI_KERNEL = 0x80;

const ACCESS = { r: ACCESS_READ, w: ACCESS_WRITE, x: ACCESS_FETCH } as const;

/** More faults than any page can need: beyond, the model itself is wrong. */
const MOST_FAULTS = 8;

/**
 * One byte, accessed by the program of `mm` on a processor.
 *
 * @param cpu index of the processor; it switches to `mm` first if it runs something else
 * @param value the byte to write
 * @throws {RangeError} if the address has more than 64 bits or is not exact
 * @cite linux 6.1 arch/x86/mm/fault.c do_user_addr_fault
 *
 * @example
 * ```ts
 * import { MAP_ANONYMOUS, MAP_PRIVATE, mmap, nativeLinux, PROT_READ, userAccess } from "grantlab/linux/mm";
 * const mm = nativeLinux().process();
 * const at = mmap(mm, { length: 4096, prot: PROT_READ, flags: MAP_PRIVATE | MAP_ANONYMOUS });
 * const r = at.ok ? userAccess(mm, 0, at.value, "w", 1) : undefined;
 * if (r === undefined || r.ok || r.signal !== "SIGSEGV" || r.code !== 2 || r.errorCode !== 6) throw new Error();
 * ```
 */
export function userAccess(
  mm: MmStruct,
  cpu: number,
  address: number | bigint,
  kind: UserAccessKind,
  value = 0,
): UserAccessResult {
  const { system } = mm;
  const where = translateForUser(mm, cpu, address, kind);
  if (typeof where !== "number") return where;
  if (kind !== "w") return { ok: true, value: system.mem.read8(where as Maddr) };
  system.mem.write8(where as Maddr, value);
  return { ok: true, value };
}

/** The machine address that an access of the program reaches, after all faults it takes; or the signal. */
export function translateForUser(
  mm: MmStruct,
  cpu: number,
  address: number | bigint,
  kind: UserAccessKind,
): Maddr | Signal {
  const { system } = mm;
  const processor = system.cpus[cpu]!;
  switchTo(mm, cpu);
  processor.cpl = 3;
  processor.pkru = mm.pkru;
  system.trace.add(EV.user_access);
  const [hi, lo] = addressHalves(address);
  const out = new AccessResult();
  for (let faults = 0; faults < MOST_FAULTS; faults++) {
    const outcome = translate(processor, system.mem, hi, lo, ACCESS[kind], out);
    if (outcome === OUTCOME_OK) return maddrOf(system.pv.machineFrame(out.frame, kind === "w"), lo & 0xfff);
    if (outcome === OUTCOME_GENERAL_PROTECTION) {
      return { ok: false, signal: "SIGSEGV", code: SI_KERNEL, trap: 13, errorCode: 0, address: 0 };
    }
    if (outcome !== OUTCOME_PAGE_FAULT) {
      throw new Error("Cannot access memory: a page table has no memory behind it");
    }
    const signal = doUserAddrFault(mm, address, out.errorCode);
    if (signal !== null) return signal;
  }
  throw new Error(`Cannot access ${address}: the same fault ${MOST_FAULTS} times`);
}

/** Makes `mm` the address space of the processor. @cite linux 6.1 arch/x86/mm/tlb.c switch_mm_irqs_off */
export function switchTo(mm: MmStruct, cpu: number): void {
  const { system } = mm;
  const before = system.current[cpu];
  if (before === mm) return;
  before?.activeCpus.delete(cpu);
  system.current[cpu] = mm;
  mm.activeCpus.add(cpu);
  system.pv.switchMm(cpu, mm);
}

/** Serves the fault (null) or answers the signal. @cite linux 6.1 arch/x86/mm/fault.c exc_page_fault */
function doUserAddrFault(mm: MmStruct, address: number | bigint, errorCode: number): Signal | null {
  mm.system.trace.add(EV.fault_entry);
  const at = Number(address);
  if (at >= TASK_SIZE_MAX) {
    // The program must not learn what the kernel has mapped there, so the page always looks present.
    return segv(SEGV_MAPERR, address, errorCode | PF_P);
  }
  mm.mmapLock();
  const vma = findVmaToFault(mm, at);
  if (vma === null) return segv(SEGV_MAPERR, address, errorCode);
  if (accessError(errorCode, vma)) return segv(accessErrorCode(errorCode, vma), address, errorCode);
  const outcome = handleMmFault(vma, at, (errorCode & PF_WR) !== 0);
  if (outcome === "ok") return null;
  if (outcome === "SIGSEGV") return segv(SEGV_MAPERR, address, errorCode);
  const common = { ok: false, trap: 14, errorCode, address } as const;
  if (outcome === "OOM") return { ...common, signal: "SIGKILL", code: SI_KERNEL };
  return { ...common, signal: "SIGBUS", code: BUS_ADRERR };
}

function segv(code: number, address: number | bigint, errorCode: number): Signal {
  return { ok: false, signal: "SIGSEGV", code, trap: 14, errorCode, address };
}

/** The VMA of the address, grown down to it if it may. @cite linux 6.1 mm/memory.c lock_mm_and_find_vma */
function findVmaToFault(mm: MmStruct, address: number): Vma | null {
  const vma = findVma(mm, address);
  if (vma === null || vma.start <= address) return vma;
  if ((vma.flags & VM_GROWSDOWN) === 0) return null;
  return expandDownwards(vma, address) === null ? vma : null;
}

/** True if the VMA forbids what was tried. @cite linux 6.1 arch/x86/mm/fault.c access_error */
function accessError(errorCode: number, vma: Vma): boolean {
  if ((errorCode & PF_PK) !== 0) return true;
  const write = (errorCode & PF_WR) !== 0;
  if (!vmaAccessPermitted(vma, write, (errorCode & PF_ID) !== 0)) return true;
  if (write) return (vma.flags & VM_WRITE) === 0;
  return (errorCode & PF_P) !== 0 || (vma.flags & VM_ACCESS_FLAGS) === 0;
}

/** @cite linux 6.1 arch/x86/mm/fault.c bad_area_access_from_pkeys */
function accessErrorCode(errorCode: number, vma: Vma): number {
  const byKey = (errorCode & PF_PK) !== 0 ||
    !vmaAccessPermitted(vma, (errorCode & PF_WR) !== 0, (errorCode & PF_ID) !== 0);
  return byKey ? SEGV_PKUERR : SEGV_ACCERR;
}
