/**
 * Saving a host: memory, frame table, domains with their grant tables and mappings, flush clock. Not saved: what the
 * processors' TLBs hold (a loaded host begins with empty ones), counters, and seams that are functions.
 *
 * @module
 */

import { PAGE_SIZE } from "../../core/geometry.ts";
import { outOfRange } from "../../core/misuse.ts";
import { WORDS_PER_FRAME } from "../../x86/phys_mem.ts";
import type { Domain } from "../domain.ts";
import type { XenFlavour } from "../flavours.ts";
import type { Hypervisor } from "../hypervisor.ts";
import { digestOf, encodeSnapshot } from "./format.ts";
import type { DomainState, HostState } from "./state.ts";

/**
 * The host as the bytes of one file.
 *
 * @throws {RangeError} if a hypercall runs
 *
 * @example
 * ```ts
 * import { PhysMem } from "grantlab/x86";
 * import { Trace } from "grantlab/trace";
 * import * as xen from "grantlab/xen";
 * const cpus = [{ flushAll() {}, invlpg() {} }];
 * const hv = new xen.Hypervisor({ mem: new PhysMem(4096), trace: new Trace(), flavour: xen.xen4_17, cpus });
 * hv.createDomain({ frames: 8, privileged: true });
 * const again = xen.loadHost(xen.saveHost(hv), { cpus, trace: new Trace() });
 * if (xen.hostDigest(again) !== xen.hostDigest(hv)) throw new Error();
 * ```
 */
export function saveHost(hv: Hypervisor): Uint8Array {
  if (hv.depth > 0) throw outOfRange("save a host at depth", hv.depth, "a hypercall runs");
  const content: number[] = [];
  hv.mem.forEachSlot((frame) => content.push(frame));
  content.sort((a, b) => a - b);
  const frames = new Uint8Array(content.length * PAGE_SIZE);
  const words = new Int32Array(frames.buffer);
  content.forEach((frame, i) => {
    const at = hv.mem.slotOf(frame) * WORDS_PER_FRAME;
    words.set(hv.mem.words.subarray(at, at + WORDS_PER_FRAME), i * WORDS_PER_FRAME);
  });
  const state: HostState = {
    flavour: hv.flavour.name,
    seams: seamNames(hv.flavour),
    nrFrames: hv.mem.nrFrames,
    nrCpus: hv.cpus.length,
    frameTable: plain(hv.frames.columns()),
    tlbTimes: hv.tlb.times(),
    leaks: hv.leaks,
    injected: hv.injected,
    domains: [...hv.domains.values()].map(domainState),
    content,
  };
  return encodeSnapshot({ state, frames });
}

/** The digest of a host: equal for equal hosts. */
export function hostDigest(hv: Hypervisor): string {
  return digestOf(saveHost(hv));
}

/** What a flavour chose, seam by seam: the name of a plan, the value of a rule. */
export function seamNames(flavour: XenFlavour): HostState["seams"] {
  const { name: _, citations: _citations, ...choices } = flavour;
  return Object.fromEntries(
    Object.entries(choices).map(([seam, choice]) => [seam, namesItself(choice) ? choice.name : choice]),
  );
}

function namesItself(choice: XenFlavour[keyof XenFlavour]): choice is { readonly name: string } {
  return typeof choice === "object" || typeof choice === "function";
}

function plain(columns: object): Record<string, number[]> {
  return Object.fromEntries(
    Object.entries(columns).map(([name, column]) => [name, Array.from(column as ArrayLike<number>)]),
  );
}

function domainState(domain: Domain): DomainState {
  const { grantTable: table, maptrack, crash } = domain;
  const active: number[] = [];
  for (let ref = 0; ref < table.nrEntries; ref++) {
    if (table.pin[ref] !== 0) active.push(ref, table.pin[ref]!, table.domid[ref]!, table.mfn[ref]!);
  }
  const p2m: number[] = [];
  domain.p2m?.forEach((gfn, mfn, type) => p2m.push(gfn, mfn, type));
  return {
    domid: domain.domid,
    name: domain.name,
    kind: domain.kind,
    privileged: domain.privileged,
    mayMapIomem: domain.mayMapIomem,
    maxPages: domain.maxPages,
    frames: [...domain.frames],
    p2m: domain.p2m === null ? null : p2m,
    vcpus: domain.vcpus,
    currentVcpu: domain.currentVcpu,
    dirtyCpus: [...domain.dirtyCpus].sort((a, b) => a - b),
    isDying: domain.isDying,
    crash: crash === null ? null : { where: crash.where, why: crash.why },
    grantTable: {
      version: table.version,
      maxFrames: table.maxFrames,
      sharedFrames: [...table.sharedFrames],
      statusFrames: [...table.statusFrames],
      active,
    },
    maptrack: { maxFrames: maptrack.maxFrames, columns: plain(maptrack.columns()) },
  };
}
