/**
 * One way to show a value that works wherever the code runs: in a notebook of ours or of Deno's, in a session, in a
 * script.
 *
 * @module
 */

import { bundleOf } from "./display.ts";
import type { DisplayBundle } from "./evaluator.ts";
import { textOf } from "./print.ts";

/** The part of `Deno.jupyter` that is used. */
interface DenosKernel {
  broadcast(type: "display_data", content: DisplayBundle & { readonly transient: object }): Promise<void>;
}

/**
 * Shows a value: in a notebook as picture, HTML or text, elsewhere as text on stdout. The same notebook then runs on
 * grantlab's kernel and on Deno's own, where only what is awaited is sure to appear: one awaited `show` per cell.
 *
 * @example
 * ```ts
 * import { show } from "grantlab";
 * await show([0x1000n, 0x2000n]); // prints [ 0x1000n, 0x2000n ]
 * ```
 */
export async function show(value: unknown): Promise<void> {
  const ours = hostShow();
  const denos = ours === undefined ? denosKernel() : undefined;
  if (ours === undefined && denos === undefined) {
    console.log(textOf(value));
    return;
  }
  const bundle = await bundleOf(value) ?? { data: { "text/plain": "undefined" }, metadata: {} };
  if (ours !== undefined) ours(bundle);
  else await denos!.broadcast("display_data", { ...bundle, transient: {} });
}

/** The session's own way, if its front end takes displays. */
function hostShow(): ((bundle: DisplayBundle) => void) | undefined {
  const host = (globalThis as Record<symbol, unknown>)[Symbol.for("grantlab.repl.host")];
  return (host as { show?: (bundle: DisplayBundle) => void } | undefined)?.show;
}

/** Deno's kernel, if this runs in it; elsewhere merely asking throws. */
function denosKernel(): DenosKernel | undefined {
  try {
    return (Deno as unknown as { jupyter: DenosKernel }).jupyter;
  } catch {
    return undefined;
  }
}
