/**
 * Colour and label of what lines and bars stand for: a design has its own everywhere; paths, policies and plans have
 * theirs here; any other name gets one made from it.
 *
 * @module
 */

import { type DesignStyle, designStyle, knownDesigns } from "./theme.ts";

const BLUE = "#0072b2";
const ORANGE = "#e69f00";
const GREEN = "#009e73";
const PURPLE = "#cc79a7";

const SERIES: Readonly<Record<string, DesignStyle>> = {
  // Halves of get_user_pages.
  fast: { label: "fast path", colour: BLUE },
  slow: { label: "slow path", colour: ORANGE },
  // When an unmap flushes.
  per_op: { label: "flush per operation", colour: ORANGE },
  per_batch: { label: "flush per batch of 32", colour: BLUE },
  if_accessed: { label: "flush if used", colour: GREEN },
  // Lock plans.
  single_spin_lock: { label: "one spin lock (to 2015)", colour: ORANGE },
  split_rwlock: { label: "one count of readers (2015)", colour: PURPLE },
  per_cpu_rwlock: { label: "readers per CPU (2016)", colour: BLUE },
  // Ways to a guest's data.
  map: { label: "map and unmap", colour: ORANGE },
  copy: { label: "grant copy", colour: BLUE },
  persistent: { label: "persistent, memcpy", colour: GREEN },
  // Turned down in 2014.
  lazy_fault: { label: "map on fault (2014)", colour: "#8c8c8c" },
  // Kinds of guest, dimensions of tables.
  pv: { label: "PV", colour: ORANGE },
  pvh: { label: "PVH", colour: BLUE },
  native: { label: "native", colour: BLUE },
  ept: { label: "EPT", colour: ORANGE },
};

/** Colour and label of a series. */
export function seriesStyle(name: string): DesignStyle {
  if (!knownDesigns().includes(name) && Object.hasOwn(SERIES, name)) return SERIES[name]!;
  return designStyle(name);
}

/** For names without a style of their own, in the order of their appearance. */
const FURTHER = [BLUE, ORANGE, GREEN, PURPLE, "#56b4e9", "#882255", "#805020", "#8c8c8c"] as const;

/** Styles of the series of one chart: names without a style of their own get colours that differ from each other. */
export function seriesStyles(names: readonly string[]): DesignStyle[] {
  const isOwn = (name: string) => knownDesigns().includes(name) || Object.hasOwn(SERIES, name);
  const taken = new Set(names.filter(isOwn).map((name) => seriesStyle(name).colour));
  const free = FURTHER.filter((colour) => !taken.has(colour));
  let next = 0;
  return names.map((name) =>
    isOwn(name) || next >= free.length ? seriesStyle(name) : { label: name, colour: free[next++]! }
  );
}
