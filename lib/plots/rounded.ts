/**
 * Amounts for people.
 *
 * @module
 */

/** Three digits: `0.123`, `12.3`, `1,230`. */
export function rounded(value: number): string {
  if (value !== 0 && Math.abs(value) < 100) return String(Number(value.toPrecision(3)));
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",");
}
