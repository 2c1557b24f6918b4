/**
 * What processors cache, as data. Vendors publish the TLBs and hardly a word on the paging-structure caches: what is
 * not published says so in `assumed`, and no result should hang on it.
 *
 * @module
 */

import { wrongType } from "../core/misuse.ts";
import { lookUp } from "../core/nearest.ts";
import type { TlbGeometry } from "./tlb.ts";
import type { BankGeometry, CachesGeometry } from "./translation_caches.ts";

/** Name of a preset. */
export type TlbPresetName = "plain" | "architectural" | "skylake" | "zen2";

/** A geometry with where it comes from. */
export interface CachesPreset extends CachesGeometry {
  readonly about: string;
  /** Where the figures are published; empty for a geometry that models no processor. */
  readonly source: string;
  /** What of it no vendor has published, or sources disagree about. */
  readonly assumed: readonly string[];
}

const ALL_SIZES: readonly (1 | 2 | 3)[] = [1, 2, 3];
const MANY: TlbGeometry = { sets: 64, ways: 4, grows: true };

function bank(sets: number, ways: number, ...levels: (1 | 2 | 3)[]): BankGeometry {
  return { sets, ways, levels };
}

/** The presets. */
export const TLB_PRESETS: Readonly<Record<TlbPresetName, CachesPreset>> = Object.freeze(
  {
    plain: {
      about: "one TLB of 1024 entries for everything, no paging-structure caches: easy to reason about",
      source: "",
      assumed: [],
      l1Data: [bank(256, 4, ...ALL_SIZES)],
    },
    architectural: {
      about:
        "keeps what the manual allows to be kept, until something must drop it: finds missing invalidations",
      source: "",
      assumed: [],
      // Apart for data and fetches, so that what one side walked anew leaves the other side's entry as it was.
      l1Data: [{ ...MANY, levels: ALL_SIZES }],
      l1Instruction: [{ ...MANY, levels: ALL_SIZES }],
      l2: [{ ...MANY, levels: ALL_SIZES }],
      structures: { 2: MANY, 3: MANY, 4: MANY, 5: MANY },
    },
    skylake: {
      about: "Intel Skylake client",
      source: "Intel 64 and IA-32 Architectures Optimization Reference Manual (248966-045), Table 2-15",
      assumed: [
        "round-robin replacement",
        "the 2 MiB instruction TLB is fully associative",
        "no L1 instruction TLB for 1 GiB pages: they are fetched through the L2 TLB",
        "paging-structure caches: 32 PDEs, 4 PDPTEs, 2 PML4Es, fully associative",
      ],
      l1Data: [bank(16, 4, 1), bank(8, 4, 2), bank(1, 4, 3)],
      l1Instruction: [bank(16, 8, 1), bank(1, 8, 2)],
      l2: [bank(128, 12, 1, 2), bank(4, 4, 3)],
      structures: { 2: { sets: 1, ways: 32 }, 3: { sets: 1, ways: 4 }, 4: { sets: 1, ways: 2 } },
    },
    zen2: {
      about: "AMD Zen 2",
      source:
        "Software Optimization Guide for AMD Family 17h Models 30h and Greater Processors (56305), 2.7 and 2.8",
      assumed: [
        "round-robin replacement",
        "L2 data TLB of 2048 entries is 16-way (public descriptions differ)",
        "L2 instruction TLB of 512 entries, 8-way (CPUID of some steppings reports 1024)",
        "1 GiB pages stay out of L2 (the processor keeps 2 MiB pieces of them there)",
        "paging-structure caches: 64 PDEs (the processor keeps them in the L2 data TLB), 32 PDPTEs, 32 PML4Es",
      ],
      l1Data: [bank(1, 64, ...ALL_SIZES)],
      l1Instruction: [bank(1, 64, ...ALL_SIZES)],
      l2: [bank(128, 16, 1, 2)],
      l2Instruction: [bank(64, 8, 1, 2)],
      structures: { 2: { sets: 4, ways: 16 }, 3: { sets: 1, ways: 32 }, 4: { sets: 1, ways: 32 } },
    },
  },
);

/** What a processor's caches may be given as: a preset, one TLB for everything, or a geometry in full. */
export type CachesChoice = TlbPresetName | TlbGeometry | CachesGeometry;

/**
 * The geometry that a choice stands for.
 *
 * @throws {RangeError} if there is no such preset
 */
export function cachesOf(choice: CachesChoice = "plain"): CachesGeometry {
  if (typeof choice === "string") return lookUp<CachesGeometry>("TLB preset", TLB_PRESETS, choice);
  if (typeof choice !== "object" || choice === null) {
    throw wrongType("make TLBs of", choice, "it must be a preset or a geometry");
  }
  return "l1Data" in choice ? choice : { l1Data: [{ ...choice, levels: ALL_SIZES }] };
}
