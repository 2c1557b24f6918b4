/**
 * A domain: its frames, its grant table, its mappings, its vCPUs. Paravirtual ones hold machine frames in their own page
 * tables; translated ones (PVH, HVM) have a physical-to-machine table that Xen keeps.
 *
 * @module
 */

import { Shown, viewOf } from "../core/shown.ts";
import type { View } from "../core/view.ts";
import { domainView } from "./views/domain_view.ts";
import type { DomainCrash } from "../core/crash.ts";
import type { Mfn } from "../core/frames.ts";
import { wholeNumber } from "../core/misuse.ts";
import type { PhysMem } from "../x86/phys_mem.ts";
import type { GrantTable } from "./grant_table.ts";
import type { HostMapOps } from "./host_map/ops.ts";
import type { Maptrack } from "./maptrack.ts";
import type { P2m } from "./p2m.ts";

/** No base pointer installed. */
export const NO_BASE = 0 as Mfn;

/** Kinds of domain. */
export type DomainKind = "pv" | "pvh" | "hvm";

/** A virtual CPU. */
export interface Vcpu {
  readonly id: number;
  /** Physical CPU that it runs on. */
  cpu: number;
  /** Top-level table of the kernel, {@linkcode NO_BASE} before the first `MMUEXT_NEW_BASEPTR`. */
  kernelBase: Mfn;
  /** Top-level table of user mode, {@linkcode NO_BASE} if none. */
  userBase: Mfn;
}

/** A domain. Made by `Hypervisor.createDomain`. */
export class Domain extends Shown {
  readonly domid: number;
  readonly name: string;
  /** The machine's memory, where this domain's bytes are. */
  readonly mem: PhysMem;
  /** True for the domain that may act on others (dom0). */
  readonly privileged: boolean;
  /** True if the domain may map memory that is not RAM. */
  readonly mayMapIomem: boolean;
  readonly kind: DomainKind;
  /** Paging mode `external`: PVH and HVM. */
  readonly external: boolean;
  /** Guest frames of a translated domain; null for a paravirtual one, whose guest frames are machine frames. */
  readonly p2m: P2m | null;
  /** Frames that the domain may own. */
  readonly maxPages: number;
  /** Allocation list: frame of pseudo-physical frame i. */
  readonly frames: Float64Array;
  readonly grantTable: GrantTable;
  readonly maptrack: Maptrack;
  readonly vcpus: readonly Vcpu[];
  /** How host mappings of grants are made for this domain. */
  readonly hostMap: HostMapOps;
  /** Physical CPUs whose TLB may hold translations of this domain. */
  readonly dirtyCpus: Set<number> = new Set();
  /** The vCPU that issues hypercalls. */
  currentVcpu = 0;
  /** Being destroyed: it stays known by its number until nobody holds a frame of it any more. */
  isDying = false;
  /** Set when Xen kills the domain; thrown when the hypercall ends. */
  crash: DomainCrash | null = null;

  constructor(
    fields:
      & Pick<Domain, "domid" | "name" | "mem" | "privileged" | "mayMapIomem" | "frames">
      & Pick<Domain, "grantTable" | "maptrack" | "vcpus" | "hostMap" | "kind" | "p2m" | "maxPages">,
  ) {
    super();
    this.domid = fields.domid;
    this.name = fields.name;
    this.mem = fields.mem;
    this.privileged = fields.privileged;
    this.mayMapIomem = fields.mayMapIomem;
    this.frames = fields.frames;
    this.grantTable = fields.grantTable;
    this.maptrack = fields.maptrack;
    this.vcpus = fields.vcpus;
    this.hostMap = fields.hostMap;
    this.kind = fields.kind;
    this.external = fields.kind !== "pv";
    this.p2m = fields.p2m;
    this.maxPages = fields.maxPages;
  }

  /** The vCPU that makes hypercalls. */
  get vcpu(): Vcpu {
    return this.vcpus[this.currentVcpu]!;
  }

  /** Root of the tables that linear addresses in hypercalls are looked up in. */
  get kernelBase(): Mfn {
    return this.vcpu.kernelBase;
  }

  /**
   * Machine frame of pseudo-physical frame `pfn` at creation.
   *
   * @throws {RangeError} if the domain has no such frame
   */
  mfnOf(pfn: number): Mfn {
    wholeNumber(`find in domain ${this.domid} the pseudo-physical frame`, pfn, 0, this.frames.length - 1);
    return this.frames[pfn]! as Mfn;
  }

  override [viewOf](): View {
    return domainView(this);
  }
}
