/**
 * Numbers that come from a guest. A guest can put any bits anywhere, so no number is refused here: it is cut to the
 * width of its field, two's complement, as the register or memory word would. A fraction is dropped; NaN and the
 * infinities, which no word can hold, count as 0.
 *
 * @module
 */

/** Low 16 bits. */
export function word16(value: number): number {
  return value & 0xffff;
}

/** Low 32 bits, unsigned. */
export function word32(value: number): number {
  return value >>> 0;
}

/** Low 64 bits, unsigned; exact as far as a number is (every page-aligned address is). */
export function word64(value: number): number {
  if (value >= 0 && value <= Number.MAX_SAFE_INTEGER && Math.floor(value) === value) return value;
  if (!Number.isFinite(value)) return 0;
  const rest = Math.trunc(value) % 2 ** 64;
  return rest < 0 ? (rest + 2 ** 64) % 2 ** 64 : rest + 0;
}

/** Frame bits of an entry: low 40 bits. */
export function word40(value: number): number {
  const word = word64(value);
  return word < 2 ** 40 ? word : word % 2 ** 40;
}

/** Packed entry flags: low 24 bits. */
export function word24(value: number): number {
  return value & 0xffffff;
}
