/**
 * What two hosts do not share, rule by rule, each with the way to take it back: the rules are the differences that the
 * flavours were derived by and, where a flavour was not derived, the seams whose choices differ.
 *
 * @module
 */

import { differingSeams, withSeamsOf } from "../../linux/xen/flavour_seams.ts";
import { differenceSeams, type FlavourDifference } from "../../linux/xen/kernel_flavour.ts";
import type { XenFlavour } from "../../xen/flavours.ts";
import type { Machine } from "../machine.ts";

/** One rule that the first host has otherwise than the second. */
export interface Rule {
  /** The rule, in words. */
  readonly rule: string;
  /** Which of the two the words are about. */
  readonly holdsIn: "first" | "second";
  /** Where it can be read or seen. */
  readonly cite: string;
  /** The commit that changed it, if it is known. */
  readonly commit?: string;
  /** The second host with this rule as the first has it. */
  readonly reverted: Machine;
}

/** The rules that differ, those of the kernel first. */
export function rulesBetween(first: Machine, second: Machine): Rule[] {
  return [...kernelRules(first, second), ...xenRules(first, second)];
}

function kernelRules(first: Machine, second: Machine): Rule[] {
  const left = new Set(differingSeams(first.kernel, second.kernel));
  const rules: Rule[] = [];
  const add = (holdsIn: Rule["holdsIn"], difference: FlavourDifference) => {
    const own = differenceSeams(difference).filter((seam) => left.delete(seam));
    if (own.length === 0) return;
    const { rule, cite, commit } = difference;
    rules.push({ rule, holdsIn, cite, ...(commit !== undefined && { commit }), reverted: revert(own) });
  };
  const revert = (seams: readonly string[]): Machine => ({
    ...second,
    kernel: withSeamsOf(second.kernel, first.kernel, seams),
  });
  for (const difference of second.kernel.derived?.differences ?? []) add("second", difference);
  for (const difference of first.kernel.derived?.differences ?? []) add("first", difference);
  for (const seam of left) {
    rules.push({ rule: seam, holdsIn: "second", cite: second.kernel.cite, reverted: revert([seam]) });
  }
  return rules;
}

/** A hypervisor is told field by field. */
function xenRules(first: Machine, second: Machine): Rule[] {
  const fields = (Object.keys(second.xen) as (keyof XenFlavour)[]).filter((field) =>
    field !== "name" && field !== "citations" && first.xen[field] !== second.xen[field]
  );
  return fields.map((field) => ({
    rule: `${field} is ${nameOf(second.xen[field])} instead of ${nameOf(first.xen[field])}`,
    holdsIn: "second",
    cite: second.xen.citations[field] ?? first.xen.citations[field] ?? "",
    reverted: { ...second, xen: { ...second.xen, [field]: first.xen[field] } },
  }));
}

function nameOf(value: unknown): string {
  return typeof value === "object" && value !== null && "name" in value ? String(value.name) : String(value);
}
