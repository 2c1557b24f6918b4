/**
 * Memory for a change of the tree of VMAs, set aside before anything is changed, so that the change cannot fail half way.
 * How many nodes depends on the release: the worst case, or what this change needs; a red-black tree has its nodes in the
 * VMAs and needs none. Only counts: `vma_tree.ts` is our own index.
 *
 * @cite linux 6.1 lib/maple_tree.c mas_preallocate
 * @module
 */

import { EV } from "../../trace/events.ts";
import type { MmSystem } from "./mm_system.ts";

/** Sets nodes aside for one change. */
export function preallocateNodes({ trace, flavour }: MmSystem): void {
  if (flavour.treeNodes > 0) trace.add(EV.vma_tree_prealloc, flavour.treeNodes);
}
