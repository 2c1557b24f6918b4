/**
 * The scripts of the recordings that come with the project: those of 6.1, and those that were recorded on the releases
 * asked about, and a few written ones. Random sequences went on from what they met, so another release's hold calls of their own.
 *
 * @module
 */

import { openInput } from "../read.ts";
import { type Script, scriptsOf } from "./script.ts";
import { writtenScripts } from "./written_scripts.ts";

const GOLDEN = new URL("../../../tests/golden/", import.meta.url);

/** Recordings of the folder itself: Linux 6.1 on Xen 4.17. */
const COMMON = [
  "vma-scripted",
  "vma-random",
  "grant-cases-pv",
  "grant-cases-pvh",
  "grant-random-pv",
] as const;

/** What each further release has of its own. */
const OWN: Readonly<Record<string, readonly string[]>> = {
  linux5_10: ["vma-random", "grant-cases-pv"].map((name) => `releases/linux5_10-xen4_14/${name}`),
  linux6_12: ["vma-random", "grant-cases-pv"].map((name) => `releases/linux6_12-xen4_20/${name}`),
  linux7_2: ["vma-random", "grant-cases-pv"].map((name) => `releases/linux7_2-xen4_20/${name}`),
};

/** All files that scripts are read from, relative to the project; an installation without them has no scripts. */
export const GOLDEN_SCRIPT_FILES: readonly string[] = [...COMMON, ...Object.values(OWN).flat()].map((name) =>
  `tests/golden/${name}.jsonl.gz`
);

/**
 * Every script once, however many releases it was recorded on.
 *
 * @param kernels names of the kernels whose own recordings are wanted besides the common ones
 */
export async function goldenScripts(kernels: readonly string[]): Promise<Script[]> {
  const names = [...COMMON, ...new Set(kernels.flatMap((kernel) => OWN[kernel] ?? []))];
  const scripts = new Map<string, Script>();
  for (const name of names) {
    const path = decodeURIComponent(new URL(`${name}.jsonl.gz`, GOLDEN).pathname);
    for (const script of await scriptsOf(await openInput(path), name)) {
      if (!scripts.has(script.calls)) scripts.set(script.calls, script);
    }
  }
  return [...scripts.values(), ...writtenScripts()];
}
