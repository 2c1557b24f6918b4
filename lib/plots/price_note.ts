/**
 * What an axis says about prices: a figure made from prices that are no measurement says so wherever it is drawn.
 *
 * @module
 */

/** ` (assumed prices)`, ` (some prices assumed)` or nothing. A source that begins with `measured` is a measurement. */
export function priceNote(sources: readonly string[]): string {
  const assumed = sources.filter((source) => !source.trimStart().toLowerCase().startsWith("measured"));
  if (assumed.length === 0) return "";
  return assumed.length === sources.length ? " (assumed prices)" : " (some prices assumed)";
}
