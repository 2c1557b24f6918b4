/**
 * The hypervisor: memory, frame table, M2P, domains, and what one release chose. State only; what guests can ask is
 * in `hypercall.ts`.
 *
 * Simplified: frames of domains are handed out upwards from frame 1, frames of grant tables downwards from the top.
 * Left out: the death of domains, memory that moves between them.
 *
 * @module
 */

import { Shown, viewOf } from "../core/shown.ts";
import type { View } from "../core/view.ts";
import { hypervisorView } from "./views/hypervisor_view.ts";
import { withinBudget } from "../core/budget.ts";
import { type Mfn, mfn } from "../core/frames.ts";
import { outOfRange, wholeNumber, wrongType } from "../core/misuse.ts";
import { hex } from "../core/show.ts";
import type { Trace } from "../trace/trace.ts";
import type { PhysMem } from "../x86/phys_mem.ts";
import { DOMID_FIRST_RESERVED, DOMID_SELF } from "./abi.ts";
import type { LeakedPin } from "./build.ts";
import { Domain, NO_BASE, type Vcpu } from "./domain.ts";
import type { XenFlavour } from "./flavours.ts";
import { type PhysicalCpu, TlbFlusher } from "./flush.ts";
import { FrameTable, NO_OWNER } from "./frame_table.ts";
import { UnmapCommon } from "./gnttabop/unmap_record.ts";
import { GrantTable } from "./grant_table.ts";
import { pvHostMap } from "./host_map/pv.ts";
import { INVALID_M2P_ENTRY, M2p } from "./m2p.ts";
import { Maptrack } from "./maptrack.ts";

/** What a machine with Xen is made of. */
export interface HypervisorOptions {
  readonly mem: PhysMem;
  readonly trace: Trace;
  readonly flavour: XenFlavour;
  /** At least one. */
  readonly cpus: readonly PhysicalCpu[];
}

/** A domain to make. */
export interface DomainOptions {
  readonly name?: string;
  /** Default: 0 for the first privileged domain, else the lowest number from 1 that is free. */
  readonly domid?: number;
  /** How many frames, or a range of machine frames, or the machine frame of each pseudo-physical frame in order. */
  readonly frames: number | { readonly first: number; readonly count: number } | readonly number[];
  /** Frames that the grant table may grow to; default and type as the flavour says. */
  readonly maxGrantFrames?: number;
  /** Pages that maptrack may grow to; 256 handles each. */
  readonly maxMaptrackFrames?: number;
  /** May act on other domains (dom0). Default false. */
  readonly privileged?: boolean;
  /** May map memory that is not RAM. Default: as `privileged`. */
  readonly mayMapIomem?: boolean;
  /** Number of vCPUs, default 1. vCPU i starts on physical CPU i modulo their number. */
  readonly vcpus?: number;
}

/** A fault that Xen injects into a guest. */
export interface InjectedFault {
  readonly domid: number;
  readonly trap: number;
  readonly errorCode: number;
}

/** The hypervisor of one machine. */
export class Hypervisor extends Shown {
  readonly mem: PhysMem;
  readonly trace: Trace;
  readonly flavour: XenFlavour;
  readonly cpus: readonly PhysicalCpu[];
  readonly frames: FrameTable;
  readonly m2p: M2p;
  readonly tlb: TlbFlusher;
  /** Living domains by number. */
  readonly domains: Map<number, Domain> = new Map();
  /** Grant mappings that guests destroyed by themselves, in order. Xen itself keeps no such list. */
  readonly leaks: LeakedPin[] = [];
  /** Faults injected into guests, in order. */
  readonly injected: InjectedFault[] = [];
  /** The domain whose hypercall runs. */
  current: Domain | null = null;
  /** Records of one unmap batch, reused. */
  readonly unmapBatch: readonly UnmapCommon[];
  #lowest = 1;
  #highest: number;

  constructor(options: HypervisorOptions) {
    super();
    if (options.cpus.length === 0) throw outOfRange("run a hypervisor on CPUs", 0, "it needs at least one");
    this.mem = options.mem;
    this.trace = options.trace;
    this.flavour = options.flavour;
    this.cpus = options.cpus;
    this.frames = new FrameTable(options.mem.nrFrames, options.trace);
    this.m2p = new M2p(this.frames);
    this.tlb = new TlbFlusher(options.cpus, options.trace);
    this.unmapBatch = Array.from({ length: options.flavour.flush.batchSize }, () => new UnmapCommon());
    this.#highest = options.mem.nrFrames - 1;
  }

  /** Physical CPU that the running hypercall was made on. */
  get currentCpu(): number {
    return this.current === null ? 0 : this.current.vcpu.cpu;
  }

  /** @cite xen 4.17 xen/common/domain.c rcu_lock_domain_by_id */
  domainById(domid: number): Domain | undefined {
    return this.domains.get(domid);
  }

  /** As above, and `DOMID_SELF` stands for the caller. @cite xen 4.17 xen/common/domain.c rcu_lock_domain_by_any_id */
  domainByAnyId(domid: number, caller: Domain): Domain | undefined {
    return domid === DOMID_SELF ? caller : this.domains.get(domid);
  }

  /**
   * Makes a paravirtual domain with memory, a grant table of one frame and an empty maptrack. Its page tables are the
   * guest's affair: written to memory, then pinned.
   *
   * @throws {RangeError} if a number is out of range, a budget is exceeded or a frame is taken
   *
   * @example
   * ```ts
   * import { PhysMem } from "grantlab/x86";
   * import { Trace } from "grantlab/trace";
   * import { Hypervisor, xen4_17 } from "grantlab/xen";
   * const cpus = [{ flushAll() {}, invlpg() {} }];
   * const hv = new Hypervisor({ mem: new PhysMem(4096), trace: new Trace(), flavour: xen4_17, cpus });
   * const guest = hv.createDomain({ name: "guest", frames: 16 });
   * if (guest.domid !== 1 || hv.m2p.get(guest.mfnOf(3)) !== 3) throw new Error();
   * ```
   */
  createDomain(options: DomainOptions): Domain {
    const { flavour } = this;
    const domid = this.#domid(options);
    const maxFrames = options.maxGrantFrames ?? flavour.gnttabMaxFrames;
    wholeNumber("create a domain with grant frames up to", maxFrames, 1, 2 ** 16);
    const maxMaptrack = options.maxMaptrackFrames ?? flavour.gnttabMaxMaptrackFrames;
    wholeNumber("create a domain with maptrack pages up to", maxMaptrack, 0, 2 ** 16);
    const nrVcpus = wholeNumber("create a domain with vCPUs", options.vcpus ?? 1, 1, 512);
    const frames = this.#placement(options.frames);
    if (this.frames.nrOwned + frames.length + 1 > this.frames.nrFrames - 1) {
      throw outOfRange(
        "create a domain of frames",
        frames.length,
        `with a frame for its grant table that is more than the ${this.frames.nrFrames} of the machine allow`,
      );
    }
    frames.forEach((frame, pfn) => this.frames.assign(frame as Mfn, domid, pfn, false));
    const vcpus: Vcpu[] = Array.from({ length: nrVcpus }, (_, id) => ({
      id,
      cpu: id % this.cpus.length,
      kernelBase: NO_BASE,
      userBase: NO_BASE,
    }));
    const domain = new Domain({
      domid,
      name: options.name ?? `dom${domid}`,
      mem: this.mem,
      privileged: options.privileged ?? false,
      mayMapIomem: options.mayMapIomem ?? options.privileged ?? false,
      frames: Float64Array.from(frames),
      grantTable: new GrantTable({ maxFrames, allocate: () => this.#allocateXenHeap(domid) }),
      maptrack: new Maptrack({
        maxFrames: maxMaptrack,
        vcpus: nrVcpus,
        trace: this.trace,
        seed: domid,
      }),
      vcpus,
      hostMap: pvHostMap,
    });
    this.domains.set(domid, domain);
    return domain;
  }

  #domid(options: DomainOptions): number {
    if (options.domid !== undefined) {
      wholeNumber("create a domain with number", options.domid, 0, DOMID_FIRST_RESERVED - 1);
      if (this.domains.has(options.domid)) {
        throw outOfRange("create a domain with number", options.domid, "there is one already");
      }
      return options.domid;
    }
    let domid = options.privileged === true ? 0 : 1;
    while (this.domains.has(domid)) domid++;
    return domid;
  }

  /** The machine frames asked for, checked whole before the first is taken. */
  #placement(wish: DomainOptions["frames"]): number[] {
    if (typeof wish === "number") return this.#freeFrames(wish);
    let list: readonly number[];
    if (Array.isArray(wish)) {
      withinBudget("create a domain of frames", wish.length, "domainFrames");
      list = wish;
    } else if (typeof wish === "object" && wish !== null) {
      const { first, count } = wish as { first: number; count: number };
      withinBudget("create a domain of frames", count, "domainFrames");
      mfn(first);
      list = Array.from({ length: count }, (_, i) => first + i);
    } else {
      throw wrongType(
        "create a domain of frames",
        wish,
        "it must be a number, {first, count} or a list of frames",
      );
    }
    const seen = new Set<number>();
    for (const frame of list) {
      if (!this.frames.isValid(mfn(frame))) {
        throw outOfRange(
          "create a domain with frame",
          frame,
          `there are ${hex(this.frames.nrFrames)} frames`,
        );
      }
      if (frame === 0) throw outOfRange("create a domain with frame", 0, "frame 0 is the hypervisor's");
      const owner = this.frames.owner(frame);
      if (owner !== NO_OWNER) {
        throw outOfRange("create a domain with frame", frame, `domain ${owner} owns it`);
      }
      if (seen.has(frame)) throw outOfRange("create a domain with frame", frame, "it is listed twice");
      seen.add(frame);
    }
    return [...list];
  }

  #freeFrames(count: number): number[] {
    withinBudget("create a domain of frames", count, "domainFrames");
    const list: number[] = [];
    while (this.frames.owner(this.#lowest) !== NO_OWNER) this.#lowest++;
    for (let at = this.#lowest; list.length < count && at < this.frames.nrFrames; at++) {
      if (this.frames.owner(at) === NO_OWNER) list.push(at);
    }
    if (list.length < count) {
      throw outOfRange(
        "create a domain of frames",
        count,
        `only ${list.length} of ${this.frames.nrFrames} are free`,
      );
    }
    return list;
  }

  #allocateXenHeap(domid: number): Mfn {
    while (this.#highest > 0 && this.frames.owner(this.#highest) !== NO_OWNER) this.#highest--;
    if (this.#highest === 0) {
      throw outOfRange("allocate a grant-table frame for domain", domid, "the machine is full");
    }
    const frame = this.#highest-- as Mfn;
    this.frames.assign(frame, domid, INVALID_M2P_ENTRY, true);
    return frame;
  }

  /** True if the machine still has `count` frames for grant tables; frame 0 is never one. */
  hasFreeFrames(count: number): boolean {
    return this.frames.nrOwned + count <= this.frames.nrFrames - 1;
  }

  override [viewOf](): View {
    return hypervisorView(this);
  }
}
