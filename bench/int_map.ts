/**
 * `IntMap` beside `Map`, looking up frames that are there and frames that are not.
 *
 * @module
 */

import { IntMap } from "../lib/core/int_map.ts";
import type { BenchCase } from "./bench_case.ts";

const ENTRIES = 1 << 16;

/** Spreads keys without sharing the hash of either subject. */
function keyOf(i: number): number {
  return Math.imul(i, 0x01000193) >>> 1;
}

/** `n` look-ups, every second one of a key that is there. */
function lookUps(get: (key: number) => number): (n: number) => number {
  return (n) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum = sum + get(keyOf(i % (2 * ENTRIES))) | 0;
    return sum;
  };
}

const bench: BenchCase = {
  about: "a frame's slot looked up among 65536, half of the look-ups in vain",
  unit: "look-up",
  n: 2_000_000,
  yardstick: "Map",
  subjects: {
    Map: () => {
      const map = new Map<number, number>();
      for (let i = 0; i < ENTRIES; i++) map.set(keyOf(i), i);
      return lookUps((key) => map.get(key) ?? -1);
    },
    IntMap: () => {
      const map = new IntMap();
      for (let i = 0; i < ENTRIES; i++) map.set(keyOf(i), i);
      return lookUps((key) => map.get(key));
    },
  },
};

export default bench;
