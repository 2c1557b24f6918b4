/**
 * The machines that costs were recorded on, as hosts for the benches: Linux alone, Linux as PV and as PVH dom0.
 *
 * @module
 */

import type { CostCounts, OperationKind } from "../../cost/operations.ts";
import type { Mfn } from "../../core/frames.ts";
import { GntallocState } from "../../drivers/gntalloc/grefs.ts";
import { GNTALLOC_FLAG_WRITABLE, gntallocIoctlAlloc } from "../../drivers/gntalloc/alloc_gref.ts";
import { gntallocOpen } from "../../drivers/gntalloc/open.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { bootXenLinux, kernelFlavour } from "../../linux/kernel.ts";
import { noForeignPages } from "../../linux/mm/foreign_none.ts";
import { mmap } from "../../linux/mm/mmap.ts";
import { MmStruct } from "../../linux/mm/mm_struct.ts";
import type { MmSystem } from "../../linux/mm/mm_system.ts";
import { nativeLinux } from "../../linux/mm/native.ts";
import { MAP_ANONYMOUS, MAP_FIXED, MAP_PRIVATE, PROT_READ, PROT_WRITE } from "../../linux/mm/prot.ts";
import { switchTo, userAccess } from "../../linux/mm/user_access.ts";
import { pvGuest } from "../../linux/xen/guest_kind.ts";
import { pvhGuest } from "../../linux/xen/pvh.ts";
import type { XenLinux } from "../../linux/xen/xen_linux.ts";
import { EV } from "../../trace/events.ts";
import { Trace } from "../../trace/trace.ts";
import { Cpu } from "../../x86/cpu.ts";
import { PhysMem } from "../../x86/phys_mem.ts";
import { GNTTABOP_setup_table } from "../../xen/abi.ts";
import { xenFlavour } from "../../xen/flavours.ts";
import { grantAccess } from "../../xen/grant_access.ts";
import { grantTableOp } from "../../xen/hypercall.ts";
import { Hypervisor } from "../../xen/hypervisor.ts";

/** The machines, as recordings call them. */
export const BENCH_MACHINES = ["linux", "xenpv", "xenpvh"] as const;

/** Name of a machine. */
export type BenchMachine = typeof BENCH_MACHINES[number];

/** Who grants: nobody, dom0 itself, another domain. */
export type BenchMode = "generic" | "self" | "foreign";

/** Do the lower page tables at the window exist before the operation? */
export type BenchTables = "cold" | "warm";

/** Which host, set up how. */
export interface BenchSetting {
  readonly machine: BenchMachine;
  readonly mode: BenchMode;
  readonly tables: BenchTables;
  /** Processors; default 1. With two, a thread of the process runs on the second all the time. */
  readonly cpus?: 1 | 2;
  /** Kernel flavour; default `linux6_1`. */
  readonly kernel?: string;
  /** Hypervisor flavour; default `xen4_17`. */
  readonly xen?: string;
}

/** Where benches map: P of their descriptions. */
export const P = 0x1200_0000_0000;
/** Where a mapping is moved to. */
export const P_MOVED = P + 2 ** 30;
/** The 256-page buffer, and what is copied to. */
export const BUF = 0x1300_0000_0000;
export const DST = 0x1301_0000_0000;
/** Pages of each. */
export const BUF_PAGES = 256;

const DOM0_FRAMES = 8192;
const BALLOONED = 2048;
const FREE_FRAMES_FROM = 0x8000;
const GRANTER_FRAMES = 600;
const FIRST_REF = 16;

/** References that can be mapped: who granted them, and which. */
export interface BenchGrants {
  readonly domid: number;
  readonly refs: readonly number[];
}

/** A host in the state that benches begin in. */
export class BenchHost {
  readonly system: MmSystem;
  readonly trace: Trace;
  /** Null on Linux alone. */
  readonly kernel: XenLinux | null;
  readonly mm: MmStruct;
  readonly gntalloc: GntallocState | null;
  #grants: BenchGrants | null = null;
  #operations: CostCounts = {};

  constructor(readonly setting: BenchSetting) {
    const { machine } = setting;
    if (machine === "linux") {
      const flavour = { ...kernelFlavour(setting.kernel ?? "linux6_1").mm, foreign: noForeignPages };
      const linux = nativeLinux({ nrCpus: setting.cpus ?? 1, flavour });
      this.system = linux.system;
      this.kernel = null;
      this.mm = linux.process();
    } else {
      this.kernel = dom0(machine, setting);
      this.system = this.kernel.system;
      this.mm = new MmStruct(this.system);
    }
    this.trace = this.system.trace;
    this.gntalloc = this.kernel === null ? null : new GntallocState(this.kernel);
    this.touch(BUF, 1);
    this.keepTables();
    if (setting.cpus === 2) this.#startThread();
  }

  /** Another thread of the process comes to run on the second processor. */
  #startThread(): void {
    const domain = this.kernel?.domain;
    if (domain !== undefined) domain.currentVcpu = 1;
    switchTo(this.mm, 1);
    if (domain !== undefined) domain.currentVcpu = 0;
  }

  /** Counts operations that the model does not. */
  op(kind: OperationKind, times = 1): void {
    this.#operations[kind] = (this.#operations[kind] ?? 0) + times;
  }

  /** Enters the kernel for calls that the model's drivers leave to their caller to count. */
  syscall(times = 1): void {
    this.trace.add(EV.syscall, times);
  }

  /** What `body` does, as counts. */
  counts(body: () => void): CostCounts {
    this.#operations = {};
    const mark = this.trace.mark();
    body();
    return { ...this.trace.since(mark), ...this.#operations };
  }

  /** Anonymous private memory. */
  mapAnon(address: number, nrPages: number): void {
    done(mmap(this.mm, {
      address,
      length: nrPages * PAGE_SIZE,
      prot: PROT_READ | PROT_WRITE,
      flags: MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
    }));
  }

  /** One byte of each page, written or read by the program. */
  access(address: number, nrPages: number, kind: "r" | "w"): void {
    for (let i = 0; i < nrPages; i++) {
      const result = userAccess(this.mm, 0, address + i * PAGE_SIZE, kind, 1);
      if (!result.ok) throw new RangeError(`Cannot access page ${i} of a bench: ${result.signal}`);
    }
  }

  /** Anonymous memory with every page written. */
  touch(address: number, nrPages: number): void {
    this.mapAnon(address, nrPages);
    this.access(address, nrPages, "w");
  }

  /** The 256 grants of the mode. */
  get grants(): BenchGrants {
    return this.#grants ??= this.setting.mode === "self" ? grantSelf(this) : grantForeign(this);
  }

  /** In state `warm` a neighbour page of each window keeps its tables. */
  keepTables(): void {
    if (this.setting.tables === "cold") return;
    for (const window of [P, P_MOVED]) this.touch(window + 511 * PAGE_SIZE, 1);
  }
}

function dom0(machine: "xenpv" | "xenpvh", setting: BenchSetting): XenLinux {
  const trace = new Trace();
  const mem = new PhysMem(FREE_FRAMES_FROM + 4096);
  const nrCpus = setting.cpus ?? 1;
  const cpus = Array.from({ length: nrCpus }, () => new Cpu({ trace }));
  const hv = new Hypervisor({ mem, trace, flavour: xenFlavour(setting.xen ?? "xen4_17"), cpus });
  // Memory of a translated dom0 lies 1:1, but for its frame 0, which is the hypervisor's.
  const frames = machine === "xenpv"
    ? { first: 0x1000, count: DOM0_FRAMES }
    : Array.from({ length: DOM0_FRAMES }, (_, i) => i === 0 ? DOM0_FRAMES : i);
  const kind = machine === "xenpv" ? "pv" : "pvh";
  const domain = hv.createDomain({ name: "dom0", kind, frames, privileged: true, vcpus: nrCpus });
  const flavour = kernelFlavour(setting.kernel ?? "linux6_1");
  const guest = machine === "xenpv" ? pvGuest : pvhGuest;
  return bootXenLinux({ hv, domain, cpus, flavour, nrBallooned: BALLOONED, guest });
}

function grantSelf(host: BenchHost): BenchGrants {
  const { priv } = gntallocOpen(host.gntalloc!);
  const made = done(gntallocIoctlAlloc(priv, { domid: 0, flags: GNTALLOC_FLAG_WRITABLE, count: BUF_PAGES }));
  return { domid: host.kernel!.domain.domid, refs: made.refs };
}

function grantForeign({ kernel }: BenchHost): BenchGrants {
  const { hv, domain } = kernel!;
  const granter = hv.createDomain({
    name: "granter",
    frames: { first: FREE_FRAMES_FROM, count: GRANTER_FRAMES },
    maxGrantFrames: 4,
  });
  grantTableOp(hv, domain, GNTTABOP_setup_table, [{
    dom: granter.domid,
    nr_frames: 2,
    status: 0,
    frame_list: [],
  }]);
  const refs = Array.from({ length: BUF_PAGES }, (_, i) => FIRST_REF + i);
  for (const ref of refs) {
    const frame = granter.mfnOf(ref) as Mfn;
    grantAccess(granter, ref, { domid: domain.domid, frame, readonly: false });
  }
  return { domid: granter.domid, refs };
}

/** The value of a call that must succeed for a bench to mean anything. @throws {RangeError} if it fails */
export function done<T>(result: { ok: true; value: T } | { ok: false; errno: string }): T {
  if (result.ok) return result.value;
  throw new RangeError(`Cannot run a bench: a call answers ${result.errno}`);
}
