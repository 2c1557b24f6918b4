/**
 * What a benchmark is: the same work done by several subjects, one of which is the yardstick. `scripts/bench.ts` runs
 * each subject in a process of its own, because whatever runs first in a process is compiled for what it saw.
 *
 * @module
 */

/** One subject, set up: does the work `n` times and answers a checksum, the same for every subject. */
export type BenchRun = (n: number) => number;

/** One case: a file of `bench` whose default export this is. */
export interface BenchCase {
  /** What is compared, in a sentence. */
  readonly about: string;
  /** What is done `n` times, in the singular. */
  readonly unit: string;
  /** Times per measurement; some tens of milliseconds' worth. */
  readonly n: number;
  /** The subject that the others are divided by. */
  readonly yardstick: string;
  /** Each sets its world up, untimed. */
  readonly subjects: Readonly<Record<string, () => BenchRun>>;
}
