/**
 * What a recorded grant case runs on: a host of its own with dom0 and, in mode `foreign`, a domain that was created but
 * never ran; processes of dom0, their open files, and what was granted to whom.
 *
 * @module
 */

import type { Mfn } from "../core/frames.ts";
import { PAGE_SIZE } from "../core/geometry.ts";
import { GntallocState } from "../drivers/gntalloc/grefs.ts";
import { RamDisk } from "../drivers/ram_disk.ts";
import { MmStruct } from "../linux/mm/mm_struct.ts";
import type { KernelMessageKind } from "../linux/mm/mm_system.ts";
import { smaps } from "../linux/mm/proc.ts";
import type { XenLinux } from "../linux/xen/xen_linux.ts";
import { GNTTABOP_setup_table } from "../xen/abi.ts";
import type { Domain } from "../xen/domain.ts";
import { grantTableOp } from "../xen/hypercall.ts";
import type { Hypervisor } from "../xen/hypervisor.ts";
import { BadInput } from "./format.ts";
import type { Machine } from "./machine.ts";
import type { HypercallHost, OpRecord } from "./hypercalls/host.ts";
import { type CaseProcess, exitProcess, type OpenFile } from "./grants/processes.ts";
import { WINDOW, WINDOW_PAGES } from "./grants/step.ts";
import { FREE_FRAMES_FROM, xenHost, type XenMachine } from "./xen_host.ts";

/** One `grant` step: the references, and the frames behind them. */
export interface CaseGrant {
  readonly refs: number[];
  readonly frames: Mfn[];
  /** Address of the granter's own mapping in the parent, 0 without one. */
  view: number;
  /** In mode `self`: the file and offset it was made with. */
  readonly file?: string;
  readonly index?: number;
}

/** One MAP_GRANT_REF call. */
export interface CaseMap {
  readonly dev: string;
  /** Bytes. */
  readonly index: number;
}

/** An exit status, or a signal as the recording spells it. */
export type Ending = { readonly exit: unknown } | { readonly signal: unknown };

/** How the kernel tells messages apart from each other in the recordings. */
export type MessageKinds = readonly KernelMessageKind[];

/** The host of one case. */
export class GrantWorld implements HypercallHost {
  readonly hv: Hypervisor;
  readonly dom0: Domain;
  readonly kernel: XenLinux;
  readonly gntalloc: GntallocState;
  /** The domain that grants in mode `foreign`; dom0 itself otherwise. */
  granter: Domain;
  readonly processes: Map<string, CaseProcess> = new Map();
  readonly files: Map<string, OpenFile> = new Map();
  readonly grants: Map<number, CaseGrant> = new Map();
  readonly maps: Map<number, CaseMap> = new Map();
  readonly disk: RamDisk = new RamDisk(64 * 2 ** 20, (sector) => sector < 2048 ? sector * 7 + 1 : 0);
  /** Allocations of gntalloc by their name. */
  readonly allocations: Map<string, { readonly index: number; readonly count: number }> = new Map();
  /** Records of hypercall steps, for later steps that refer to them. */
  readonly returned: Map<number, readonly OpRecord[]> = new Map();
  /** Event-channel ports by name. */
  readonly ports: Map<string, number> = new Map();
  /** The anonymous buffer that some steps read into. */
  readonly buffer: Uint8Array = new Uint8Array(65536);
  /** How processes ended, by name. */
  readonly endings: Map<string, Ending> = new Map();
  /** What the last step read of another process's memory. */
  lastRead: Uint8Array = new Uint8Array(0);
  /** Where the last anonymous buffer of a set-up lies. */
  localBuffer = 0;
  #logMark = 0;
  tainted = 0;

  /** Kinds of message that only workers reported, among those of the last {@linkcode newMessages}. */
  workerMessages: ReadonlySet<KernelMessageKind> = new Set();
  /** The same, of what was said after the last process had ended. */
  workersAfterwards: ReadonlySet<KernelMessageKind> = new Set();
  /** An io_uring gives its pages back some time after it was closed. */
  readonly lateRings: boolean;

  constructor(readonly machine: XenMachine, releases: Machine, options: { lateRings?: boolean } = {}) {
    this.lateRings = options.lateRings ?? false;
    this.kernel = xenHost(machine, releases);
    this.hv = this.kernel.hv;
    this.dom0 = this.kernel.domain;
    this.gntalloc = new GntallocState(this.kernel);
    this.granter = this.dom0;
    this.newMessages(); // of the boot
    this.processes.set("parent", { name: "parent", mm: new MmStruct(this.kernel.system), files: new Set() });
  }

  /** The granting domain: PV, memory and a grant table, no vCPU that ever ran. */
  createGranter(options: { pages: number; maxGrantFrames: number; grantFrames: number }): void {
    this.granter = this.hv.createDomain({
      name: "granter",
      frames: { first: FREE_FRAMES_FROM, count: options.pages },
      maxGrantFrames: options.maxGrantFrames,
    });
    const op = { dom: this.granter.domid, nr_frames: options.grantFrames, status: 0, frame_list: [] };
    grantTableOp(this.hv, this.dom0, GNTTABOP_setup_table, [op]);
  }

  /** Who makes raw hypercalls. */
  get caller(): Domain {
    return this.dom0;
  }

  /** Reference of a page of a grant. */
  refOf(grant: number, page: number): number | undefined {
    return this.grants.get(grant)?.refs[page];
  }

  /** Pages of a grant. */
  pagesOf(grant: number): number {
    return this.grants.get(grant)?.refs.length ?? 0;
  }

  /** @throws {BadInput} if there is no such process */
  process(name: string, where: string): CaseProcess {
    return this.#named(this.processes, name, where, "process");
  }

  /** @throws {BadInput} if no file of that name was opened */
  file(name: string, where: string): OpenFile {
    return this.#named(this.files, name, where, "open file");
  }

  /** @throws {BadInput} if there is no such grant */
  grant(number: number, where: string): CaseGrant {
    return this.#named(this.grants, number, where, "grant");
  }

  /** @throws {BadInput} if no map of that number was made */
  map(number: number, where: string): CaseMap {
    return this.#named(this.maps, number, where, "map");
  }

  #named<K, V>(all: ReadonlyMap<K, V>, name: K, where: string, what: string): V {
    const found = all.get(name);
    if (found === undefined) throw new BadInput(where, `there is no ${what} "${name}" in this case so far`);
    return found;
  }

  /** VMAs of the window as recorded; this machine's listings know no letter for the page of zeros. */
  vmas(mm: MmStruct): unknown[] {
    return smaps(mm, WINDOW, WINDOW + WINDOW_PAGES * PAGE_SIZE).map((row) => [
      (row.start - WINDOW) / PAGE_SIZE,
      (row.end - WINDOW) / PAGE_SIZE,
      row.perms,
      row.offset,
      row.name,
      row.vmFlags,
      row.rss,
      row.pages.replaceAll("z", "a"),
    ]);
  }

  /** Kinds of kernel message since the last call, in order, without repeats. */
  newMessages(): MessageKinds {
    const { log } = this.kernel.system;
    const kinds: KernelMessageKind[] = [];
    const news = log.slice(this.#logMark);
    for (const { kind } of news) {
      this.tainted |= TAINTS[kind];
      if (!kinds.includes(kind)) kinds.push(kind);
    }
    this.workerMessages = new Set(
      kinds.filter((kind) => news.every((message) => message.kind !== kind || message.fromWorker)),
    );
    this.#logMark = log.length;
    return kinds;
  }

  /** Ends what still runs. */
  end(): void {
    for (const process of [...this.processes.values()].reverse()) exitProcess(this, process);
  }
}

/** @cite linux 6.1 Documentation/admin-guide/tainted-kernels.rst tainted */
const TAINTS: Readonly<Record<KernelMessageKind, number>> = {
  "bad-page-map": 32,
  "warning": 512,
  "oops": 128,
  "driver-message": 0,
};
