/**
 * What a word of the field means here: statuses, errnos, events, flavours, experiments, names of Linux and Xen, and
 * names of the library.
 *
 * @module
 */

import { ERRNO } from "../core/errno.ts";
import { EXPERIMENTS as COUNTING } from "../experiments/catalogue.ts";
import { VERDICT_EXPERIMENTS as JUDGED } from "../experiments/compare.ts";
import { KERNEL_FLAVOURS } from "../linux/kernel.ts";
import { EVENTS } from "../trace/events.ts";
import { XEN_FLAVOURS } from "../xen/flavours.ts";
import * as status from "../xen/status.ts";
import { type CrossReference, crossReference, librarySources } from "./cross_reference.ts";

const EXPERIMENTS: Readonly<Record<string, { readonly question: string }>> = { ...JUDGED, ...COUNTING };

/** One meaning of a word. */
export interface Meaning {
  /** What sort of thing it is: `grant status`, `errno`, `event`, … */
  readonly kind: string;
  readonly name: string;
  readonly text: string;
}

/** Looks one sort of thing up. */
type Lookup = (word: string) => Meaning[];

const TABLES: readonly Lookup[] = [statuses, errnos, events, kernels, hypervisors, experiments];

/**
 * Meanings in the tables of the model, none if there are none.
 *
 * @example
 * ```ts
 * import { meaningsOf } from "grantlab/cli";
 * const [meaning] = meaningsOf("GNTST_bad_gntref");
 * if (meaning?.text !== "status -3 of a grant operation") throw new Error(meaning?.text);
 * ```
 */
export function meaningsOf(word: string): Meaning[] {
  return TABLES.flatMap((lookup) => lookup(word));
}

/** What of ours cites this name of Linux or Xen. */
export function referencesTo(word: string, project: URL): Meaning[] {
  const found = crossReference(librarySources(project)).filter(({ name }) => name === word);
  return found.map((each) => ({
    kind: `${each.source} ${each.release} ${each.file}`,
    name: word,
    text: oursOf(each),
  }));
}

function oursOf({ ours, path, line }: CrossReference): string {
  return `${ours} (${path}:${line})`;
}

/** All words that have a meaning in the tables, for near ones and for completion. */
export function knownWords(): string[] {
  return [
    ...Object.keys(status).filter((name) => name.startsWith("GNTST_")),
    ...Object.keys(ERRNO),
    ...Object.keys(EVENTS),
    ...Object.keys(KERNEL_FLAVOURS),
    ...Object.keys(XEN_FLAVOURS),
    ...Object.keys(EXPERIMENTS),
  ];
}

function statuses(word: string): Meaning[] {
  const names = Object.keys(status).filter((name) => name.startsWith("GNTST_")) as (keyof typeof status)[];
  return names.filter((name) => name === word || /^-\d+$/.test(word) && status[name] === Number(word))
    .map((name) => ({ kind: "grant status", name, text: `status ${status[name]} of a grant operation` }));
}

function errnos(word: string): Meaning[] {
  return Object.entries(ERRNO).filter(([name, value]) =>
    name === word || String(value) === word.replace(/^-/, "")
  )
    .map(([name, value]) => ({ kind: "errno", name, text: `${value}; a system call answers -${value}` }));
}

function events(word: string): Meaning[] {
  if (!Object.hasOwn(EVENTS, word)) return [];
  const { layer, unit, meaning, cite } = EVENTS[word as keyof typeof EVENTS];
  return [{ kind: "event", name: word, text: `${meaning}; per ${unit}, paid by ${layer}; ${cite}` }];
}

function kernels(word: string): Meaning[] {
  if (!Object.hasOwn(KERNEL_FLAVOURS, word)) return [];
  const { title, cite } = KERNEL_FLAVOURS[word as keyof typeof KERNEL_FLAVOURS];
  return [{ kind: "kernel flavour", name: word, text: `${title}; ${cite}` }];
}

function hypervisors(word: string): Meaning[] {
  if (!Object.hasOwn(XEN_FLAVOURS, word)) return [];
  const { gnttabMaxFrames, gnttabMaxMaptrackFrames } = XEN_FLAVOURS[word as keyof typeof XEN_FLAVOURS];
  const text =
    `at most ${gnttabMaxFrames} frames of grants and ${gnttabMaxMaptrackFrames} of maptrack by default`;
  return [{ kind: "Xen flavour", name: word, text }];
}

function experiments(word: string): Meaning[] {
  if (!Object.hasOwn(EXPERIMENTS, word)) return [];
  return [{ kind: "experiment", name: word, text: EXPERIMENTS[word]!.question }];
}
