/**
 * One processor as far as translation goes: control registers, privilege, protection-key registers and its own TLBs.
 * It owns nothing else; memory is handed to `translate` with every access. Loading a register invalidates what the
 * manual says it must, and no more.
 *
 * The instructions here are privileged. Privilege is not checked: who calls them is the modelled kernel or
 * hypervisor, while `cpl` is the privilege level of the accesses that are being translated.
 *
 * Left out: 32-bit paging modes, SMM, memory types of CR3, EFER.LMA transitions. Nested paging: `nested_walk.ts`.
 *
 * @cite sdm 3A 4.10.4.1 operations that invalidate TLBs and paging-structure caches
 * @module
 */

import { Shown, viewOf } from "../core/shown.ts";
import type { View } from "../core/view.ts";
import { cpuView } from "./views/cpu_view.ts";
import { MAX_FRAME, type Mfn } from "../core/frames.ts";
import { wholeNumber } from "../core/misuse.ts";
import { EV } from "../trace/events.ts";
import { Trace } from "../trace/trace.ts";
import { type GeneralProtection, generalProtection } from "./fault.ts";
import { RESERVED_IN_LEAF, reservedHighBits } from "./levels.ts";
import { type MemoryType, memoryTypesOf, PAT_RESET } from "./memory_type.ts";
import {
  CR0_CD,
  CR0_NW,
  CR0_PE,
  CR0_PG,
  CR0_WP,
  CR4_LA57,
  CR4_PAE,
  CR4_PAGING_BITS,
  CR4_PCIDE,
  CR4_PGE,
  CR4_SMEP,
  EFER_LMA,
  EFER_LME,
  EFER_NXE,
} from "./registers.ts";
import { type CachesChoice, cachesOf } from "./tlb_presets.ts";
import { TranslationCaches } from "./translation_caches.ts";

const PAT_TYPES_AT_RESET = memoryTypesOf(PAT_RESET)!;

/** Registers as {@linkcode Cpu.load} takes them; what is left out gets the value a 64-bit kernel runs with. */
export interface Registers {
  readonly cr0?: number;
  /** Frame of the top table. */
  readonly root?: Mfn;
  /** CR3[11:0]: the PCID while CR4.PCIDE = 1. */
  readonly pcid?: number;
  readonly cr4?: number;
  readonly efer?: number;
  readonly cpl?: number;
  readonly ac?: number;
  readonly pkru?: number;
  readonly pkrs?: number;
}

/** What a processor is made of. */
export interface CpuOptions {
  /** Where its events are counted. */
  readonly trace?: Trace;
  /** Bits of a physical address (MAXPHYADDR), 36 … 52. */
  readonly maxPhyAddr?: number;
  /** Whether CPUID offers 1 GiB pages; if not, PS in a PDPTE is a reserved bit. */
  readonly has1GiBPages?: boolean;
  /** TLBs and paging-structure caches: a preset (`TLB_PRESETS`), one TLB for everything, or a geometry in full. */
  readonly tlb?: CachesChoice;
  readonly registers?: Registers;
}

/**
 * A processor. Plain int fields are its state; write CR0, CR3, CR4 and EFER through the methods, the rest directly.
 *
 * @example
 * ```ts
 * import { mfn } from "grantlab/core";
 * import { Cpu } from "grantlab/x86";
 * const cpu = new Cpu();
 * cpu.writeCr3(mfn(0x1f));
 * cpu.cpl = 3;
 * if (cpu.rootFrame !== 0x1f || cpu.trace.count("cr3_write") !== 1) throw new Error();
 * ```
 */
export class Cpu extends Shown {
  readonly trace: Trace;
  /** TLBs and paging-structure caches. */
  readonly tlb: TranslationCaches;
  readonly maxPhyAddr: number;
  /** Low-word bits reserved in a leaf, by level. */
  readonly reservedInLeaf: Int32Array = Int32Array.from(RESERVED_IN_LEAF);
  /** High-word bits reserved in every entry. */
  reservedHi: number = 0;

  cr0: number = 0;
  cr4: number = 0;
  efer: number = 0;
  /** CR3[51:12]. */
  rootFrame: number = 0;
  /** CR3[11:0]. */
  cr3Low: number = 0;
  /** The current PCID: CR3[11:0] while CR4.PCIDE = 1, else 0. */
  pcid: number = 0;
  /** Current privilege level, 0 … 3. */
  cpl: number = 0;
  /** RFLAGS.AC, 0 or 1. */
  ac: number = 0;
  pkru: number = 0;
  /** IA32_PKRS. */
  pkrs: number = 0;
  /** IA32_PAT, decoded: memory types by index. Written by `writePat`. */
  memoryTypes: readonly MemoryType[] = PAT_TYPES_AT_RESET;
  /** CR2 after a #PF, high half. */
  cr2Hi: number = 0;
  /** CR2 after a #PF, low half. */
  cr2Lo: number = 0;

  /** @throws {RangeError} if MAXPHYADDR or the TLB's geometry is not one a processor can have */
  constructor(
    { trace = new Trace(), maxPhyAddr = 46, has1GiBPages = true, tlb, registers }: CpuOptions = {},
  ) {
    super();
    this.trace = trace;
    this.maxPhyAddr = wholeNumber("make a processor of MAXPHYADDR", maxPhyAddr, 36, 52);
    if (!has1GiBPages) this.reservedInLeaf[3]! |= 0x80;
    this.tlb = new TranslationCaches(cachesOf(tlb));
    this.load(registers ?? {});
  }

  /** Sets all registers at once, as after a reset: the TLB is empty, no event is counted, nothing is checked. */
  load(registers: Registers): void {
    this.cr0 = (registers.cr0 ?? CR0_PG | CR0_WP | CR0_PE) | 0;
    this.cr4 = (registers.cr4 ?? CR4_PAE | CR4_PGE) | 0;
    this.efer = (registers.efer ?? EFER_NXE | EFER_LME | EFER_LMA) | 0;
    this.rootFrame = registers.root ?? 0;
    this.cr3Low = registers.pcid ?? 0;
    this.cpl = registers.cpl ?? 0;
    this.ac = registers.ac ?? 0;
    this.pkru = (registers.pkru ?? 0) | 0;
    this.pkrs = (registers.pkrs ?? 0) | 0;
    this.#derive();
    this.tlb.dropAll();
  }

  #derive(): void {
    this.pcid = (this.cr4 & CR4_PCIDE) !== 0 ? this.cr3Low : 0;
    this.reservedHi = reservedHighBits(this.maxPhyAddr, (this.efer & EFER_NXE) !== 0);
  }

  /**
   * MOV to CR3. Without PCIDs every entry goes that is not global; with PCIDs those of `pcid`, the one being loaded,
   * unless `keepEntries` (bit 63) is set: then nothing has to go.
   *
   * @param pcid CR3[11:0]; a PCID only while CR4.PCIDE = 1
   * @returns #GP if the frame is wider than MAXPHYADDR, or bit 63 is set while CR4.PCIDE = 0
   * @throws {RangeError} if `root` is no frame number or `pcid` has more than 12 bits
   */
  writeCr3(root: Mfn, pcid = 0, keepEntries = false): GeneralProtection | undefined {
    wholeNumber("load CR3 with frame", root, 0, MAX_FRAME);
    wholeNumber("load CR3 with PCID", pcid, 0, 0xfff);
    const usesPcids = (this.cr4 & CR4_PCIDE) !== 0;
    if (root >= 2 ** (this.maxPhyAddr - 12)) {
      return generalProtection(`CR3 names a frame beyond the ${this.maxPhyAddr} physical-address bits`);
    }
    if (keepEntries && !usesPcids) return generalProtection("bit 63 of CR3 is reserved while CR4.PCIDE = 0");
    this.trace.add(EV.cr3_write);
    this.rootFrame = root;
    this.cr3Low = pcid;
    this.pcid = usesPcids ? pcid : 0;
    if (!keepEntries) this.tlb.dropPcid(this.pcid);
    return undefined;
  }

  /**
   * MOV to CR4.
   *
   * @returns #GP if PAE is cleared or LA57 changed while paging, or PCIDE set while CR3[11:0] is not 0
   */
  writeCr4(value: number): GeneralProtection | undefined {
    const changed = this.cr4 ^ value;
    if (this.cr0 < 0) {
      if ((value & CR4_PAE) === 0) return generalProtection("CR4.PAE cannot be cleared in IA-32e mode");
      if ((changed & CR4_LA57) !== 0) return generalProtection("CR4.LA57 cannot change while paging is on");
    }
    if ((changed & value & CR4_PCIDE) !== 0 && this.cr3Low !== 0) {
      return generalProtection("CR4.PCIDE cannot be set while CR3[11:0] is not 0");
    }
    if ((changed & CR4_PAGING_BITS) !== 0) this.trace.add(EV.cr4_write);
    const before = this.pcid;
    this.cr4 = value | 0;
    this.#derive();
    if ((changed & CR4_PGE) !== 0 || (changed & ~value & CR4_PCIDE) !== 0) this.flushAll();
    else if ((changed & CR4_PAE) !== 0 || (changed & value & CR4_SMEP) !== 0) this.tlb.dropPcid(before);
    return undefined;
  }

  /**
   * MOV to CR0. A change of WP alone invalidates nothing: permission checks use the current WP.
   *
   * @returns #GP if PG is set without PE, PG cleared while CR4.PCIDE = 1, or NW set without CD
   */
  writeCr0(value: number): GeneralProtection | undefined {
    if ((value & CR0_PG) !== 0 && (value & CR0_PE) === 0) return generalProtection("CR0.PG needs CR0.PE");
    if ((value & CR0_NW) !== 0 && (value & CR0_CD) === 0) return generalProtection("CR0.NW needs CR0.CD");
    const clearsPaging = (this.cr0 & ~value & CR0_PG) !== 0;
    if (clearsPaging && (this.cr4 & CR4_PCIDE) !== 0) {
      return generalProtection("CR0.PG cannot be cleared while CR4.PCIDE = 1");
    }
    this.cr0 = value | 0;
    if (clearsPaging) this.flushAll();
    return undefined;
  }

  /** WRMSR to IA32_EFER. @returns #GP if LME changes while paging is on */
  writeEfer(value: number): GeneralProtection | undefined {
    if (this.cr0 < 0 && ((this.efer ^ value) & EFER_LME) !== 0) {
      return generalProtection("EFER.LME cannot change while paging is on");
    }
    this.efer = value | 0;
    this.#derive();
    return undefined;
  }

  /**
   * WRMSR to IA32_PAT. Invalidates nothing here: cached entries keep the index, not the type.
   *
   * @returns #GP if one of the eight types is reserved
   */
  writePat(value: bigint): GeneralProtection | undefined {
    const types = memoryTypesOf(value);
    if (types === undefined || value >= 1n << 64n) {
      return generalProtection("IA32_PAT names a reserved memory type");
    }
    this.memoryTypes = types;
    return undefined;
  }

  /** INVLPG: the page of this address goes, in the current PCID and where it is global. */
  invlpg(hi: number, lo: number): void {
    this.trace.add(EV.invlpg);
    this.tlb.dropPage(hi, lo, this.pcid);
  }

  /**
   * INVPCID. Types: 0 one address in one PCID, 1 one PCID, 2 everything, 3 everything that is not global.
   *
   * @returns #GP if the type is above 3, the PCID has more than 12 bits or is not 0 while CR4.PCIDE = 0 (types 0 and
   *   1), or the address is not canonical (type 0)
   * @throws {RangeError} if type or PCID is not a whole number from 0
   */
  invpcid(type: number, pcid: number, hi: number, lo: number): GeneralProtection | undefined {
    wholeNumber("execute INVPCID of type", type, 0, Number.MAX_SAFE_INTEGER);
    wholeNumber("execute INVPCID for PCID", pcid, 0, Number.MAX_SAFE_INTEGER);
    if (type > 3) return generalProtection("INVPCID knows the types 0 to 3");
    if (pcid > 0xfff) return generalProtection("INVPCID descriptor bits 63:12 are reserved");
    if (type < 2 && pcid !== 0 && (this.cr4 & CR4_PCIDE) === 0) {
      return generalProtection("INVPCID names a PCID while CR4.PCIDE = 0");
    }
    if (type === 0 && !this.isCanonical(hi)) {
      return generalProtection("INVPCID names an address that is not canonical");
    }
    this.trace.add(EV.invpcid);
    if (type === 0) this.tlb.dropPageKeepingGlobal(hi, lo, pcid);
    else if (type === 1) this.tlb.dropPcid(pcid);
    else if (type === 2) this.flushAll();
    else this.tlb.dropNonGlobal();
    return undefined;
  }

  /** Drops everything cached: global entries and all PCIDs, paging-structure caches too. */
  flushAll(): void {
    this.trace.add(EV.tlb_flush_full);
    this.tlb.dropAll();
  }

  /** True if the address with this high half is canonical for the current width, 48 or 57 bits. */
  isCanonical(hi: number): boolean {
    const top = (this.cr4 & CR4_LA57) !== 0 ? hi >> 24 : hi >> 15;
    return top === 0 || top === -1;
  }

  override [viewOf](): View {
    return cpuView(this);
  }
}
