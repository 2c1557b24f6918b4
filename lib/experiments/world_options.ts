/**
 * What a host may be made of, and the check of what was typed for it.
 *
 * @module
 */

import { wrongType } from "../core/misuse.ts";
import { knownOptions } from "../core/options.ts";
import { xen4_17, type XenFlavour, xenFlavour } from "../xen/flavours.ts";

/** How a `world()` is made. Everything has a default. */
export interface WorldOptions {
  /** Linux in dom0: `linux6_1`, `seed2014`, … */
  readonly kernel?: string;
  /** The hypervisor: `xen4_17`, or a record derived from one. */
  readonly xen?: string | XenFlavour;
  /** Frames of dom0. */
  readonly dom0Frames?: number;
  /** Pages that dom0 keeps without a frame, for foreign mappings. */
  readonly ballooned?: number;
  /** Frames of the guest. */
  readonly guestFrames?: number;
  /** CPUs of the machine, and vCPUs of dom0. Default 1. */
  readonly cpus?: number;
  /** Frames of the machine for further guests, beside some 4000 that are free in every one. Default 0. */
  readonly spareFrames?: number;
}

const KNOWN: Readonly<Record<keyof WorldOptions, true>> = {
  kernel: true,
  xen: true,
  dom0Frames: true,
  ballooned: true,
  guestFrames: true,
  cpus: true,
  spareFrames: true,
};

/** Refuses options that there are not. @throws {RangeError} with the near ones */
export function checkWorldOptions(options: WorldOptions): void {
  knownOptions("world()", options, KNOWN);
}

/** The hypervisor of that name, or a record derived from one. @throws {RangeError} or {TypeError} if it is neither */
export function xenOf(xen: string | XenFlavour): XenFlavour {
  if (typeof xen === "string") return xenFlavour(xen);
  const missing = typeof xen === "object" && xen !== null
    ? Object.keys(xen4_17).filter((choice) => !(choice in xen))
    : null;
  if (missing?.length === 0) return xen;
  const reason = missing === null
    ? "it must be a name, or a record derived from a flavour"
    : `it lacks ${missing.slice(0, 3).join(", ")}; derive it from one: { ...xenFlavour("xen4_17"), … }`;
  throw wrongType("boot as hypervisor", xen, reason);
}
