/**
 * What a kernel flavour is: one choice per seam and where the choice can be read about. Frozen data; a new one is
 * derived by spreading an old one.
 *
 * @module
 */

import type { MmFlavour, MremapRules } from "../mm/flavour.ts";
import type { GntdevRange } from "./gntdev_range.ts";
import { type KernelRules, rules6_1 } from "./kernel_rules.ts";
import type { SchemeMaker } from "./foreign/scheme.ts";

/** One kernel. */
export interface KernelFlavour {
  /** A line for people. */
  readonly title: string;
  /** Seams of `mm/`, but for the hooks of the design for foreign pages. */
  readonly mm: Omit<MmFlavour, "foreign">;
  /** The design for foreign pages. */
  readonly scheme: SchemeMaker;
  /** Where gntdev takes the range of a map from; default: the map, as since October 2022. */
  readonly gntdevRange?: GntdevRange;
  /** What Linux on Xen does outside of `mm/`; default: as 6.1. */
  readonly rules?: KernelRules;
  /** Where it can be read about, in the form of `@cite`. */
  readonly cite: string;
  /** A release that is told by what it does otherwise than an older one: which one, and what. */
  readonly derived?: { readonly from: KernelFlavour; readonly differences: readonly FlavourDifference[] };
}

/** One thing that a release does otherwise than the one it is derived from. */
export interface FlavourDifference {
  /** The rule as this release has it, in words. */
  readonly rule: string;
  /** Where it can be read or seen, in the form of `@cite`. */
  readonly cite: string;
  /** The choices that make it so. */
  readonly mm?: Partial<Omit<MmFlavour, "foreign" | "name" | "mremap">>;
  readonly mremap?: Partial<MremapRules>;
  readonly rules?: Partial<KernelRules>;
  readonly scheme?: SchemeMaker;
  /** The commit that brought it, or took it away after this release, in the form of `@cite`; if it is known. */
  readonly commit?: string;
}

/** What a release is called. */
export interface FlavourName {
  readonly name: string;
  readonly title: string;
  readonly cite: string;
}

/**
 * A release as an older one with differences, all of which stay readable.
 *
 * @example
 * ```ts
 * import { deriveFlavour } from "grantlab/linux/xen";
 * import { kernelFlavour } from "grantlab/linux";
 * const named = { name: "mine", title: "mine", cite: "linux 6.1 mm/mmap.c mmap_region" };
 * const rule = { rule: "joins the previous", cite: named.cite, mm: { mergeNewPrefers: "prev" } } as const;
 * const mine = deriveFlavour(kernelFlavour("linux6_1"), named, [rule]);
 * if (mine.mm.mergeNewPrefers !== "prev" || !mine.mm.keepsAccount) throw new Error();
 * ```
 */
export function deriveFlavour(
  from: KernelFlavour,
  { name, title, cite }: FlavourName,
  differences: readonly FlavourDifference[],
): KernelFlavour {
  const changed = differences.reduce((flavour, difference) => applyDifference(flavour, difference), from);
  return Object.freeze({
    ...changed,
    title,
    cite,
    mm: Object.freeze({ ...changed.mm, name }),
    derived: Object.freeze({ from, differences }),
  });
}

/** Names of the seams at which a difference chooses, as `flavour_seams.ts` names them. */
export function differenceSeams({ mm, mremap, rules, scheme }: FlavourDifference): string[] {
  const named = (table: string, choices: object = {}) =>
    Object.keys(choices).map((name) => `${table}.${name}`);
  return [
    ...named("mm", mm),
    ...named("mremap", mremap),
    ...named("rules", rules),
    ...(scheme === undefined ? [] : ["scheme"]),
  ];
}

/** The flavour with one thing otherwise. */
function applyDifference(flavour: KernelFlavour, difference: FlavourDifference): KernelFlavour {
  return {
    ...flavour,
    mm: { ...flavour.mm, ...difference.mm, mremap: { ...flavour.mm.mremap, ...difference.mremap } },
    rules: { ...rules6_1, ...flavour.rules, ...difference.rules },
    scheme: difference.scheme ?? flavour.scheme,
  };
}
