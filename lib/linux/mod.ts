/**
 * Linux kernels assembled: the list of flavours, and the function that boots one in a domain.
 *
 * @module
 */

export * from "./kernel.ts";
export type { KernelFlavour } from "./xen/kernel_flavour.ts";
