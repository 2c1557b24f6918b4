/**
 * Relative errors and what is said of many of them.
 *
 * @module
 */

/** One prediction against one recording. */
export interface RowError {
  /** Which row, for people. */
  readonly where: string;
  readonly expected: number;
  readonly got: number;
  /** |got − expected| / expected. */
  readonly error: number;
}

export function rowError(where: string, expected: number, got: number): RowError {
  return { where, expected, got, error: Math.abs(got - expected) / Math.max(1, expected) };
}

/** The error that a share of all does not exceed: 0.5 the median, 0.9 the 90th percentile. 0 without any. */
export function quantile(errors: readonly RowError[], share: number): number {
  const sorted = errors.map(({ error }) => error).sort((a, b) => a - b);
  return sorted.length === 0 ? 0 : sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]!;
}

/** `12.3 %`. */
export function percent(error: number): string {
  return `${(100 * error).toFixed(1)} %`;
}
