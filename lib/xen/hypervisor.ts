/**
 * The hypervisor: memory, frame table, M2P, domains, and what one release chose. State only; what guests can ask is
 * in `hypercall.ts`.
 *
 * Simplified: frames of domains are handed out upwards from frame 1, frames of grant tables downwards from the top.
 * How a domain ends is in `domain_death.ts`.
 *
 * @module
 */

import { Shown, viewOf } from "../core/shown.ts";
import type { View } from "../core/view.ts";
import { hypervisorView } from "./views/hypervisor_view.ts";
import type { Mfn } from "../core/frames.ts";
import { outOfRange, wholeNumber } from "../core/misuse.ts";
import type { Trace } from "../trace/trace.ts";
import type { PhysMem } from "../x86/phys_mem.ts";
import { DOMID_FIRST_RESERVED, DOMID_SELF } from "./abi.ts";
import type { LeakedPin } from "./build.ts";
import { Domain, type DomainKind, NO_BASE, type Vcpu } from "./domain.ts";
import { DomainMap } from "./domain_map.ts";
import type { XenFlavour } from "./flavours.ts";
import { type PhysicalCpu, TlbFlusher } from "./flush.ts";
import { FrameTable, NO_OWNER } from "./frame_table.ts";
import { GrantTable, type GrantTableMemory } from "./grant_table.ts";
import { pvHostMap } from "./host_map/pv.ts";
import { translatedHostMap } from "./host_map/translated.ts";
import { INVALID_M2P_ENTRY, M2p } from "./m2p.ts";
import { Maptrack } from "./maptrack.ts";
import { P2m, p2m_ram_rw } from "./p2m.ts";
import { framePlacement, type FrameWish } from "./placement.ts";
import type { PreemptionSeam } from "./preemption.ts";
import { Scratch } from "./scratch.ts";

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
  /** Default: paravirtual. */
  readonly kind?: DomainKind;
  /** How many frames, or a range of machine frames, or the machine frame of each pseudo-physical frame in order. */
  readonly frames: FrameWish;
  /** Frames that the domain may own; default: those that it gets. More leaves room for transfers. */
  readonly maxPages?: number;
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
  readonly domains: DomainMap = new DomainMap();
  /** Grant mappings that guests destroyed by themselves, in order. Xen itself keeps no such list. */
  readonly leaks: LeakedPin[] = [];
  /** Faults injected into guests, in order. */
  readonly injected: InjectedFault[] = [];
  /** The domain whose hypercall runs. */
  current: Domain | null = null;
  /** Where other work can step into a long list; null in ordinary runs. */
  preemption: PreemptionSeam | null = null;
  /** How deep hypercalls are nested: 0 outside; more than 1 only if a seam makes calls of its own. */
  depth = 0;
  /** The level-1 table that a grant was last mapped in: consecutive grants lie in one. Rows stay; slots are checked. */
  readonly lastTable: { frame: number; row: number; slot: number } = { frame: -1, row: -1, slot: -1 };
  /** Page-table flags that the release gives every grant mapping. */
  readonly grantPteFlags: number;
  /** Domains that are being destroyed. */
  nrDying = 0;
  readonly #scratch: Scratch[] = [];
  #lowest = 1;
  #highest: number;

  constructor(options: HypervisorOptions) {
    super();
    if (options.cpus.length === 0) throw outOfRange("run a hypervisor on CPUs", 0, "it needs at least one");
    this.mem = options.mem;
    this.trace = options.trace;
    this.flavour = options.flavour;
    this.grantPteFlags = options.flavour.flush.grantPteFlags | options.flavour.build.grantPteTag;
    this.cpus = options.cpus;
    this.frames = new FrameTable(options.mem.nrFrames, options.trace);
    this.m2p = new M2p(this.frames);
    this.tlb = new TlbFlusher(options.cpus, options.trace);
    this.#highest = options.mem.nrFrames - 1;
    this.frames.info.onFree = (mfn) => this.#frameIsFree(mfn as Mfn);
  }

  /** Records that the running hypercall may use. */
  get scratch(): Scratch {
    return this.#scratch[this.depth] ??= new Scratch(this.flavour.flush.batchSize);
  }

  /** Physical CPU that the running hypercall was made on. */
  get currentCpu(): number {
    return this.current === null ? 0 : this.current.vcpu.cpu;
  }

  /** @cite xen 4.17 xen/common/domain.c rcu_lock_domain_by_id */
  domainById(domid: number): Domain | undefined {
    return this.domains.at(domid);
  }

  /** As above, and `DOMID_SELF` stands for the caller. @cite xen 4.17 xen/common/domain.c rcu_lock_domain_by_any_id */
  domainByAnyId(domid: number, caller: Domain): Domain | undefined {
    return domid === DOMID_SELF ? caller : this.domains.at(domid);
  }

  /**
   * Makes a domain with memory, a grant table of one frame and an empty maptrack. The page tables of a paravirtual one
   * are the guest's affair: written to memory, then pinned. A translated one finds its memory at guest frames 0, 1, …
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
    const kind = options.kind ?? "pv";
    const frames = framePlacement(this.frames, options.frames, this.#firstFree());
    const maxPages = wholeNumber("create a domain of at most", options.maxPages ?? frames.length, 0, 2 ** 40);
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
    const p2m = kind === "pv" ? null : new P2m(this.trace);
    frames.forEach((frame, gfn) => p2m?.set(gfn, frame, p2m_ram_rw));
    const domain = new Domain({
      domid,
      kind,
      p2m,
      maxPages,
      name: options.name ?? `dom${domid}`,
      mem: this.mem,
      privileged: options.privileged ?? false,
      mayMapIomem: options.mayMapIomem ?? options.privileged ?? false,
      frames: Float64Array.from(frames),
      grantTable: new GrantTable({
        maxFrames,
        memory: this.tableMemory(domid),
      }),
      maptrack: new Maptrack({
        maxFrames: maxMaptrack,
        vcpus: flavour.locks.maptrackLists(nrVcpus),
        trace: this.trace,
        seed: domid,
        plan: flavour.maptrack,
      }),
      vcpus,
      hostMap: kind === "pv" ? pvHostMap : translatedHostMap,
    });
    this.domains.set(domid, domain);
    return domain;
  }

  /** Where the grant table of a domain gets its frames. */
  tableMemory(domid: number): GrantTableMemory {
    return {
      allocate: () => this.#allocateXenHeap(domid),
      free: (frame) => this.frames.putAllocation(frame),
    };
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

  /** The lowest frame that nobody owns. */
  #firstFree(): number {
    while (this.frames.owner(this.#lowest) !== NO_OWNER) this.#lowest++;
    return this.#lowest;
  }

  /** Xen scrubs what it gets back. @cite xen 4.17 xen/common/page_alloc.c free_domheap_pages */
  #frameIsFree(frame: Mfn): void {
    this.mem.clearFrame(frame);
    this.#lowest = Math.min(this.#lowest, frame);
    this.#highest = Math.max(this.#highest, frame);
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
