/**
 * What a benchmark is: the same work done by several subjects, one of which is the yardstick. `scripts/bench.ts` runs
 * each subject in a process of its own, because whatever runs first in a process is compiled for what it saw.
 *
 * @module
 */

/** One subject, set up: does the work `n` times and answers a checksum, the same for every subject. */
export type BenchRun = (n: number) => number;

/** A program that does the same work: called with `args` and `n`, it prints what `scripts/gate/measure.ts` prints. */
export interface NativeSubject {
  /** Source file below the project's root. */
  readonly source: string;
  readonly args: readonly string[];
  /** Further flags of the compiler, after `-O2`. */
  readonly flags?: readonly string[];
}

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
  /** Subjects written in C, built when there is a compiler; without one the first other subject is the yardstick. */
  readonly native?: Readonly<Record<string, NativeSubject>>;
  /** What a maintainer wants the median ratio of a subject to stay below; printed, and missed aloud. */
  readonly goals?: Readonly<Record<string, number>>;
}
