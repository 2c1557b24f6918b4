/**
 * May a range with these properties join a VMA next to it? Each rule that forbids it has a name.
 *
 * @module
 */

import { PAGE_SIZE } from "../../core/geometry.ts";
import type { AnonVma } from "./anon_vma.ts";
import type { FileObject } from "./file.ts";
import type { Vma } from "./vma.ts";
import { VM_SOFTDIRTY } from "./vm_flags.ts";

/** Why a merge is not allowed. */
export type MergeObstacle =
  | "nothing there" // no VMA ends or starts at the border
  | "VM_SPECIAL" // IO, DONTEXPAND, PFNMAP, MIXEDMAP never merge
  | "flags"
  | "protection key"
  | "file"
  | "close operation"
  | "anon_vma" // both have pages of their own, or one is touched and the other is not
  | "page offset";

/** What a range must share with a neighbour. */
export interface MergeProperties {
  readonly flags: number;
  readonly pkey: number;
  readonly file: FileObject | null;
  readonly anonVma: AnonVma | null;
  /** Every anon_vma that may hold pages of the range; not needed where `anonVma` is null. */
  readonly anonVmaChain?: readonly AnonVma[];
}

/** May the anonymous pages of a range become those of a VMA next to it? */
export type AnonVmaRule = (wanted: MergeProperties, vma: Vma) => boolean;

/**
 * Two anon_vmas go together if they are the same, or if one side has none and `vma` has exactly one in its chain.
 * A `vma` that has none has an *empty* chain, so it does not take over somebody else's.
 *
 * @cite linux 6.1 mm/mmap.c is_mergeable_anon_vma
 */
export function isMergeableAnonVma(one: AnonVma | null, other: AnonVma | null, vma: Vma | null): boolean {
  if ((one === null || other === null) && (vma === null || vma.anonVmaChain.length === 1)) return true;
  return one === other;
}

/** One side may have none, but then it must be the range's. @cite linux 6.1 mm/mmap.c is_mergeable_anon_vma */
export const onlyRangeMayLackAnonVma: AnonVmaRule = ({ anonVma }, vma) =>
  isMergeableAnonVma(anonVma, vma.anonVma, vma);

/**
 * Either side may have none. Whoever has one must not share it with a parent, as after a fork.
 *
 * @cite linux 7.2 mm/vma.c is_mergeable_anon_vma
 */
export const eitherMayLackAnonVma: AnonVmaRule = ({ anonVma, anonVmaChain = [] }, vma) =>
  anonVma === vma.anonVma || (anonVma === null && vma.anonVmaChain.length === 1) ||
  (vma.anonVma === null && anonVmaChain.length === 1);

/** VM_SOFTDIRTY does not count. @cite linux 6.1 mm/mmap.c is_mergeable_vma */
function obstacleInVma(vma: Vma, wanted: MergeProperties): MergeObstacle | null {
  if (((vma.flags ^ wanted.flags) & ~VM_SOFTDIRTY) !== 0) return "flags";
  if (vma.pkey !== wanted.pkey) return "protection key";
  if (vma.file !== wanted.file) return "file";
  if (vma.ops?.close !== undefined) return "close operation";
  return null;
}

/** May `vma`, which starts where the range ends, grow down? @cite linux 6.1 mm/mmap.c can_vma_merge_before */
export function obstacleBefore(vma: Vma, wanted: MergeProperties, endPgoff: number): MergeObstacle | null {
  const obstacle = obstacleInVma(vma, wanted);
  if (obstacle !== null) return obstacle;
  if (!vma.mm.system.flavour.joinsAnonVma(wanted, vma)) return "anon_vma";
  return vma.pgoff === endPgoff ? null : "page offset";
}

/** May `vma`, which ends where the range starts, grow up? @cite linux 6.1 mm/mmap.c can_vma_merge_after */
export function obstacleAfter(vma: Vma, wanted: MergeProperties, pgoff: number): MergeObstacle | null {
  const obstacle = obstacleInVma(vma, wanted);
  if (obstacle !== null) return obstacle;
  if (!vma.mm.system.flavour.joinsAnonVma(wanted, vma)) return "anon_vma";
  return vma.pgoff + (vma.end - vma.start) / PAGE_SIZE === pgoff ? null : "page offset";
}
