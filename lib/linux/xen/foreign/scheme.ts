/**
 * The seam of the whole debate: how a foreign frame, mapped into user space, finds its `struct page`. A design is one
 * file in this folder that exports a {@linkcode SchemeMaker}, one line in `lib/linux/flavours.ts` and one column of
 * expected outcomes in a conformance table.
 *
 * @module
 */

import type { MmForeignHooks } from "../../mm/flavour.ts";
import type { Vma } from "../../mm/vma.ts";
import type { VmOperations } from "../../mm/vm_ops.ts";
import type { XenLinux } from "../xen_linux.ts";
import type { KernelHalf } from "./kernel_half.ts";

/** The pages of one driver map: pfn per slot, or -1. The driver fills a slot when its grant is mapped, clears it when unmapped. */
export interface MapPages {
  readonly slots: Int32Array;
  /** Address at which slot 0 was mapped. */
  readonly start: number;
}

/** One design. Holds its own state, one object per kernel. */
export interface ForeignPageScheme {
  readonly name: string;
  /** Extra GNTMAP_* flags for the user's entries: `1 << _GNTMAP_guest_avail0` makes them special. */
  readonly userMapFlags: number;
  /** What the design puts into common mm code. */
  readonly mm: MmForeignHooks;
  /** What it adds to the driver's `vm_operations_struct`. */
  readonly vmOps: Pick<VmOperations, "findSpecialPage">;
  /** How the kernel's own mapping of the pages is made and undone. */
  readonly kernelHalf: KernelHalf;
  /** Memory that the design takes once per kernel, used or not, in bytes; default 0. */
  readonly fixedBytes?: number;
  /** The page of a frame that plain M2P cannot name, or -1. */
  overridePfn(mfn: number): number;
  /** A driver maps a grant when its page is faulted on, not when the range is. */
  readonly mapsOnFault?: boolean;
  /** A VMA has been mapped by the driver: hang the pages on it, if the design does. */
  attachVma(vma: Vma, pages: MapPages): void;
}

/** Makes the state of a design for one kernel. */
export type SchemeMaker = (kernel: XenLinux) => ForeignPageScheme;
