/**
 * Hypercalls that wait to be made together: a list of calls with room for their arguments. In lazy MMU mode the list
 * is kept until the mode ends or the list is full; otherwise each piece of work ends with a flush.
 *
 * ```text
 * entries  │ mmu_update ×31 │ mmuext_op ×1 │ update_va_mapping │ …            32 at most
 * args     │ 31 × 16 bytes  │ 24 bytes     │ none              │ …            512 bytes
 * ```
 *
 * A list of one is made as the call itself. Xen runs every entry whatever the others answer; a list inside an entry
 * stops at its first error.
 *
 * Left out: callbacks after the flush; the CPU's own lazy mode.
 *
 * @cite linux 6.1 arch/x86/xen/multicalls.c xen_mc_flush
 * @module
 */

import { EV } from "../../trace/events.ts";
import type { MmuextOp, MmuUpdate } from "../../xen/abi.ts";
import { mmuextOp, mmuUpdate, multicall, type MulticallEntry, updateVaMapping } from "../../xen/hypercall.ts";
import type { ListResult } from "../../xen/mmu/mmu_update.ts";
import type { MmSystem } from "../mm/mm_system.ts";
import type { XenLinux } from "./xen_linux.ts";

/** Calls that a list holds. @cite linux 6.1 arch/x86/xen/multicalls.c MC_BATCH */
export const MC_BATCH = 32;

/** Bytes of arguments that a list holds. @cite linux 6.1 arch/x86/xen/multicalls.c MC_ARGS */
export const MC_ARGS = 512;

/** Bytes of a `struct mmu_update`. @cite xen 4.17 xen/include/public/xen.h mmu_update */
const SIZEOF_MMU_UPDATE = 16;

/** Bytes of a `struct mmuext_op`. @cite xen 4.17 xen/include/public/xen.h mmuext_op */
const SIZEOF_MMUEXT_OP = 24;

/** A call that Linux puts into a list. */
type Call =
  | { readonly op: "mmu_update"; readonly updates: MmuUpdate[] }
  | { readonly op: "mmuext_op"; readonly ops: MmuextOp[] }
  | Extract<MulticallEntry, { op: "update_va_mapping" }>;

/** The list of one CPU. */
export class Multicalls {
  readonly #kernel: XenLinux;
  readonly #system: MmSystem;
  #calls: Call[] = [];
  #argBytes = 0;
  #lazyDepth = 0;
  #failed = 0;

  constructor(kernel: XenLinux, system: MmSystem) {
    this.#kernel = kernel;
    this.#system = system;
  }

  /** True between {@linkcode enterLazy} and {@linkcode leaveLazy}. */
  get isLazy(): boolean {
    return this.#lazyDepth > 0;
  }

  /** Calls that wait. */
  get nrWaiting(): number {
    return this.#calls.length;
  }

  /** @cite linux 6.1 arch/x86/kernel/paravirt.c paravirt_enter_lazy_mmu */
  enterLazy(): void {
    this.#lazyDepth++;
  }

  /** Ends the mode and makes what waits. @cite linux 6.1 arch/x86/xen/mmu_pv.c xen_leave_lazy_mmu */
  leaveLazy(): void {
    this.#lazyDepth--;
    this.flush();
  }

  /** One more update, in the last entry if that is of updates and has room. @cite linux 6.1 arch/x86/xen/mmu_pv.c xen_extend_mmu_update */
  extendMmuUpdate(update: MmuUpdate): void {
    const last = this.#calls.at(-1);
    if (last?.op === "mmu_update" && this.#hasRoomFor(SIZEOF_MMU_UPDATE)) {
      last.updates.push(update);
      this.#argBytes += SIZEOF_MMU_UPDATE;
    } else this.#add({ op: "mmu_update", updates: [update] }, SIZEOF_MMU_UPDATE);
  }

  /** Likewise. @cite linux 6.1 arch/x86/xen/mmu_pv.c xen_extend_mmuext_op */
  extendMmuextOp(op: MmuextOp): void {
    const last = this.#calls.at(-1);
    if (last?.op === "mmuext_op" && this.#hasRoomFor(SIZEOF_MMUEXT_OP)) {
      last.ops.push(op);
      this.#argBytes += SIZEOF_MMUEXT_OP;
    } else this.#add({ op: "mmuext_op", ops: [op] }, SIZEOF_MMUEXT_OP);
  }

  /** An entry of its own, even after another of its kind. */
  addMmuextOp(op: MmuextOp): void {
    this.#add({ op: "mmuext_op", ops: [op] }, SIZEOF_MMUEXT_OP);
  }

  /** The entry of one linear address, without a flush. */
  addUpdateVaMapping(va: number, frame: number, flags: number): void {
    this.#add({ op: "update_va_mapping", va, frame, flags, uvmf: 0 }, 0);
  }

  /** A piece of work ends: its calls are made, unless the mode lets them wait. @cite linux 6.1 arch/x86/xen/multicalls.h xen_mc_issue */
  issue(): void {
    if (!this.isLazy) this.flush();
  }

  /**
   * Makes all calls that wait.
   *
   * @returns calls that failed since the last time this was asked, full lists in between included
   */
  flush(): number {
    this.#make();
    const failed = this.#failed;
    this.#failed = 0;
    return failed;
  }

  #hasRoomFor(bytes: number): boolean {
    return this.#argBytes + bytes < MC_ARGS;
  }

  /** @cite linux 6.1 arch/x86/xen/multicalls.c __xen_mc_entry */
  #add(call: Call, bytes: number): void {
    if (this.#calls.length === MC_BATCH || !this.#hasRoomFor(bytes)) this.#make();
    this.#calls.push(call);
    this.#argBytes += bytes;
  }

  #make(): void {
    const calls = this.#calls;
    this.#calls = [];
    this.#argBytes = 0;
    if (calls.length === 0) return;
    const { hv, domain } = this.#kernel;
    const results = calls.length === 1 ? [this.#single(calls[0]!)] : multicall(hv, domain, calls);
    results.forEach(({ rc }, i) => {
      if (rc >= 0) return;
      this.#failed++;
      this.#system.printk("warning", "xen_mc_flush", `${calls[i]!.op} fails: ${rc}`);
    });
  }

  #single(call: Call): ListResult {
    const { hv, domain } = this.#kernel;
    hv.trace.add(EV.single_call);
    switch (call.op) {
      case "mmu_update":
        return mmuUpdate(hv, domain, call.updates);
      case "mmuext_op":
        return mmuextOp(hv, domain, call.ops);
      case "update_va_mapping":
        return { rc: updateVaMapping(hv, domain, call.va, call.frame, call.flags, call.uvmf), done: 0 };
    }
  }
}
