/**
 * The price lists in instructions that come with the project: made by `deno task calibrate` from the recordings.
 *
 * @module
 */

import native6_1 from "./instructions/linux6_1-native.json" with { type: "json" };
import pv6_1 from "./instructions/linux6_1-xen4_17-pv.json" with { type: "json" };
import pvh6_1 from "./instructions/linux6_1-xen4_17-pvh.json" with { type: "json" };
import type { InstructionList } from "./instruction_list.ts";

/** Linux 6.1 alone. */
export const LINUX_6_1_INSTRUCTIONS: InstructionList = native6_1 as unknown as InstructionList;
/** Linux 6.1 as PV dom0 of Xen 4.17. */
export const PV_6_1_INSTRUCTIONS: InstructionList = pv6_1 as unknown as InstructionList;
/** Linux 6.1 as PVH dom0 of Xen 4.17. */
export const PVH_6_1_INSTRUCTIONS: InstructionList = pvh6_1 as unknown as InstructionList;

/** All lists. */
export const INSTRUCTION_LISTS: readonly InstructionList[] = Object.freeze([
  LINUX_6_1_INSTRUCTIONS,
  PV_6_1_INSTRUCTIONS,
  PVH_6_1_INSTRUCTIONS,
]);

/** The list of a machine with this kernel, and hypervisor if it has one; nothing if none was made. */
export function instructionListOf(machine: string, kernel: string, xen: string): InstructionList | undefined {
  return INSTRUCTION_LISTS.find((list) =>
    list.machine === machine && list.kernel === kernel && (list.xen === null || list.xen === xen)
  );
}
