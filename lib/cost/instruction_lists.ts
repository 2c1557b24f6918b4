/**
 * The price lists in instructions that come with the project: made by `deno task calibrate` from the recordings, one for
 * each machine and release recorded.
 *
 * @module
 */

import native5_10 from "./instructions/linux5_10-native.json" with { type: "json" };
import pv5_10_on4_14 from "./instructions/linux5_10-xen4_14-pv.json" with { type: "json" };
import native6_1 from "./instructions/linux6_1-native.json" with { type: "json" };
import pv6_1_on4_14 from "./instructions/linux6_1-xen4_14-pv.json" with { type: "json" };
import pv6_1_on4_17 from "./instructions/linux6_1-xen4_17-pv.json" with { type: "json" };
import pvh6_1_on4_17 from "./instructions/linux6_1-xen4_17-pvh.json" with { type: "json" };
import pv6_1_on4_20 from "./instructions/linux6_1-xen4_20-pv.json" with { type: "json" };
import native6_12 from "./instructions/linux6_12-native.json" with { type: "json" };
import pv6_12_on4_20 from "./instructions/linux6_12-xen4_20-pv.json" with { type: "json" };
import native7_2 from "./instructions/linux7_2-native.json" with { type: "json" };
import pv7_2_on4_20 from "./instructions/linux7_2-xen4_20-pv.json" with { type: "json" };
import type { InstructionList } from "./instruction_list.ts";

/** Linux 6.1 alone. */
export const LINUX_6_1_INSTRUCTIONS: InstructionList = native6_1 as unknown as InstructionList;
/** Linux 6.1 as PV dom0 of Xen 4.17. */
export const PV_6_1_INSTRUCTIONS: InstructionList = pv6_1_on4_17 as unknown as InstructionList;
/** Linux 6.1 as PVH dom0 of Xen 4.17. */
export const PVH_6_1_INSTRUCTIONS: InstructionList = pvh6_1_on4_17 as unknown as InstructionList;

/** All lists. */
export const INSTRUCTION_LISTS: readonly InstructionList[] = Object.freeze([
  native5_10,
  pv5_10_on4_14,
  native6_1,
  pv6_1_on4_14,
  pv6_1_on4_17,
  pvh6_1_on4_17,
  pv6_1_on4_20,
  native6_12,
  pv6_12_on4_20,
  native7_2,
  pv7_2_on4_20,
] as unknown as InstructionList[]);

/** The list of a machine with this kernel, and hypervisor if it has one; nothing if none was made. */
export function instructionListOf(machine: string, kernel: string, xen: string): InstructionList | undefined {
  return INSTRUCTION_LISTS.find((list) =>
    list.machine === machine && list.kernel === kernel && (list.xen === null || list.xen === xen)
  );
}
