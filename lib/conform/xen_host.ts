/**
 * The smallest Xen host with a dom0 that recordings are replayed on.
 *
 * @module
 */

import { bootXenLinux } from "../linux/kernel.ts";
import { pvGuest } from "../linux/xen/guest_kind.ts";
import { pvhGuest } from "../linux/xen/pvh.ts";
import type { XenLinux } from "../linux/xen/xen_linux.ts";
import { Trace } from "../trace/trace.ts";
import { Cpu } from "../x86/cpu.ts";
import { PhysMem } from "../x86/phys_mem.ts";
import { Hypervisor } from "../xen/hypervisor.ts";
import type { Machine } from "./machine.ts";

/** Machines of the recordings that run Xen. */
export type XenMachine = "xenpv" | "xenpvh";

const DOM0_FRAMES = 6144;
const BALLOONED = 66560;

/** Machine frames from here on are free for further domains. */
export const FREE_FRAMES_FROM = 0x20000;
const FREE_FRAMES = 4096;

/** Memory of a translated dom0 lies 1:1, but for its frame 0, which is the hypervisor's. */
const DOM0 = {
  xenpv: { kind: "pv", frames: { first: 0x1000, count: DOM0_FRAMES } },
  xenpvh: {
    kind: "pvh",
    frames: Array.from({ length: DOM0_FRAMES }, (_, i) => i === 0 ? DOM0_FRAMES : i),
  },
} as const;

const GUEST = { xenpv: pvGuest, xenpvh: pvhGuest } as const;

/** A host with dom0 and no other domain. */
export function xenHost(machine: XenMachine, releases: Machine): XenLinux {
  const trace = new Trace();
  const mem = new PhysMem(FREE_FRAMES_FROM + FREE_FRAMES);
  const cpus = [new Cpu({ trace })];
  const hv = new Hypervisor({ mem, trace, flavour: releases.xen, cpus });
  const domain = hv.createDomain({ name: "dom0", ...DOM0[machine], privileged: true });
  return bootXenLinux({
    hv,
    domain,
    cpus,
    flavour: releases.kernel,
    nrBallooned: BALLOONED,
    guest: GUEST[machine],
  });
}
