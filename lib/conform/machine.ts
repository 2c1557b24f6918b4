/**
 * What a recording was made on. The data itself does not say which releases; the folder that it lies in does:
 * `linux6_12-xen4_20/vma-random.jsonl`. The command line wins over the folder.
 *
 * @module
 */

import { kernelFlavour } from "../linux/kernel.ts";
import { noForeignPages } from "../linux/mm/foreign_none.ts";
import type { MmFlavour } from "../linux/mm/flavour.ts";
import type { KernelFlavour } from "../linux/xen/kernel_flavour.ts";
import { type XenFlavour, xenFlavour } from "../xen/flavours.ts";
import { BadInput, type ReplayOptions } from "./format.ts";

/** Names of both releases of a recording. */
export interface Releases {
  readonly kernel: string;
  readonly xen: string;
}

/** Releases of data that no folder says otherwise of. */
export const RECORDED_ON: Releases = Object.freeze({
  kernel: "linux6_1",
  xen: "xen4_17",
});

/** The flavours of a recording. */
export interface Machine {
  readonly kernel: KernelFlavour;
  readonly xen: XenFlavour;
}

/**
 * The releases that the innermost folder of the path names, if one does.
 *
 * @example
 * ```ts
 * import { releasesOfPath } from "grantlab/conform";
 * if (releasesOfPath("releases/linux6_12-xen4_20/vma-random.jsonl.gz")?.kernel !== "linux6_12") throw new Error();
 * if (releasesOfPath("vma-random.jsonl") !== undefined) throw new Error();
 * ```
 */
export function releasesOfPath(path: string): Releases | undefined {
  for (const name of path.split("/").reverse()) {
    const match = /^(linux\w+)-(xen\w+)$/.exec(name);
    if (match !== null) return { kernel: match[1]!, xen: match[2]! };
  }
  return undefined;
}

/**
 * The flavours that an input is replayed on.
 *
 * @throws {BadInput} if the folder names a release that there is no flavour of
 * @throws {RangeError} if an option does
 */
export function machineOf(path: string, options: ReplayOptions): Machine {
  const { kernel, xen } = releasesFor(path, options);
  try {
    return { kernel: kernelFlavour(kernel), xen: xenFlavour(xen) };
  } catch (e) {
    if (options.kernel === kernel || options.xen === xen) throw e;
    throw new BadInput(path, (e as Error).message);
  }
}

/** Names of the releases that an input is replayed on. */
export function releasesFor(path: string, options: ReplayOptions): Releases {
  const { kernel, xen } = releasesOfPath(path) ?? RECORDED_ON;
  return { kernel: options.kernel ?? kernel, xen: options.xen ?? xen };
}

/** The kernel without Xen: nothing foreign in it. */
export function nativeFlavour({ mm }: KernelFlavour): MmFlavour {
  return { ...mm, foreign: noForeignPages };
}
