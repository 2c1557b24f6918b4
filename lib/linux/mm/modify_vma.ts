/**
 * Giving a part of a VMA other flags: merge with what then fits, or split what does not.
 *
 * @module
 */

import { ok, type SysResult } from "../../core/errno.ts";
import { vmaMerge } from "./merge.ts";
import { splitVmaWithinLimit } from "./split.ts";
import { linearPageIndex } from "./page_index.ts";
import type { Vma } from "./vma.ts";

/** New properties of a range. */
export interface VmaChange {
  readonly flags: number;
  readonly pkey: number;
}

/**
 * Makes `[start, end)` of `vma` a VMA that can take the change, and gives it the change; answers it. It may be larger
 * than the range if neighbours had these properties already.
 *
 * @param prev the VMA before, or `vma` itself if the range does not begin at its start
 * @returns ENOMEM at the limit of the number of VMAs (a first cut stays), what `may_split` answers
 * @cite linux 6.1 mm/mprotect.c mprotect_fixup
 * @cite linux 6.1 mm/madvise.c madvise_update_vma
 */
export function modifyVma(
  prev: Vma | null,
  vma: Vma,
  start: number,
  end: number,
  { flags, pkey }: VmaChange,
): SysResult<Vma> {
  const pgoff = linearPageIndex(vma, start);
  const { anonVma, anonVmaChain, file } = vma;
  const merged = vmaMerge(vma.mm, { prev, start, end, flags, pkey, anonVma, anonVmaChain, file, pgoff });
  const holder = merged ?? vma;
  if (merged === null) {
    if (start !== vma.start) {
      const cut = splitVmaWithinLimit(vma, start, true);
      if (!cut.ok) return cut;
    }
    if (end !== vma.end) {
      const cut = splitVmaWithinLimit(vma, end, false);
      if (!cut.ok) return cut;
    }
  }
  holder.flags = flags;
  holder.pkey = pkey;
  return ok(holder);
}
