/**
 * From PWT, PCD and PAT of a leaf to a memory type, by way of IA32_PAT. What the MTRRs say about the physical address
 * is combined with it on hardware and left out here: the type is that of memory whose MTRR type is write-back.
 *
 * ```text
 *  index = PAT << 2 | PCD << 1 | PWT
 *  at reset:  0 WB   1 WT   2 UC-   3 UC   4 WB   5 WT   6 UC-   7 UC
 * ```
 *
 * @cite sdm 3A 12.12.3 selecting a memory type from the PAT
 * @module
 */

import { RIGHT_PAT } from "./access.ts";

/** How memory is cached. `UC-` is UC that an MTRR of type WC overrides. */
export type MemoryType = "UC" | "WC" | "WT" | "WP" | "WB" | "UC-";

/** IA32_PAT after a reset. */
export const PAT_RESET = 0x0007_0406_0007_0406n;

/** Memory types by their encoding; 2 and 3 are reserved. @cite sdm 3A Table 12-10 */
const BY_ENCODING: readonly (MemoryType | undefined)[] = [
  "UC",
  "WC",
  undefined,
  undefined,
  "WT",
  "WP",
  "WB",
  "UC-",
];

/**
 * The eight types of an IA32_PAT value by index, or `undefined` if the register refuses the value (#GP).
 *
 * @example
 * ```ts
 * import { memoryTypesOf, PAT_RESET } from "grantlab/x86";
 * if (memoryTypesOf(PAT_RESET)?.join() !== "WB,WT,UC-,UC,WB,WT,UC-,UC") throw new Error();
 * if (memoryTypesOf(2n) !== undefined) throw new Error();
 * ```
 */
export function memoryTypesOf(pat: bigint): readonly MemoryType[] | undefined {
  const types: MemoryType[] = [];
  for (let i = 0; i < 8; i++) {
    const type = BY_ENCODING[Number(pat >> BigInt(8 * i) & 0xffn)];
    if (type === undefined) return undefined;
    types.push(type);
  }
  return types;
}

/** Index into IA32_PAT of a translation's effective rights. */
export function patIndexOf(rights: number): number {
  return rights >>> 3 & 3 | ((rights & RIGHT_PAT) !== 0 ? 4 : 0);
}
