/**
 * A flavour as a flat table of its seams, so that two can be compared and one choice can be carried over to the other.
 *
 * @module
 */

import type { KernelFlavour } from "./kernel_flavour.ts";
import { rules6_1 } from "./kernel_rules.ts";

/** Choices by name: `mm.keepsAccount`, `mremap.moves`, `rules.oopsEndsProcess`, `scheme`. */
export type SeamTable = Readonly<Record<string, unknown>>;

/** Members of `mm` that are no choice of their own. */
const NOT_SEAMS: ReadonlySet<string> = new Set(["name", "mremap"]);

/** The choices of a flavour. */
export function seamTable({ mm, rules, scheme, gntdevRange }: KernelFlavour): SeamTable {
  const named = (table: string, choices: object) =>
    Object.entries(choices).filter(([name]) => !NOT_SEAMS.has(name)).map(([name, choice]) =>
      [`${table}.${name}`, choice] as const
    );
  return Object.fromEntries([
    ...named("mm", mm),
    ...named("mremap", mm.mremap),
    ...named("rules", { ...rules6_1, ...rules }),
    ["scheme", scheme],
    ["gntdevRange", gntdevRange],
  ]);
}

/**
 * Names of the seams at which two flavours choose otherwise.
 *
 * @example
 * ```ts
 * import { differingSeams } from "grantlab/linux/xen";
 * import { kernelFlavour } from "grantlab/linux";
 * const names = differingSeams(kernelFlavour("linux6_0"), kernelFlavour("linux6_1"));
 * if (names.join() !== "gntdevRange") throw new Error(names.join());
 * ```
 */
export function differingSeams(one: KernelFlavour, other: KernelFlavour): string[] {
  const [left, right] = [seamTable(one), seamTable(other)];
  return Object.keys(left).filter((name) => !isSameChoice(left[name], right[name]));
}

/** Functions and tables are the same if they are one object; plain data if it reads the same. */
function isSameChoice(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  const hasFunctions = [...Object.values(one), ...Object.values(other)].some((v) => typeof v === "function");
  return !hasFunctions && JSON.stringify(one) === JSON.stringify(other);
}

/** `flavour` with the choices of `from` at the named seams. */
export function withSeamsOf(
  flavour: KernelFlavour,
  from: KernelFlavour,
  names: readonly string[],
): KernelFlavour {
  const choices = { ...seamTable(flavour) };
  const theirs = seamTable(from);
  for (const name of names) choices[name] = theirs[name];
  const table = (prefix: string) =>
    Object.fromEntries(
      Object.entries(choices).filter(([name]) => name.startsWith(`${prefix}.`)).map(([name, choice]) => [
        name.slice(prefix.length + 1),
        choice,
      ]),
    );
  const { gntdevRange, ...others } = flavour;
  return {
    ...others,
    mm: { ...flavour.mm, ...table("mm"), mremap: { ...flavour.mm.mremap, ...table("mremap") } },
    rules: { ...rules6_1, ...table("rules") },
    scheme: choices.scheme as KernelFlavour["scheme"],
    ...(choices.gntdevRange === undefined
      ? {}
      : { gntdevRange: choices.gntdevRange as NonNullable<typeof gntdevRange> }),
  };
}
