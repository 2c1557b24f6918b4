/**
 * Kernels by name, and the function that boots one in a domain: the only place that turns a flavour into objects.
 *
 * @module
 */

import { lookUp } from "../core/nearest.ts";
import type { Cpu } from "../x86/cpu.ts";
import type { Domain } from "../xen/domain.ts";
import type { Hypervisor } from "../xen/hypervisor.ts";
import * as flavours from "./flavours.ts";
import type { GuestKind } from "./xen/guest_kind.ts";
import type { KernelFlavour } from "./xen/kernel_flavour.ts";
import { XenLinux } from "./xen/xen_linux.ts";

/** Name of a kernel flavour. */
export type KernelFlavourName = keyof typeof flavours;

/** All kernel flavours by name. */
export const KERNEL_FLAVOURS: Readonly<Record<KernelFlavourName, KernelFlavour>> = flavours;

/**
 * The flavour of that name.
 *
 * @throws {RangeError} if there is none, with near names
 *
 * @example
 * ```ts
 * import { kernelFlavour } from "grantlab/linux";
 * if (!kernelFlavour("linux4_0").title.startsWith("Linux 4.0")) throw new Error();
 * ```
 */
export function kernelFlavour(name: string): KernelFlavour {
  return lookUp<KernelFlavour>("kernel flavour", { ...KERNEL_FLAVOURS }, name);
}

/** What a kernel boots on. */
export interface KernelOptions {
  readonly hv: Hypervisor;
  readonly domain: Domain;
  readonly cpus: readonly Cpu[];
  readonly flavour: KernelFlavour;
  /** Pages kept for foreign mappings. */
  readonly nrBallooned: number;
  /** Default: paravirtual. */
  readonly guest?: GuestKind;
}

/** A Linux in a domain. */
export function bootXenLinux({ flavour, ...where }: KernelOptions): XenLinux {
  const { mm, scheme, gntdevRange, rules } = flavour;
  return new XenLinux({ ...where, mm, scheme, gntdevRange, rules });
}
