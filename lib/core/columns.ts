/**
 * Growable columns: one typed array per field where there can be a million rows.
 *
 * @module
 */

/** An `Int32Array` at least `size` long: `column` itself if it is long enough, else a copy of twice the length. */
export function growInt32(column: Int32Array, size: number, fill = 0): Int32Array {
  if (column.length >= size) return column;
  const grown = new Int32Array(Math.max(size, column.length * 2, 64));
  grown.set(column);
  if (fill !== 0) grown.fill(fill, column.length);
  return grown;
}

/** The same for `Float64Array`. */
export function growFloat64(column: Float64Array, size: number, fill = 0): Float64Array {
  if (column.length >= size) return column;
  const grown = new Float64Array(Math.max(size, column.length * 2, 64));
  grown.set(column);
  if (fill !== 0) grown.fill(fill, column.length);
  return grown;
}
