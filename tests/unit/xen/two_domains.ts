/** A host of dom0, which maps, and a guest, which grants, for the tests of this folder. */

import { assertEquals } from "@std/assert";
import { maddrOf, type Mfn } from "../../../lib/core/frames.ts";
import { Trace } from "../../../lib/trace/trace.ts";
import { PhysMem } from "../../../lib/x86/phys_mem.ts";
import { _PAGE_PRESENT, _PAGE_RW, entryHi, entryLo, flagsOf, frameOf } from "../../../lib/x86/pte.ts";
import * as xen from "../../../lib/xen/mod.ts";

/** Counts what is asked of it. */
export class FakeCpu implements xen.PhysicalCpu {
  flushes = 0;
  readonly dropped: [number, number][] = [];
  flushAll(): void {
    this.flushes++;
  }
  invlpg(hi: number, lo: number): void {
    this.dropped.push([hi, lo]);
  }
}

/** First linear address that the level-1 table of dom0 maps. */
export const LINEAR = 0x200000;
/** First reference that guests may use. */
export const REF = 8;

export interface Host {
  hv: xen.Hypervisor;
  trace: Trace;
  cpus: FakeCpu[];
  dom0: xen.Domain;
  guest: xen.Domain;
  /** Machine address of entry i of dom0's level-1 table. */
  pte(i: number): number;
  /** Packed flags and frame of it. */
  entry(i: number): { frame: number; flags: number };
  /** `GTF_*` flags of a grant entry of the guest. */
  gtf(ref: number): number;
}

export interface HostOptions {
  flavour?: Partial<xen.XenFlavour>;
  cpus?: number;
  dom0?: Partial<xen.DomainOptions>;
}

/** Puts an entry into memory, as a kernel does before Xen looks after its tables. */
export function store(hv: xen.Hypervisor, table: Mfn, index: number, frame: number, flags: number): void {
  hv.mem.write32(maddrOf(table, index * 8), entryLo(frame, flags));
  hv.mem.write32(maddrOf(table, index * 8 + 4), entryHi(frame, flags));
}

export function host(options: HostOptions = {}): Host {
  const trace = new Trace();
  const mem = new PhysMem(4096);
  const cpus = Array.from({ length: options.cpus ?? 1 }, () => new FakeCpu());
  const flavour: xen.XenFlavour = { ...xen.xen4_17, ...options.flavour };
  const hv = new xen.Hypervisor({ mem, trace, flavour, cpus });
  const dom0 = hv.createDomain({
    name: "dom0",
    frames: 64,
    privileged: true,
    mayMapIomem: false,
    ...options.dom0,
  });
  const guest = hv.createDomain({ name: "guest", frames: 600, maxGrantFrames: 2 });
  const [l4, l3, l2, l1] = [dom0.mfnOf(1), dom0.mfnOf(2), dom0.mfnOf(3), dom0.mfnOf(4)];
  const table = _PAGE_PRESENT | _PAGE_RW;
  store(hv, l4, 0, l3, table);
  store(hv, l3, 0, l2, table);
  store(hv, l2, 1, l1, table);
  const booted = xen.mmuextOp(hv, dom0, [
    { cmd: xen.MMUEXT_PIN_L4_TABLE, mfn: l4 },
    { cmd: xen.MMUEXT_NEW_BASEPTR, mfn: l4 },
  ]);
  assertEquals(booted, { rc: 0, done: 2 });
  return {
    hv,
    trace,
    cpus,
    dom0,
    guest,
    pte: (i) => maddrOf(l1, i * 8),
    entry: (i) => {
      const [lo, hi] = [mem.read32(maddrOf(l1, i * 8)), mem.read32(maddrOf(l1, i * 8 + 4))];
      return { frame: frameOf(lo, hi), flags: flagsOf(lo, hi) };
    },
    gtf: (ref) => xen.readGrantEntry(guest, ref).flags,
  };
}

/** The guest grants `n` frames from pfn 0 on under the references from `REF` on. */
export function grant(h: Host, n: number, access: { readonly?: boolean; domid?: number } = {}): void {
  for (let i = 0; i < n; i++) {
    xen.grantAccess(h.guest, REF + i, {
      domid: access.domid ?? h.dom0.domid,
      frame: h.guest.mfnOf(i),
      readonly: access.readonly ?? false,
    });
  }
}

/** A user mapping as gntdev asks for it: entry i, special. */
export const USER_PTE = xen.GNTMAP_host_map | xen.GNTMAP_application_map | xen.GNTMAP_contains_pte |
  1 << xen._GNTMAP_guest_avail0;

export function mapOp(h: Host, change: Partial<xen.GnttabMapGrantRef> = {}): xen.GnttabMapGrantRef {
  return {
    host_addr: h.pte(0),
    flags: USER_PTE,
    ref: REF,
    dom: h.guest.domid,
    status: 77,
    handle: 77,
    dev_bus_addr: 77,
    ...change,
  };
}

export function map(h: Host, change: Partial<xen.GnttabMapGrantRef> = {}): xen.GnttabMapGrantRef {
  const op = mapOp(h, change);
  assertEquals(xen.grantTableOp(h.hv, h.dom0, xen.GNTTABOP_map_grant_ref, [op]), 0);
  return op;
}

export function unmap(h: Host, change: Partial<xen.GnttabUnmapGrantRef>): xen.GnttabUnmapGrantRef {
  const op = { host_addr: 0, dev_bus_addr: 0, handle: 0, status: 77, ...change };
  assertEquals(xen.grantTableOp(h.hv, h.dom0, xen.GNTTABOP_unmap_grant_ref, [op]), 0);
  return op;
}

export function assertInOrder(h: Host, options: xen.ValidateOptions = {}): void {
  assertEquals(xen.validateXen(h.hv, options), []);
}
