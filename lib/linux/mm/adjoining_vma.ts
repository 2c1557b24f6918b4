/**
 * The next VMA of a call that must not meet a hole.
 *
 * @module
 */

import type { SysResult } from "../../core/errno.ts";
import { hex } from "../../core/show.ts";
import { findVma } from "./find_vma.ts";
import { refuse } from "./last_call.ts";
import type { Vma } from "./vma.ts";

/**
 * The VMA that begins at `at`, where what has been changed so far ends with `prev`; ENOMEM if there is a hole.
 *
 * @param where kernel function that looks
 */
export function adjoiningVma(prev: Vma, at: number, where: string): SysResult<Vma> {
  const next = findVma(prev.mm, prev.end);
  if (next !== null && next.start === at) return { ok: true, value: next };
  return refuse(prev.mm, "ENOMEM", where, `nothing is mapped at ${hex(at)}; what lies before has changed`);
}
