/**
 * The domain that grants: its kernel is modelled as far as it writes grant entries and drives front ends.
 *
 * @module
 */

import { Shown, viewOf } from "../core/shown.ts";
import { tableBlock, type View } from "../core/view.ts";
import { withinBudget } from "../core/budget.ts";
import type { Mfn } from "../core/frames.ts";
import { PAGE_SIZE } from "../core/geometry.ts";
import { outOfRange, wholeNumber, wrongType } from "../core/misuse.ts";
import { knownOptions } from "../core/options.ts";
import { hex } from "../core/show.ts";
import type { FrontendKernel } from "../drivers/frontend_kernel.ts";
import type { DelayedWork } from "../linux/xen/delayed_work.ts";
import type { EventChannels } from "../linux/xen/evtchn.ts";
import { GrantRefs } from "../linux/xen/grant_refs.ts";
import { DOMID_SELF, GNTTABOP_setup_table } from "../xen/abi.ts";
import type { Domain } from "../xen/domain.ts";
import { endAccess } from "../xen/grant_access.ts";
import { grantTableOp } from "../xen/hypercall.ts";
import type { Hypervisor } from "../xen/hypervisor.ts";
import { GNTST_okay } from "../xen/status.ts";
import { GrantTableListing } from "../xen/views/grant_entry_view.ts";
import type { World } from "./world.ts";

/** How a guest grants. */
export interface GrantOptions {
  /** dom0 may only read. Default false. */
  readonly readonly?: boolean;
}

const KNOWN: Readonly<Record<keyof GrantOptions, "boolean">> = { readonly: "boolean" };

/** Grants that a guest has published for dom0. */
export class Grants extends Shown {
  /** The host of the domain; unknown of grants made by hand. */
  readonly #hv: Hypervisor | undefined;

  constructor(
    readonly domid: number,
    readonly refs: readonly number[],
    /** Machine frame of each. */
    readonly frames: readonly Mfn[],
    readonly writable: boolean,
    hv?: Hypervisor,
  ) {
    super();
    this.#hv = hv;
  }

  /** Whether they are of another host than this: its domain of that number would be a stranger. */
  areOfAnother(hv: Hypervisor): boolean {
    return this.#hv !== undefined && this.#hv !== hv;
  }

  override toString(): string {
    const { refs, frames } = this;
    const list = (items: readonly string[]) =>
      items.length <= 4 ? items.join(" ") : `${items.slice(0, 3).join(" ")} … ${items.at(-1)}`;
    if (refs.length === 0) return `no grants of domain ${this.domid}`;
    return `${refs.length} grants of domain ${this.domid}, ${this.writable ? "writable" : "read-only"}: ` +
      `refs ${list(refs.map(String))}, frames ${list(frames.map((frame) => hex(frame)))}`;
  }

  override [viewOf](): View {
    const rows = this.refs.map((ref, i) => [String(ref), hex(this.frames[i]!)]);
    const right = { header: "ref", right: true } as const;
    return { line: this.toString(), blocks: [tableBlock([right, "frame"], rows, { limit: 16 })] };
  }
}

/** Checks that what is handed in as grants has these parts of them. @throws {TypeError} if it has not */
export function expectGrants(action: string, value: unknown, ...parts: readonly (keyof Grants)[]): void {
  const lacks = typeof value !== "object" || value === null || parts.some((part) => !(part in value));
  if (lacks) throw wrongType(action, value, "it must be what guest.grant() answers");
}

/** The domain that grants. Of its kernel there is what grants and what front ends need. */
export class Guest extends Shown implements FrontendKernel {
  readonly hv: Hypervisor;
  /** The machine's clock. */
  readonly work: DelayedWork;
  readonly evtchn: EventChannels;
  /** References of its own table, free and used. */
  readonly grantRefs: GrantRefs;
  readonly #freeFrames: number[] = [];
  #nextPfn = 16;

  /** Its grant table: entries as it wrote them, and how Xen has them in use. */
  readonly table: GrantTableListing;

  constructor(readonly world: World, readonly domain: Domain) {
    super();
    this.hv = world.hv;
    this.work = world.kernel.work;
    this.evtchn = world.kernel.evtchn;
    this.grantRefs = new GrantRefs(this);
    this.table = new GrantTableListing(domain);
  }

  /** Machine frames for a front end. @throws {RangeError} if the guest has not so many left */
  allocFrames(count: number): number[] {
    wholeNumber("allocate frames", count, 0, this.domain.frames.length);
    const frames = this.#freeFrames.splice(0, count);
    const pfns = this.#nextPfns(count - frames.length);
    this.#nextPfn += pfns.length;
    return [...frames, ...pfns.map((pfn) => this.domain.mfnOf(pfn))];
  }

  /** Takes such frames back. */
  freeFrames(frames: readonly number[]): void {
    this.#freeFrames.push(...frames);
  }

  /**
   * Grants frames to dom0 and fills frame i with byte 0x10 + i.
   *
   * @param what how many frames, or which pseudo-physical frames
   * @throws {RangeError} if the guest has not so many frames or its table not so many entries
   *
   * @example
   * ```ts
   * import { world } from "grantlab";
   * const w = world();
   * const grants = w.guest.grant(4);
   * if (grants.refs.length !== 4 || grants.refs[0] !== 8) throw new Error();
   * ```
   */
  grant(what: number | readonly number[], options: GrantOptions = {}): Grants {
    const { domain, world } = this;
    knownOptions("guest.grant()", options, KNOWN);
    if (typeof what !== "number" && !Array.isArray(what)) {
      throw wrongType("grant", what, "it must be a number of frames or a list of pseudo-physical frames");
    }
    const count = withinBudget("grant", typeof what === "number" ? what : what.length, "grantsPerCall");
    const pfns = typeof what === "number" ? this.#nextPfns(what) : what;
    const frames = pfns.map((pfn) => domain.mfnOf(pfn));
    this.#growTable(count);
    if (typeof what === "number") this.#nextPfn += count;
    const refs = frames.map((frame, i) => {
      const ref = this.grantRefs.grantForeignAccess(world.dom0.domid, frame, options.readonly === true);
      world.hv.mem.fillFrame(frame, 0x10 + i % 64);
      return ref;
    });
    return new Grants(domain.domid, refs, frames, options.readonly !== true, this.hv);
  }

  /** Takes grants back: for each, whether it was free to take. */
  revoke(grants: Pick<Grants, "refs">): boolean[] {
    expectGrants("revoke", grants, "refs");
    return grants.refs.map((ref) => endAccess(this.domain, ref));
  }

  /** The byte at `offset` of a granted frame, as the guest sees its own memory. */
  read(grants: Pick<Grants, "frames">, index: number, offset = 0): number {
    expectGrants("read", grants, "frames");
    const frame = grants.frames[index];
    if (frame === undefined) throw outOfRange("read grant", index, `there are ${grants.frames.length}`);
    wholeNumber("read a granted frame at offset", offset, 0, PAGE_SIZE - 1);
    return this.world.hv.mem.read8(frame * PAGE_SIZE + offset as never);
  }

  override [viewOf](): View {
    const { line, blocks } = this.domain[viewOf]();
    return {
      line: `guest: ${line}`,
      ...blocks === undefined ? {} : { title: `guest: domain ${this.domain.domid}`, blocks },
    };
  }

  /** Grows the table by setup_table until `count` more entries fit. */
  #growTable(count: number): void {
    const { grantTable } = this.domain;
    const { nrReady } = this.grantRefs;
    if (count <= nrReady) return;
    const needed = grantTable.nrEntries - nrReady + count;
    const op = { dom: DOMID_SELF, nr_frames: Math.ceil(needed / 512), status: 0, frame_list: [] };
    grantTableOp(this.world.hv, this.domain, GNTTABOP_setup_table, [op]);
    if (op.status !== GNTST_okay) {
      throw outOfRange(
        "grant",
        count,
        `the guest's grant table has ${nrReady} free entries and cannot grow to ${needed}`,
      );
    }
  }

  #nextPfns(count: number): number[] {
    const left = Math.max(0, this.domain.frames.length - this.#nextPfn);
    if (count > left) throw outOfRange("grant", count, `the guest has ${left} frames left to grant`);
    return Array.from({ length: count }, (_, i) => this.#nextPfn + i);
  }
}
