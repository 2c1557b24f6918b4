/**
 * Axes of experiments: what may be varied, the values tried when nobody says otherwise, and the check that every
 * value passes before anything runs.
 *
 * @module
 */

import { outOfRange, wholeNumber, wrongType } from "../core/misuse.ts";
import { lookUp, nearHint } from "../core/nearest.ts";

/** A value on an axis. */
export type AxisValue = number | string;

/** One axis. */
export interface Axis<V extends AxisValue = AxisValue> {
  /** What varies, in words: `grants mapped by one call`. */
  readonly meaning: string;
  /** Values tried when none are given. */
  readonly values: readonly V[];
  /**
   * The value that was meant; a text is read as a number where the axis has numbers.
   *
   * @throws {RangeError} or {TypeError} if it is none of this axis
   */
  parse(value: unknown): V;
}

/** Whole numbers from `from` to `to`. */
export function numberAxis(
  meaning: string,
  values: readonly number[],
  { from, to }: { readonly from: number; readonly to: number },
): Axis<number> {
  const parse = (value: unknown) => {
    const isNumeral = typeof value === "string" && /^-?\d+$/.test(value.trim());
    return wholeNumber(`try ${meaning}:`, isNumeral ? Number(value) : value, from, to);
  };
  return { meaning, values, parse };
}

/** Names of a table; all of them are tried unless fewer are named as `values`. */
export function nameAxis<T>(
  meaning: string,
  table: Readonly<Record<string, T>>,
  values: readonly string[] = Object.keys(table),
): Axis<string> {
  const parse = (value: unknown) => {
    const name = String(value);
    if (Object.hasOwn(table, name)) return name;
    throw outOfRange(`try ${meaning}`, name, `there is no such value; ${nearHint(Object.keys(table), name)}`);
  };
  return { meaning, values, parse };
}

/** Axes by name. */
export type Axes = Readonly<Record<string, Axis>>;

/** One value per axis. */
export type Point = Readonly<Record<string, AxisValue>>;

/** The point of some axes, with the type of each value. */
export type PointOf<A> = { readonly [K in keyof A]: A[K] extends Axis<infer V> ? V : never };

/** Values wished for, by axis; axes left out keep theirs. A single value stands for a list of one. */
export type AxisWishes = Readonly<Record<string, AxisValue | readonly AxisValue[]>>;

/**
 * Values of every axis, those wished for checked.
 *
 * @throws {RangeError} for an axis that there is not, an empty list, a value twice, or a value that the axis refuses
 */
export function valuesOf(axes: Axes, wishes: AxisWishes): Record<string, readonly AxisValue[]> {
  if (typeof wishes !== "object" || wishes === null || Array.isArray(wishes)) {
    throw wrongType("set axes to", wishes, "it must be a record of values by axis");
  }
  for (const name of Object.keys(wishes)) lookUp("axis", axes, name);
  return Object.fromEntries(
    Object.entries(axes).map(([name, axis]) => {
      const wish = wishes[name];
      if (wish === undefined) return [name, axis.values];
      const values = (Array.isArray(wish) ? wish : [wish]).map((value) => axis.parse(value));
      if (values.length === 0) throw outOfRange(`try axis ${name} at`, wish, "there must be a value");
      if (new Set(values).size < values.length) {
        throw outOfRange(`try axis ${name} at`, wish, "a value is twice");
      }
      return [name, values];
    }),
  );
}

/** Every combination, the last axis varying fastest. */
export function pointsOf(values: Readonly<Record<string, readonly AxisValue[]>>): Point[] {
  let points: Point[] = [{}];
  for (const [name, list] of Object.entries(values)) {
    points = points.flatMap((point) => list.map((value) => ({ ...point, [name]: value })));
  }
  return points;
}
