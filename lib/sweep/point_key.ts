/**
 * The content of a run's inputs as one key: the experiment, the value on every axis, and the text of the model. Results
 * are stored by it, so they can be merged from anywhere, and none outlives the model that it came from.
 *
 * Prices are no input: they are applied to the counts afterwards.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { VERSION } from "../core/version.ts";
import type { Point } from "../experiments/axis.ts";

/** Folders of `lib` whose text decides what a run counts. */
const MODEL = ["core", "trace", "x86", "xen", "linux", "drivers", "reference", "experiments"] as const;

/** Key of a run. */
export function pointKey(model: string, experiment: string, point: Point): string {
  const axes = Object.keys(point).sort().map((axis) => [axis, point[axis]]);
  return createHash("sha256").update(JSON.stringify([model, experiment, axes])).digest("hex").slice(0, 32);
}

/** The model's text as a key; its version where the text is not on this machine. */
export async function modelKey(): Promise<string> {
  const lib = new URL("../", import.meta.url);
  if (lib.protocol !== "file:") return `version ${VERSION}`;
  const hash = createHash("sha256");
  for (const folder of MODEL) await addFolder(hash, new URL(`${folder}/`, lib));
  return hash.digest("hex").slice(0, 12);
}

async function addFolder(hash: ReturnType<typeof createHash>, folder: URL): Promise<void> {
  const entries = (await Array.fromAsync(Deno.readDir(folder))).sort((a, b) => a.name < b.name ? -1 : 1);
  for (const { name, isDirectory } of entries) {
    if (isDirectory) await addFolder(hash, new URL(`${name}/`, folder));
    else if (/\.(ts|json)$/.test(name)) {
      hash.update(name).update("\0").update(await Deno.readTextFile(new URL(name, folder))).update("\0");
    }
  }
}
