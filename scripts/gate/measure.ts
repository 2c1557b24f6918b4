/**
 * The process of one benchmark subject: `measure.ts FILE SUBJECT` prints `{"nanoseconds":…,"checksum":…}`, the best
 * of a few measurements after one to warm up. Started by `scripts/bench.ts`.
 *
 * @module
 */

import type { BenchCase } from "../../bench/bench_case.ts";

const MEASUREMENTS = 5;

if (import.meta.main) {
  const [file, subject] = Deno.args;
  const { default: bench } = await import(new URL(`../../${file}`, import.meta.url).href) as {
    default: BenchCase;
  };
  const run = bench.subjects[subject!]!();
  let checksum = run(bench.n);
  let best = Infinity;
  for (let i = 0; i < MEASUREMENTS; i++) {
    const start = performance.now();
    checksum = run(bench.n);
    best = Math.min(best, performance.now() - start);
  }
  console.log(JSON.stringify({ nanoseconds: best * 1e6 / bench.n, checksum }));
}
