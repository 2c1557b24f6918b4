/**
 * Loading a saved host. The books of what comes out are checked before it is handed over: a file that is whole but
 * describes a host that cannot be is refused like a torn one.
 *
 * @module
 */

import { DomainCrash } from "../../core/crash.ts";
import type { Mfn } from "../../core/frames.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import type { Trace } from "../../trace/trace.ts";
import { PhysMem, WORDS_PER_FRAME } from "../../x86/phys_mem.ts";
import { Domain } from "../domain.ts";
import { XEN_FLAVOURS, type XenFlavour } from "../flavours.ts";
import type { PhysicalCpu } from "../flush.ts";
import type { FrameColumns } from "../frame_table.ts";
import { GrantTable } from "../grant_table.ts";
import { pvHostMap } from "../host_map/pv.ts";
import { translatedHostMap } from "../host_map/translated.ts";
import { Hypervisor } from "../hypervisor.ts";
import { Maptrack, type MaptrackColumns } from "../maptrack.ts";
import { P2m } from "../p2m.ts";
import { validateXen } from "../validate.ts";
import { BadSnapshot, decodeSnapshot } from "./format.ts";
import { seamNames } from "./save_host.ts";
import type { DomainState, HostState } from "./state.ts";

/** What a file does not hold. */
export interface LoadHostOptions {
  /** As many as the saved host had. Their TLBs should be empty. */
  readonly cpus: readonly PhysicalCpu[];
  readonly trace: Trace;
  /** The flavour, if it is not one of `XEN_FLAVOURS`; it must have the saved name and seams. */
  readonly flavour?: XenFlavour;
}

/**
 * The host of a file.
 *
 * @throws {BadSnapshot} if the file is torn, foreign, of another version, or its host cannot be
 */
export function loadHost(file: Uint8Array, options: LoadHostOptions): Hypervisor {
  const { state, frames } = decodeSnapshot(file);
  try {
    return build(state as HostState, frames, options);
  } catch (e) {
    if (e instanceof BadSnapshot) throw e;
    throw new BadSnapshot(`Cannot load a host: its state does not describe one: ${(e as Error).message}`);
  }
}

function build(state: HostState, frames: Uint8Array, options: LoadHostOptions): Hypervisor {
  const flavour = flavourOf(state, options.flavour);
  if (options.cpus.length !== state.nrCpus) {
    throw new BadSnapshot(
      `Cannot load a host: it has ${state.nrCpus} processors, ${options.cpus.length} were given`,
    );
  }
  if (frames.length !== state.content.length * PAGE_SIZE) {
    throw new BadSnapshot(
      `Cannot load a host: it has ${state.content.length} frames with content, ` +
        `the file holds ${frames.length / PAGE_SIZE}`,
    );
  }
  const mem = new PhysMem(state.nrFrames);
  const words = new Int32Array(frames.slice().buffer);
  state.content.forEach((frame, i) => {
    const at = mem.makeSlot(frame) * WORDS_PER_FRAME;
    mem.words.set(words.subarray(i * WORDS_PER_FRAME, (i + 1) * WORDS_PER_FRAME), at);
  });
  const { trace, cpus } = options;
  const hv = new Hypervisor({ mem, trace, flavour, cpus });
  const counted = trace.mark();
  hv.frames.restore(state.frameTable as unknown as FrameColumns);
  hv.tlb.restore(state.tlbTimes);
  hv.leaks.push(...state.leaks);
  hv.injected.push(...state.injected);
  for (const domain of state.domains) hv.domains.set(domain.domid, domainOf(hv, domain));
  hv.nrDying = state.domains.filter((domain) => domain.isDying).length;
  // loading is not running
  trace.counters.set(counted);
  const [violation] = validateXen(hv, { guestsBehave: false });
  if (violation === undefined) return hv;
  throw new BadSnapshot(`Cannot load a host: its books are not in order: ${violation.what}`);
}

function flavourOf(state: HostState, given: XenFlavour | undefined): XenFlavour {
  const known: Readonly<Record<string, XenFlavour>> = XEN_FLAVOURS;
  const flavour = given ?? (Object.hasOwn(known, state.flavour) ? known[state.flavour] : undefined);
  if (flavour === undefined) {
    throw new BadSnapshot(
      `Cannot load a host: its flavour ${JSON.stringify(state.flavour)} is not known here`,
    );
  }
  const seams = seamNames(flavour);
  const other = Object.keys(seams).find((seam) => seams[seam] !== state.seams[seam]);
  if (flavour.name === state.flavour && other === undefined) return flavour;
  const what = flavour.name !== state.flavour || other === undefined
    ? `its flavour is ${state.flavour}, ${flavour.name} was given`
    : `its ${other} is ${JSON.stringify(state.seams[other])}, that of ${flavour.name} is ${
      JSON.stringify(seams[other])
    }: give its flavour`;
  throw new BadSnapshot(`Cannot load a host: ${what}`);
}

function domainOf(hv: Hypervisor, state: DomainState): Domain {
  const { trace } = hv;
  const p2m = state.p2m === null ? null : new P2m(trace);
  for (let i = 0; p2m !== null && i < state.p2m!.length; i += 3) {
    p2m.set(state.p2m![i]!, state.p2m![i + 1]!, state.p2m![i + 2]!);
  }
  const maptrackColumns = state.maptrack.columns as unknown as MaptrackColumns;
  const lists = maptrackColumns.head.length;
  const maptrack = new Maptrack({
    maxFrames: state.maptrack.maxFrames,
    vcpus: lists,
    trace,
    seed: state.domid,
    plan: hv.flavour.maptrack,
  });
  maptrack.restore(maptrackColumns);
  const { maxFrames, active, ...saved } = state.grantTable;
  const grantTable = new GrantTable({ maxFrames, memory: hv.tableMemory(state.domid), saved });
  for (let i = 0; i < active.length; i += 4) {
    const ref = active[i]!;
    grantTable.pin[ref] = active[i + 1]!;
    grantTable.domid[ref] = active[i + 2]!;
    grantTable.mfn[ref] = active[i + 3]!;
  }
  const domain = new Domain({
    domid: state.domid,
    name: state.name,
    kind: state.kind,
    mem: hv.mem,
    privileged: state.privileged,
    mayMapIomem: state.mayMapIomem,
    maxPages: state.maxPages,
    frames: Float64Array.from(state.frames),
    p2m,
    grantTable,
    maptrack,
    vcpus: state.vcpus.map((vcpu) => ({
      ...vcpu,
      kernelBase: vcpu.kernelBase as Mfn,
      userBase: vcpu.userBase as Mfn,
    })),
    hostMap: p2m === null ? pvHostMap : translatedHostMap,
  });
  domain.currentVcpu = state.currentVcpu;
  for (const cpu of state.dirtyCpus) domain.dirtyCpus.add(cpu);
  domain.isDying = state.isDying;
  if (state.crash !== null) domain.crash = new DomainCrash(state.domid, state.crash.where, state.crash.why);
  return domain;
}
