/**
 * The judge. It compares what an access reached with what the reference says it must reach; it never asks the
 * detailed model. Silent failures have no other witness.
 *
 * @module
 */

import type { Errno } from "../core/errno.ts";
import { hex } from "../core/show.ts";
import type { ReferencePage } from "./address_space.ts";

/** How an access came out, as the detailed model or the bytes in memory show it. */
export type Reached =
  | { readonly kind: "frame"; readonly frame: number }
  | { readonly kind: "errno"; readonly errno: Errno }
  | { readonly kind: "signal"; readonly signal: string }
  | { readonly kind: "crash"; readonly where: string };

/** The judgement. `wrong-page` and `must-fail` raise no error anywhere else. */
export type Verdict =
  | "ok"
  | "wrong-page" // another frame than the reference's: silent corruption
  | "must-fail" // reached a frame where there is none to reach
  | "errno" // an errno where the access must succeed
  | "signal"
  | "crash";

/** What must happen at one page: the frame that must be reached, or the errno of the call. */
export function expectedAt(page: ReferencePage | undefined, needsWrite: boolean): Reached {
  if (page === undefined || (page.prot & (needsWrite ? 2 : 1)) === 0) {
    return { kind: "errno", errno: "EFAULT" };
  }
  return { kind: "frame", frame: page.frame };
}

/**
 * Judges one access.
 *
 * @example
 * ```ts
 * import { judge } from "grantlab/reference";
 * const verdict = judge({ kind: "frame", frame: 1 }, { kind: "frame", frame: 2 });
 * if (verdict !== "wrong-page") throw new Error(verdict);
 * ```
 */
export function judge(expected: Reached, reached: Reached): Verdict {
  if (reached.kind === "crash") return "crash";
  if (expected.kind === "frame") {
    if (reached.kind === "frame") return reached.frame === expected.frame ? "ok" : "wrong-page";
    return reached.kind;
  }
  if (reached.kind === "frame") return "must-fail";
  if (reached.kind === expected.kind && describeReached(reached) === describeReached(expected)) return "ok";
  return reached.kind;
}

/** One word for tables: the frame in hex, or the name of the failure. */
export function describeReached(reached: Reached): string {
  switch (reached.kind) {
    case "frame":
      return hex(reached.frame);
    case "errno":
      return reached.errno;
    case "signal":
      return reached.signal;
    case "crash":
      return `crash in ${reached.where}`;
  }
}
