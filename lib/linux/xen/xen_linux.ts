/**
 * One PV Linux kernel: a domain of the hypervisor with Linux's mm inside, its p2m, its kernel address space and the
 * scheme by which it finds the page of a foreign frame.
 *
 * ```text
 * pfn  0 ………………………… nrPopulated ………………… nrPages
 *      │ RAM: p2m = mfn │ ballooned: INVALID │ beyond: IDENTITY
 *      └ page 0 reserved └ pages for foreign maps come from here
 * ```
 *
 * Simplified: the kernel's linear map has entries only for pages that grants are mapped at; all other access of the
 * kernel to memory goes straight to the frame (README.md of this layer).
 *
 * @module
 */

import { Shown, viewOf } from "../../core/shown.ts";
import type { View } from "../../core/view.ts";
import { hex } from "../../core/show.ts";
import type { Mfn } from "../../core/frames.ts";
import { wholeNumber } from "../../core/misuse.ts";
import { EV } from "../../trace/events.ts";
import type { Cpu } from "../../x86/cpu.ts";
import type { Domain } from "../../xen/domain.ts";
import type { Hypervisor } from "../../xen/hypervisor.ts";
import type { MmFlavour } from "../mm/flavour.ts";
import { MmStruct } from "../mm/mm_struct.ts";
import { MmSystem } from "../mm/mm_system.ts";
import { MemMap } from "../mm/page.ts";
import type { KernelHalf } from "./foreign/kernel_half.ts";
import type { ForeignPageScheme, SchemeMaker } from "./foreign/scheme.ts";
import { FrameSource } from "./frame_source.ts";
import { P2m } from "./p2m.ts";
import { EventChannels } from "./evtchn.ts";
import { type GntdevRange, rangeOfMap } from "./gntdev_range.ts";
import { GrantRefs } from "./grant_refs.ts";
import { type GuestKind, pvGuest } from "./guest_kind.ts";
import { type KernelRules, rules6_1 } from "./kernel_rules.ts";
import { DelayedWork } from "./delayed_work.ts";

/** Where the kernel's linear map starts. @cite linux 6.1 arch/x86/include/asm/page_64_types.h __PAGE_OFFSET_BASE_L4 */
export const PAGE_OFFSET = 0xffff888000000000;

/** What {@linkcode XenLinux} is made of. */
export interface XenLinuxOptions {
  readonly hv: Hypervisor;
  readonly domain: Domain;
  readonly cpus: readonly Cpu[];
  /** Pages without a frame, for foreign mappings. */
  readonly nrBallooned: number;
  /** Seams of mm, but for what the scheme puts there. */
  readonly mm: Omit<MmFlavour, "foreign">;
  readonly scheme: SchemeMaker;
  readonly gntdevRange?: GntdevRange | undefined;
  readonly rules?: KernelRules | undefined;
  /** Default: paravirtual. */
  readonly guest?: GuestKind;
}

/**
 * Milliseconds that the console takes for a report with its stack trace: long against the waits of deferred work, so
 * what is due runs when the code that reported next looks whether somebody waits for the processor. Inferred: the
 * recording shows that the deferred unmap of 5 ms had run, not how long the report took; any figure above that does.
 *
 * @cite recorded grant-cases-pv.jsonl buffered_io
 */
export const CONSOLE_REPORT_MS = 50;

/** A Linux kernel on Xen. */
export class XenLinux extends Shown {
  readonly hv: Hypervisor;
  readonly domain: Domain;
  readonly p2m: P2m;
  readonly scheme: ForeignPageScheme;
  readonly system: MmSystem;
  readonly initMm: MmStruct;
  readonly frameSource: FrameSource;
  readonly work: DelayedWork = new DelayedWork();
  readonly guest: GuestKind;
  /** How the kernel's own mapping of granted pages is made. */
  readonly kernelHalf: KernelHalf;
  /** Where gntdev takes the range of a map from. */
  readonly gntdevRange: GntdevRange;
  readonly rules: KernelRules;
  readonly evtchn: EventChannels;
  /** The kernel's own grants. */
  readonly grantRefs: GrantRefs;

  constructor(options: XenLinuxOptions) {
    super();
    const { hv, domain } = options;
    this.hv = hv;
    this.domain = domain;
    this.guest = options.guest ?? pvGuest;
    this.gntdevRange = options.gntdevRange ?? rangeOfMap;
    this.rules = options.rules ?? rules6_1;
    this.evtchn = new EventChannels(hv.trace);
    this.grantRefs = new GrantRefs(this);
    const nrPopulated = domain.frames.length;
    const nrPages = nrPopulated + wholeNumber("keep ballooned pages", options.nrBallooned, 0, 2 ** 20);
    this.p2m = new P2m(hv.trace, nrPages);
    for (let pfn = 0; pfn < nrPopulated; pfn++) this.p2m.set(pfn, domain.frames[pfn]!);
    this.scheme = options.scheme(this);
    this.kernelHalf = this.guest.kernelHalf(this.scheme.kernelHalf);
    const memMap = new MemMap(hv.trace, nrPages);
    this.frameSource = new FrameSource(memMap, nrPopulated, nrPages);
    if (this.rules.reportsReleasedDeviceMemory && this.hasDeviceMemory) {
      memMap.releasedOutside = (page) => this.#reportReleased(page);
    }
    this.system = new MmSystem({
      mem: hv.mem,
      trace: hv.trace,
      memMap,
      cpus: options.cpus,
      flavour: { ...options.mm, foreign: this.scheme.mm },
      pv: (system) => this.guest.mmuOps(this, system),
      condResched: () => this.work.advance(CONSOLE_REPORT_MS),
      isInWorker: () => this.work.isRunning,
    });
    this.initMm = new MmStruct(this.system);
    this.guest.startKernel(this);
  }

  /** Pages for foreign frames are device memory to this kernel, made out of unpopulated ranges. */
  get hasDeviceMemory(): boolean {
    return this.rules.deviceMemoryOn.includes(this.guest.name);
  }

  /** Once per boot, and the console takes its time before the call that caused it ends. @cite linux 6.12 mm/memremap.c free_zone_device_folio */
  #reportReleased(page: number): void {
    const { system } = this;
    if (system.log.some(({ where }) => where === "free_zone_device_folio")) return;
    system.printk("warning", "free_zone_device_folio", `page ${hex(page)} of device memory has no last user`);
    system.owesYield = true;
  }

  /** Linear address of a page in the kernel: `__va(pfn << PAGE_SHIFT)`. */
  kernelAddress(pfn: number): number {
    return PAGE_OFFSET + pfn * 4096;
  }

  /**
   * The pfn under which this kernel knows a machine frame, or -1.
   *
   * @cite linux 6.1 arch/x86/include/asm/xen/page.h mfn_to_pfn
   */
  mfnToPfn(mfn: number): number {
    const { hv, p2m } = this;
    hv.trace.add(EV.m2p_read);
    const pfn = hv.m2p.get(mfn as Mfn);
    if (pfn >= 0 && p2m.isLocal(pfn, mfn)) return pfn;
    const overridden = this.scheme.overridePfn(mfn);
    if (overridden >= 0) return overridden;
    for (let again = 1; again < this.rules.foreignLookUps; again++) p2m.isIdentity(mfn);
    return p2m.isIdentity(mfn) ? mfn : -1;
  }

  override [viewOf](): View {
    return {
      line:
        `PV Linux in domain ${this.domain.domid}: p2m of ${this.p2m.size} entries, foreign pages by ${this.scheme.name}, ${this.frameSource.nrFree} ballooned pages free`,
    };
  }
}
