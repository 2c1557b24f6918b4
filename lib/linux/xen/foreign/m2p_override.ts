/**
 * `linux3_19`: one global hash from foreign frame to page, consulted whenever the plain M2P answer is not consistent.
 * Entries need not be special: the override makes them look like local ones to every path.
 *
 * ```text
 *            ┌ bucket: hash_long(mfn, 10), one irq-safe lock for all 1024 ┐
 * mfn 0x2003 │ page 0x101 (private = 0x2003) → page 0x140 (private = …)  │ first match wins: one mfn, one page
 *            └────────────────────────────────────────────────────────────┘
 * ```
 *
 * The kernel's half is mapped and unmapped one page at a time: a map of one operation, and an unmap that puts a
 * scratch page in place, each an entry of a multicall.
 *
 * Left out: pages that keep a frame of their own (`page->index`); pages for grants are always ballooned ones here.
 *
 * @cite linux 3.15 arch/x86/xen/p2m.c m2p_add_override
 * @module
 */

import { mm2014 } from "../../mm/flavour_2014.ts";
import type { KernelFlavour } from "../kernel_flavour.ts";
import type { Mfn } from "../../../core/frames.ts";
import { EV } from "../../../trace/events.ts";
import {
  type GnttabMapGrantRef,
  GNTTABOP_map_grant_ref,
  GNTTABOP_unmap_and_replace,
  type GnttabUnmapGrantRef,
} from "../../../xen/abi.ts";
import type { MulticallEntry } from "../../../xen/hypercall.ts";
import { GNTST_okay } from "../../../xen/status.ts";
import { noForeignPages } from "../../mm/foreign_none.ts";
import { allocSlot } from "../../mm/pgtable.ts";
import { HYPERVISOR_multicall } from "../hypercalls.ts";
import { MC_BATCH } from "../multicalls.ts";
import { INVALID_P2M_ENTRY, P2M_FOREIGN, P2M_LOCAL } from "../p2m.ts";
import { PAGE_KERNEL_RO } from "../pv_tables.ts";
import type { XenLinux } from "../xen_linux.ts";
import type { MapBatch, UnmapBatch } from "./kernel_half.ts";
import type { SchemeMaker } from "./scheme.ts";

/** Buckets. @cite linux 3.15 arch/x86/xen/p2m.c M2P_OVERRIDE_HASH */
export const M2P_OVERRIDE_HASH = 1024;

/** A bucket is a list head: two pointers. */
const LIST_HEAD_BYTES = 16;

/** `hash_long(mfn, 10)`: the top ten bits of a product. @cite linux 3.15 include/linux/hash.h hash_64 */
function mfnHash(mfn: number): number {
  return Number(BigInt.asUintN(64, BigInt(mfn) * 0x9e37fffffffc0001n) >> 54n);
}

/** The table of one kernel. */
class M2pOverride {
  /** Page numbers, newest first: `list_add` adds at the head. */
  readonly #buckets: number[][] = Array.from({ length: M2P_OVERRIDE_HASH }, () => []);
  #scratch = -1;

  constructor(readonly kernel: XenLinux) {}

  /** The newest page mapped for `mfn`, or -1. @cite linux 3.15 arch/x86/xen/p2m.c m2p_find_override */
  find(mfn: number): number {
    const { system, hv } = this.kernel;
    hv.trace.add(EV.override_lock);
    for (const page of this.#buckets[mfnHash(mfn)]!) {
      hv.trace.add(EV.override_probe);
      if (system.memMap.private[page] === mfn) return page;
    }
    return -1;
  }

  /** Inserts, and hides a local page of the same frame (the loopback case). @cite linux 3.15 arch/x86/xen/p2m.c m2p_add_override */
  add(mfn: number, page: number): void {
    const { hv, p2m, system } = this.kernel;
    system.memMap.private[page] = mfn;
    hv.trace.add(EV.override_lock);
    this.#buckets[mfnHash(mfn)]!.unshift(page);
    const local = this.#m2p(mfn);
    if (local >= 0 && p2m.isLocal(local, mfn)) p2m.set(local, mfn, P2M_FOREIGN);
  }

  /** Deletes, and shows the local page again if this was the last. @cite linux 3.15 arch/x86/xen/p2m.c m2p_remove_override */
  remove(page: number): void {
    const { hv, p2m, system } = this.kernel;
    const mfn = system.memMap.private[page]!;
    hv.trace.add(EV.override_lock);
    const bucket = this.#buckets[mfnHash(mfn)]!;
    const i = bucket.indexOf(page);
    if (i >= 0) bucket.splice(i, 1);
    const local = this.#m2p(mfn);
    if (
      local >= 0 && p2m.markOf(local) === P2M_FOREIGN && p2m.pfnToMfn(local) === mfn && this.find(mfn) < 0
    ) {
      p2m.set(local, mfn, P2M_LOCAL);
    }
  }

  /** A page of this kernel whose mapping is lent out on unmap. @cite linux 3.15 drivers/xen/balloon.c balloon_scratch_page */
  get scratchPage(): number {
    if (this.#scratch < 0) {
      const { system, initMm } = this.kernel;
      this.#scratch = system.memMap.allocPage();
      const slot = allocSlot(initMm, this.kernel.kernelAddress(this.#scratch));
      system.pv.setPte(slot, this.#scratch, PAGE_KERNEL_RO);
    }
    return this.#scratch;
  }

  #m2p(mfn: number): number {
    this.kernel.hv.trace.add(EV.m2p_read);
    return this.kernel.hv.m2p.get(mfn as Mfn);
  }
}

/** Linux 2.6.38 to 3.19. */
export const m2pOverride: SchemeMaker = (kernel) => {
  const table = new M2pOverride(kernel);
  return {
    name: "m2p_override",
    fixedBytes: M2P_OVERRIDE_HASH * LIST_HEAD_BYTES,
    userMapFlags: 0,
    mm: noForeignPages,
    vmOps: {},
    overridePfn: (mfn) => table.find(mfn),
    attachVma() {},
    kernelHalf: {
      marksPages: false,
      set: (_kernel, batch) => mapOneByOne(table, batch),
      clear: (_kernel, batch) => unmapOneByOne(table, batch),
    },
  };
};

function mapOneByOne(table: M2pOverride, { mapOps, kmapOps, pages }: MapBatch): void {
  const { kernel } = table;
  const calls: MulticallEntry[] = [];
  mapOps.forEach((op, i) => {
    if (op.status !== GNTST_okay) return;
    const mfn = Math.floor(op.dev_bus_addr / 4096);
    kernel.p2m.set(pages[i]!, mfn, P2M_FOREIGN);
    if (kmapOps.length > 0) calls.push(mapCall(kmapOps[i]!));
    table.add(mfn, pages[i]!);
  });
  flush(kernel, calls);
}

function unmapOneByOne(table: M2pOverride, { kunmapOps, pages }: UnmapBatch): void {
  const { kernel } = table;
  const calls: MulticallEntry[] = [];
  pages.forEach((page, i) => {
    kernel.p2m.set(page, INVALID_P2M_ENTRY);
    table.remove(page);
    if (kunmapOps.length > 0) calls.push(...replaceCalls(table, kunmapOps[i]!));
  });
  flush(kernel, calls);
}

function mapCall(op: GnttabMapGrantRef): MulticallEntry {
  return { op: "grant_table_op", cmd: GNTTABOP_map_grant_ref, ops: [op] };
}

/** The scratch page's entry moves to the address of the grant, then the scratch address gets its entry back. */
function replaceCalls(table: M2pOverride, op: GnttabUnmapGrantRef): MulticallEntry[] {
  const { kernel, scratchPage } = table;
  const scratch = kernel.kernelAddress(scratchPage);
  const replace = { host_addr: op.host_addr, new_addr: scratch, handle: op.handle, status: 0 };
  return [
    { op: "grant_table_op", cmd: GNTTABOP_unmap_and_replace, ops: [replace] },
    {
      op: "update_va_mapping",
      va: scratch,
      frame: kernel.p2m.pfnToMfn(scratchPage),
      flags: PAGE_KERNEL_RO,
      uvmf: 0,
    },
  ];
}

function flush(kernel: XenLinux, calls: readonly MulticallEntry[]): void {
  for (let i = 0; i < calls.length; i += MC_BATCH) HYPERVISOR_multicall(kernel, calls.slice(i, i + MC_BATCH));
}

/** Linux 3.19. */
export const linux3_19: KernelFlavour = Object.freeze({
  title: "Linux 3.19: m2p_override hash",
  mm: mm2014,
  scheme: m2pOverride,
  cite: "linux 3.19 arch/x86/xen/p2m.c m2p_find_override_pfn",
});
