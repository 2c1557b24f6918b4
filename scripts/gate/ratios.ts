/**
 * What rounds of measurements say: medians, and the range in which the ratio lay.
 *
 * @module
 */

/** One subject over all rounds. */
export interface Ratio {
  readonly subject: string;
  /** Median time of one unit of work. */
  readonly nanoseconds: number;
  /** Median, least and greatest of the ratios to the yardstick, each within one round. */
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** The middle of some numbers, of an even count the mean of the middle two. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** Ratios of all subjects to the yardstick, out of one record of nanoseconds per round. */
export function ratiosOf(
  rounds: readonly Readonly<Record<string, number>>[],
  yardstick: string,
): Ratio[] {
  return Object.keys(rounds[0] ?? {}).map((subject) => {
    const ratios = rounds.map((round) => round[subject]! / round[yardstick]!);
    return {
      subject,
      nanoseconds: median(rounds.map((round) => round[subject]!)),
      median: median(ratios),
      least: Math.min(...ratios),
      most: Math.max(...ratios),
    };
  });
}
