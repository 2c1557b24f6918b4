/**
 * Why a call came out as it did: the question that `explain` answers for a direct I/O and for the memory calls of a
 * process.
 *
 * @module
 */

import { wrongType } from "../core/misuse.ts";
import type { SysResult } from "../core/errno.ts";
import { CallRecord, explainCall } from "../linux/mm/last_call.ts";
import { MmStruct } from "../linux/mm/mm_struct.ts";
import { Explanation, IoOutcome } from "./io_outcome.ts";
import { callOf, Process } from "./process.ts";

/**
 * Explains a direct I/O page by page, or what a memory call decided: which VMA was cut and who is new, what merged or
 * what forbade it, who was told, what was flushed, each with the kernel function that took the decision. Of a process or
 * an address space it explains the last call.
 *
 * @throws {TypeError} for anything else, as for the answer of a call made past {@linkcode Process}
 *
 * @example
 * ```ts
 * import { explain, PAGE, world } from "grantlab";
 * const w = world({ kernel: "linux6_1" });
 * const qemu = w.process("qemu");
 * const vma = qemu.mmapGrants(w.guest.grant(4));
 * const why = String(explain(qemu.munmap(vma.start, PAGE)));
 * if (!why.includes("__split_vma: cuts at")) throw new Error(why);
 * const text = String(explain(qemu.directRead(vma.start + PAGE, PAGE)));
 * if (!text.includes("pte_val clears PRESENT")) throw new Error(text);
 * ```
 */
export function explain(io: IoOutcome): Explanation;
export function explain(call: SysResult<unknown> | Process | MmStruct): CallRecord;
export function explain(what: IoOutcome | SysResult<unknown> | Process | MmStruct): Explanation | CallRecord {
  if (what instanceof IoOutcome) return new Explanation(what);
  if (what instanceof Process) return explainCall(what.mm);
  if (what instanceof MmStruct) return explainCall(what);
  const call: unknown = typeof what === "object" && what !== null && callOf in what ? what[callOf] : null;
  if (call instanceof CallRecord) return call;
  throw wrongType(
    "explain",
    what,
    "it is no direct I/O, process or address space, and no answer of a memory call of a process",
  );
}
