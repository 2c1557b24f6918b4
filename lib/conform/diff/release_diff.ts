/**
 * Two releases side by side: every script is replayed on both, and where they part, each rule that they do not share is
 * taken back alone. The calls that then come out otherwise are that rule's doing: same calls before, same state, and
 * nothing else is different.
 *
 * ```text
 *   second          mmap  mlock  munlock …     what the second release does
 *   second - rule   mmap  mlock  MUNLOCK …     the same release with one rule of the first: the first call in capitals
 *                                              is the rule's, and so is each later one from equal states
 * ```
 *
 * @module
 */

import type { Machine } from "../machine.ts";
import { type Rule, rulesBetween } from "./rules.ts";
import type { Script, Seen } from "./script.ts";

/** A call that a rule changes. */
export interface ChangedCall {
  readonly script: string;
  /** Its number in the script, from 0. */
  readonly step: number;
  readonly call: string;
  /** Answer and what is only there on this side, by release. */
  readonly first: string;
  readonly second: string;
}

/** What one rule changes. */
export interface RuleEffect {
  readonly rule: Rule;
  readonly calls: readonly ChangedCall[];
  /** Scripts that it changes. */
  readonly nrScripts: number;
}

/** All that was found. */
export interface Differences {
  /** Rules with at least one call, those with most scripts first. */
  readonly effects: readonly RuleEffect[];
  /** Rules that no script shows. */
  readonly unseen: readonly Rule[];
  /** Scripts that part although no single rule does it: several do together. */
  readonly together: readonly string[];
  readonly nrScripts: number;
  readonly nrParted: number;
  readonly nrCalls: number;
}

/** Replays the scripts on both. */
export function differencesBetween(first: Machine, second: Machine, scripts: readonly Script[]): Differences {
  const rules = rulesBetween(first, second);
  const found = new Map<Rule, { calls: ChangedCall[]; scripts: Set<string> }>();
  const together: string[] = [];
  let nrParted = 0;
  let nrCalls = 0;
  for (const script of scripts) {
    const there = script.run(second);
    nrCalls += there.length;
    if (rules.length === 0 || isSame(script.run(first), there)) continue;
    nrParted++;
    let isExplained = false;
    for (const rule of rules) {
      const calls = changedCalls(script.name, script.run(rule.reverted), there);
      if (calls.length === 0) continue;
      isExplained = true;
      const entry = found.get(rule) ?? { calls: [], scripts: new Set() };
      entry.calls.push(...calls);
      entry.scripts.add(script.name);
      found.set(rule, entry);
    }
    if (!isExplained) together.push(script.name);
  }
  return {
    effects: [...found].map(([rule, { calls, scripts }]) => ({ rule, calls, nrScripts: scripts.size }))
      .sort((a, b) => b.nrScripts - a.nrScripts || rules.indexOf(a.rule) - rules.indexOf(b.rule)),
    unseen: rules.filter((rule) => !found.has(rule)),
    together,
    nrScripts: scripts.length,
    nrParted,
    nrCalls,
  };
}

function isSame(one: readonly Seen[], other: readonly Seen[]): boolean {
  return one.length === other.length && one.every((seen, i) => isSameCall(seen, other[i]!));
}

function isSameCall(one: Seen, other: Seen): boolean {
  return one.answer === other.answer && one.state.join("\n") === other.state.join("\n");
}

/** Calls that come out otherwise although the state before them was the same. */
function changedCalls(script: string, one: readonly Seen[], other: readonly Seen[]): ChangedCall[] {
  const calls: ChangedCall[] = [];
  let isSameBefore = true;
  for (let step = 0; step < Math.min(one.length, other.length); step++) {
    const [a, b] = [one[step]!, other[step]!];
    if (isSameBefore && !isSameCall(a, b)) {
      calls.push({ script, step, call: b.call, first: onlyIn(a, b), second: onlyIn(b, a) });
    }
    isSameBefore = a.state.join("\n") === b.state.join("\n");
  }
  return calls;
}

/** The answer, and the parts of the state that the other side has not. */
function onlyIn({ answer, state }: Seen, other: Seen): string {
  const own = state.filter((part) => !other.state.includes(part));
  return [answer, ...own].join("; ");
}
