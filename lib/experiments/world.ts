/**
 * A host to try things on: one machine, Xen, dom0 with a Linux of the chosen flavour, one guest that grants frames.
 * What people type in the REPL, a notebook or a script starts here.
 *
 * ```text
 * machine frames  0x700 ………… 0x800 ………… 0x900        0x1000 ………………
 *                 │ guest       │ guest       │          │ dom0
 *                 └ inside dom0's p2m ┘ beyond it        └ pfn i is frame 0x1000 + i
 * ```
 *
 * The guest's memory straddles the end of dom0's p2m on purpose: what dom0's Linux makes of a foreign frame depends
 * on whether that *number* is a pfn that it knows, and both happen on real hosts.
 *
 * A modelled kernel bug ends dom0: the call that hits it reports the crash, later calls on dom0 are refused.
 *
 * @module
 */

import { Shown, viewOf } from "../core/shown.ts";
import { tableBlock, type View } from "../core/view.ts";
import { withinBudget } from "../core/budget.ts";
import { KernelBug } from "../core/crash.ts";
import { callable, outOfRange, wholeNumber, wrongType } from "../core/misuse.ts";
import { hex } from "../core/show.ts";
import { RamDisk } from "../drivers/ram_disk.ts";
import { bootXenLinux, kernelFlavour } from "../linux/kernel.ts";
import type { KernelFlavour } from "../linux/xen/kernel_flavour.ts";
import type { XenLinux } from "../linux/xen/xen_linux.ts";
import { Trace } from "../trace/trace.ts";
import { Cpu } from "../x86/cpu.ts";
import { PhysMem } from "../x86/phys_mem.ts";
import type { Domain } from "../xen/domain.ts";
import type { XenFlavour } from "../xen/flavours.ts";
import { Hypervisor } from "../xen/hypervisor.ts";
import { FrameInfo } from "../xen/views/frame_view.ts";
import type { TranslationCaches } from "../x86/translation_caches.ts";
import { BlkDevice, type BlkDeviceOptions } from "./blk_device.ts";
import { EventTally } from "./event_tally.ts";
import { Guest } from "./guest.ts";
import { NetDevice, type NetDeviceOptions } from "./net_device.ts";
import { Process } from "./process.ts";
import { checkWorldOptions, type WorldOptions, xenOf } from "./world_options.ts";

export { Grants, Guest } from "./guest.ts";
export type { WorldOptions } from "./world_options.ts";

/** Page 0, the page of zeros, the kernel's tables and those of one process. */
const LEAST_DOM0_FRAMES = 16;

/** A host with dom0 and one guest. */
export class World extends Shown {
  /** Processes that were started, in order. */
  readonly processes: Process[] = [];
  readonly trace: Trace = new Trace();
  readonly hv: Hypervisor;
  readonly dom0: Domain;
  readonly kernel: XenLinux;
  readonly guest: Guest;
  /** Name of dom0's kernel flavour. */
  readonly kernelName: string;
  readonly flavour: KernelFlavour;
  readonly xen: XenFlavour;
  /** Disk for direct I/O: 64 MiB; the byte at offset o is ((o >> 9) * 7 + 1) mod 256. */
  readonly disk: RamDisk = new RamDisk(64 * 2 ** 20, (sector) => sector * 7 + 1);
  /** The bug that ended dom0, if one did. */
  crash: KernelBug | null = null;
  #spareAt: number;

  constructor(options: WorldOptions = {}) {
    super();
    checkWorldOptions(options);
    const { kernel = "linux6_1", xen = "xen4_17" } = options;
    this.kernelName = kernel;
    this.flavour = kernelFlavour(kernel);
    this.xen = xenOf(xen);
    const nrCpus = wholeNumber("make a machine of CPUs", options.cpus ?? 1, 1, 512);
    const spare = withinBudget("leave frames for guests:", options.spareFrames ?? 0, "domainFrames");
    const dom0Frames = withinBudget("give dom0 frames:", options.dom0Frames ?? 1024, "domainFrames");
    const ballooned = withinBudget("keep ballooned pages:", options.ballooned ?? 1024, "domainFrames");
    const guestFrames = withinBudget("give the guest frames:", options.guestFrames ?? 512, "domainFrames");
    if (dom0Frames < LEAST_DOM0_FRAMES) {
      throw outOfRange("give dom0 frames:", dom0Frames, `it needs ${LEAST_DOM0_FRAMES} for a process`);
    }
    const p2mEnd = withinBudget(
      "give dom0 frames and ballooned pages:",
      dom0Frames + ballooned,
      "domainFrames",
    );
    const guestAt = Math.max(1, p2mEnd - Math.ceil(guestFrames / 2));
    const dom0At = Math.ceil((guestAt + guestFrames + 1) / 0x800) * 0x800;
    const mem = new PhysMem(dom0At + dom0Frames + spare + 0x1000);
    const cpus = Array.from({ length: nrCpus }, () => new Cpu({ trace: this.trace }));
    this.hv = new Hypervisor({ mem, trace: this.trace, flavour: this.xen, cpus });
    this.dom0 = this.hv.createDomain({
      name: "dom0",
      frames: { first: dom0At, count: dom0Frames },
      privileged: true,
      vcpus: nrCpus,
    });
    this.#spareAt = dom0At + dom0Frames;
    const guest = this.hv.createDomain({ name: "guest", frames: { first: guestAt, count: guestFrames } });
    this.kernel = bootXenLinux({
      hv: this.hv,
      domain: this.dom0,
      cpus,
      flavour: this.flavour,
      nrBallooned: ballooned,
    });
    this.guest = new Guest(this, guest);
  }

  /**
   * One more guest.
   *
   * @throws {RangeError} if the machine has not so many frames left: `world({ spareFrames })`
   */
  addGuest(frames = 512, name = `guest${this.hv.domains.size}`): Guest {
    withinBudget("give the guest frames:", frames, "domainFrames");
    if (typeof name !== "string") throw wrongType("name a guest", name, "it must be a string");
    const first = this.#spareAt;
    const domain = this.hv.createDomain({ name, frames: { first, count: frames } });
    this.#spareAt += frames;
    return new Guest(this, domain);
  }

  /**
   * A block device for a guest, with blkfront, blkback and a disk in memory.
   *
   * @example
   * ```ts
   * import { world } from "grantlab";
   * const blk = world().blk();
   * if (blk.write(0, 8).verdict !== "ok" || blk.kept !== 1) throw new Error(String(blk));
   * ```
   */
  blk(options: BlkDeviceOptions = {}): BlkDevice {
    return new BlkDevice(this, options);
  }

  /**
   * A network device for a guest, with netfront, netback and a wire.
   *
   * @example
   * ```ts
   * import { world } from "grantlab";
   * const w = world({ ballooned: 2048, spareFrames: 512 });
   * const receiver = w.net({ guest: w.addGuest() });
   * if (w.net({ to: receiver }).send(1514).right !== 1) throw new Error();
   * ```
   */
  net(options: NetDeviceOptions = {}): NetDevice {
    return new NetDevice(this, options);
  }

  /** Starts a process in dom0. */
  process(name = "process"): Process {
    if (typeof name !== "string") throw wrongType("name a process", name, "it must be a string");
    this.refuseAfterCrash(`start process ${name}`);
    const process = new Process(this, name);
    this.processes.push(process);
    return process;
  }

  /**
   * A frame of the machine: owner, uses, references.
   *
   * @throws {RangeError} if there is no such frame
   *
   * @example
   * ```ts
   * import { world } from "grantlab";
   * const w = world();
   * const grants = w.guest.grant(1);
   * if (w.frame(grants.frames[0]!).owner !== 1) throw new Error();
   * ```
   */
  frame(mfn: number): FrameInfo {
    return new FrameInfo(this.hv, mfn);
  }

  /** What the processor's TLB holds. */
  get tlb(): TranslationCaches {
    return this.kernel.system.cpus[0]!.tlb;
  }

  /**
   * Events so far, or those of `body`, with prices; awaits nothing.
   *
   * @example
   * ```ts
   * import { world } from "grantlab";
   * const w = world();
   * const { counts } = w.events(() => w.process("qemu").mmapGrants(w.guest.grant(1)));
   * if (counts.hypercall === undefined) throw new Error();
   * ```
   */
  events(body?: () => unknown): EventTally {
    if (body !== undefined) callable("count the events of", body);
    const mark = body === undefined ? new Float64Array(this.trace.counters.length) : this.trace.mark();
    body?.();
    return new EventTally(this.trace.since(mark));
  }

  /** Lets milliseconds pass on dom0's clock: deferred unmaps run when they fall due. */
  advance(ms: number): void {
    this.run("let time pass", () => this.kernel.work.advance(ms));
  }

  /** The first pfn beyond dom0's p2m: frame numbers from here on read as IDENTITY there. */
  get p2mEnd(): number {
    return this.kernel.p2m.size;
  }

  /** Runs part of dom0's kernel; a modelled bug is kept and answered instead of a result. */
  run<T>(action: string, body: () => T): T | KernelBug {
    this.refuseAfterCrash(action);
    try {
      return body();
    } catch (e) {
      if (!(e instanceof KernelBug)) throw e;
      this.crash = e;
      return e;
    }
  }

  /** @throws {RangeError} if dom0 has crashed */
  refuseAfterCrash(action: string): void {
    if (this.crash !== null) {
      throw new RangeError(`Cannot ${action}: dom0 is gone, ${this.crash.message}; make a new world`);
    }
  }

  override toString(): string {
    return `host: ${this.xen.name}, dom0 runs ${this.kernelName} (${this.flavour.title}), ` +
      `guest is domain ${this.guest.domain.domid} with ${framesText(this.guest.domain.frames)}` +
      `${this.crash === null ? "" : `; crashed: ${this.crash.message}`}`;
  }

  override [viewOf](): View {
    const { hv, processes, kernel } = this;
    const right = (header: string) => ({ header, right: true }) as const;
    const domains = [...hv.domains.values()].map(({ domid, name, frames, maptrack }) => [
      String(domid),
      name,
      framesText(frames).replace(/^frames? /, ""),
      String(maptrack.live),
    ]);
    const rows = processes.map(({ name, mm, hasExited }) =>
      hasExited ? [name, "", "exited"] : [name, String(mm.vmas.size), hex(mm.pgdFrame)]
    );
    return {
      line: this.toString(),
      title: `${this}\n${kernel.work.nowMs} ms since boot`,
      blocks: [
        tableBlock([right("domain"), "name", "frames", right("grants mapped")], domains),
        tableBlock(["process", right("VMAs"), "top table"], rows),
      ],
    };
  }
}

function framesText(frames: ArrayLike<number>): string {
  const { length } = frames;
  if (length === 0) return "no frames";
  return length === 1 ? `frame ${hex(frames[0]!)}` : `frames ${hex(frames[0]!)}–${hex(frames[length - 1]!)}`;
}

/**
 * A host with dom0 and one guest.
 *
 * @throws {RangeError} for an unknown option or flavour (near names are suggested) or a size above its budget
 *
 * @example
 * ```ts
 * import { PAGE, world } from "grantlab";
 * const w = world({ kernel: "seed2014" });
 * const qemu = w.process("qemu");
 * const vma = qemu.mmapGrants(w.guest.grant(8));
 * qemu.munmap(vma.start + 4 * PAGE, PAGE);
 * const io = qemu.directRead(vma.start + 5 * PAGE, PAGE);
 * if (io.pages[0]?.verdict !== "wrong-page") throw new Error(String(io));
 * ```
 */
export function world(options: WorldOptions = {}): World {
  return new World(options);
}
