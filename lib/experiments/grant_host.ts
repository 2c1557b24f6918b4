/**
 * The host that counting experiments run on: Xen, dom0 (PV or PVH) of the chosen kernel on some CPUs, a guest with
 * grants, and one process of dom0 with gntdev open. Smaller than `world.ts`: nothing is judged, everything is counted.
 *
 * All CPUs have run dom0, so each may hold translations of it and a flush has all of them as targets.
 *
 * @module
 */

import { type Mfn, mfn, splitVaddr, vaddr } from "../core/frames.ts";
import { PAGE_SIZE } from "../core/geometry.ts";
import type { SysResult } from "../core/errno.ts";
import { gntdevIoctlMapGrantRef } from "../drivers/gntdev/map_grant_ref.ts";
import { type GntdevFile, gntdevOpen } from "../drivers/gntdev/open.ts";
import { gntdevIoctlUnmapGrantRef } from "../drivers/gntdev/unmap_grant_ref.ts";
import { bootXenLinux, kernelFlavour } from "../linux/kernel.ts";
import { mmap } from "../linux/mm/mmap.ts";
import { MmStruct } from "../linux/mm/mm_struct.ts";
import { munmap } from "../linux/mm/munmap.ts";
import { allocSlot } from "../linux/mm/pgtable.ts";
import { MAP_ANONYMOUS, MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE } from "../linux/mm/prot.ts";
import { switchTo, userAccess } from "../linux/mm/user_access.ts";
import type { UnmapBatch } from "../linux/xen/foreign/kernel_half.ts";
import { gnttabMapRefs, gnttabUnmapRefs } from "../linux/xen/gnttab.ts";
import { type GuestKind, pvGuest } from "../linux/xen/guest_kind.ts";
import { pvhGuest } from "../linux/xen/pvh.ts";
import type { XenLinux } from "../linux/xen/xen_linux.ts";
import { type EventCounts, Trace } from "../trace/trace.ts";
import { ACCESS_WRITE, AccessResult, OUTCOME_OK } from "../x86/access.ts";
import { Cpu } from "../x86/cpu.ts";
import { translate } from "../x86/mmu.ts";
import { PhysMem } from "../x86/phys_mem.ts";
import { DOMID_SELF, GNTMAP_host_map, GNTTABOP_setup_table } from "../xen/abi.ts";
import type { Domain } from "../xen/domain.ts";
import type { XenFlavour } from "../xen/flavours.ts";
import { xen4_17 } from "../xen/flavours.ts";
import { grantAccess } from "../xen/grant_access.ts";
import { grantTableOp } from "../xen/hypercall.ts";
import { Hypervisor } from "../xen/hypervisor.ts";
import { GNTST_okay } from "../xen/status.ts";

/** The two kinds of dom0 by name. */
export const GUEST_KINDS: Readonly<Record<string, GuestKind>> = Object.freeze({ pv: pvGuest, pvh: pvhGuest });

/** How {@linkcode GrantHost} is made. */
export interface GrantHostOptions {
  /** Linux in dom0; default `linux6_1`. */
  readonly kernel?: string;
  readonly xen?: XenFlavour;
  /** `pv` or `pvh`. */
  readonly guest?: string;
  /** Physical CPUs, all of which have run dom0. */
  readonly cpus?: number;
  /** Grants that the guest publishes. */
  readonly grants?: number;
}

const RW = PROT_READ | PROT_WRITE;
const FIRST_REF = 8; // 0 … 7 are reserved

/** A host, and short forms of what experiments do on it. A call that fails is a mistake of the experiment and throws. */
export class GrantHost {
  readonly trace: Trace = new Trace();
  readonly hv: Hypervisor;
  readonly dom0: Domain;
  readonly guest: Domain;
  readonly kernel: XenLinux;
  readonly mm: MmStruct;
  readonly gntdev: GntdevFile;
  /** Machine frame of each grant. */
  readonly frames: readonly Mfn[];

  constructor(
    { kernel = "linux6_1", xen = xen4_17, guest = "pv", cpus = 1, grants = 0 }: GrantHostOptions = {},
  ) {
    const dom0Frames = 2048 + 2 * grants;
    const dom0At = 0x1000;
    const guestAt = dom0At + dom0Frames + 0x1000;
    const mem = new PhysMem(guestAt + grants + 0x2000);
    const processors = Array.from({ length: cpus }, () => new Cpu({ trace: this.trace }));
    this.hv = new Hypervisor({ mem, trace: this.trace, flavour: xen, cpus: processors });
    // Memory of a translated dom0 lies 1:1, but for its frame 0, which is the hypervisor's.
    const wish = guest === "pv" ? { kind: "pv", frames: { first: dom0At, count: dom0Frames } } as const : {
      kind: "pvh",
      frames: Array.from({ length: dom0Frames }, (_, i) => i === 0 ? dom0Frames : i),
    } as const;
    this.dom0 = this.hv.createDomain({ name: "dom0", privileged: true, vcpus: cpus, ...wish });
    this.guest = this.hv.createDomain({ name: "guest", frames: { first: guestAt, count: grants + 16 } });
    this.kernel = bootXenLinux({
      hv: this.hv,
      domain: this.dom0,
      cpus: processors,
      flavour: kernelFlavour(kernel),
      nrBallooned: 2 * grants + 256,
      guest: GUEST_KINDS[guest]!,
    });
    for (let cpu = 0; cpu < cpus; cpu++) this.dom0.dirtyCpus.add(cpu);
    this.mm = this.process();
    this.gntdev = gntdevOpen(this.kernel);
    this.frames = this.#publish(grants);
  }

  /** A further process of dom0. */
  process(): MmStruct {
    const mm = new MmStruct(this.kernel.system);
    switchTo(mm, 0);
    return mm;
  }

  /** What `body` makes happen. */
  count(body: () => void): EventCounts {
    const mark = this.trace.mark();
    body();
    return this.trace.since(mark);
  }

  /** Grants `[first, first + count)` as gntdev's callers name them. */
  grants(first: number, count: number): { readonly domid: number; readonly ref: number }[] {
    return Array.from({ length: count }, (_, i) => ({ domid: this.guest.domid, ref: FIRST_REF + first + i }));
  }

  /** Maps grants through gntdev: the ioctl, then mmap; answers the address. */
  mapGrants(first: number, count: number): number {
    const offset = must(gntdevIoctlMapGrantRef(this.gntdev.priv, this.grants(first, count)));
    const { file } = this.gntdev;
    return must(mmap(this.mm, { length: count * PAGE_SIZE, prot: RW, flags: MAP_SHARED, file, offset }));
  }

  /** Takes the map of so many grants off the device again and unmaps it. */
  unmapGrants(address: number, count: number): void {
    const map = this.gntdev.priv.maps.find(({ start }) => start === address);
    must(munmap(this.mm, address, count * PAGE_SIZE));
    if (map !== undefined) must(gntdevIoctlUnmapGrantRef(this.gntdev.priv, map.index * PAGE_SIZE, count));
  }

  /** Maps grants at kernel addresses only, in one call, as block back ends do. @cite linux 6.1 drivers/block/xen-blkback/blkback.c xen_blkbk_map */
  mapForKernel(first: number, count: number): UnmapBatch {
    const { kernel } = this;
    const pages = kernel.frameSource.alloc(count);
    if (pages === null) throw new Error(`there are no ${count} pages for grants`);
    const mapOps = this.grants(first, count).map(({ domid, ref }, i) => {
      const host_addr = kernel.guest.hostAddress(kernel, pages[i]!);
      if (!kernel.guest.autoTranslated) allocSlot(kernel.initMm, host_addr);
      return { host_addr, flags: GNTMAP_host_map, ref, dom: domid, status: 1, handle: 0, dev_bus_addr: 0 };
    });
    gnttabMapRefs(kernel, { mapOps, kmapOps: [], pages });
    const bad = mapOps.find(({ status }) => status !== GNTST_okay);
    if (bad !== undefined) throw new Error(`Xen answers ${bad.status}`);
    const unmapOps = mapOps.map(({ host_addr, handle }) => ({
      host_addr,
      handle,
      dev_bus_addr: 0,
      status: 1,
    }));
    return { unmapOps, kunmapOps: [], pages };
  }

  /** Unmaps them in one call. @cite linux 6.1 drivers/xen/grant-table.c gnttab_unmap_refs */
  unmapForKernel(batch: UnmapBatch): void {
    gnttabUnmapRefs(this.kernel, batch);
    this.kernel.frameSource.free(batch.pages);
  }

  /** The kernel stores to each of those pages through its own tables. */
  touchInKernel({ pages }: UnmapBatch): void {
    const { kernel, hv } = this;
    const { initMm, system } = kernel;
    const cpu = system.cpus[0]!;
    switchTo(initMm, 0);
    cpu.cpl = 0;
    const out = new AccessResult();
    for (const page of pages) {
      const outcome = translate(
        cpu,
        hv.mem,
        ...splitVaddr(vaddr(kernel.kernelAddress(page))),
        ACCESS_WRITE,
        out,
      );
      if (outcome !== OUTCOME_OK) throw new Error(`the kernel faults at page ${page}`);
    }
    switchTo(this.mm, 0);
  }

  /** Own memory of the process, written to once. */
  ownPages(count: number): number {
    const flags = MAP_PRIVATE | MAP_ANONYMOUS;
    const address = must(mmap(this.mm, { length: count * PAGE_SIZE, prot: RW, flags }));
    this.touch(address, count);
    return address;
  }

  /** The program writes one byte of each page. */
  touch(address: number, count: number): void {
    for (let i = 0; i < count; i++) {
      const done = userAccess(this.mm, 0, address + i * PAGE_SIZE, "w", 1);
      if (!done.ok) throw new Error(`the program gets ${done.signal} at page ${i}`);
    }
  }

  /** The guest's kernel is not modelled: it grows its table and writes the entries itself. */
  #publish(count: number): Mfn[] {
    const { grantTable } = this.guest;
    if (FIRST_REF + count > grantTable.nrEntries) {
      const nr_frames = Math.ceil((FIRST_REF + count) / 512);
      const op = { dom: DOMID_SELF, nr_frames, status: 0, frame_list: [] };
      grantTableOp(this.hv, this.guest, GNTTABOP_setup_table, [op]);
    }
    return Array.from({ length: count }, (_, i) => {
      const frame = mfn(this.guest.mfnOf(i));
      grantAccess(this.guest, FIRST_REF + i, { domid: this.dom0.domid, frame, readonly: false });
      return frame;
    });
  }
}

/** The value of a call that must succeed here. */
export function must<T>(result: SysResult<T>): T {
  if (result.ok) return result.value;
  throw new Error(`the modelled kernel answers ${result.errno}`);
}
