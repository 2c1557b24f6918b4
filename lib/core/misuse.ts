/**
 * Misuse of our own API: the fifth of the five error kinds (the other four are a grant status, an errno, an x86
 * fault and a modelled crash; none of those is ever reported through this file).
 *
 * Every message names the action, the value and the reason, without a final full stop:
 * `Cannot make a frame number of -1: it must be a whole number from 0 to 0xffffffffff`.
 *
 * @module
 */

import { show } from "./show.ts";

/** A value has the right type but lies outside what the action accepts. */
export function outOfRange(action: string, value: unknown, reason: string): RangeError {
  return new RangeError(`Cannot ${action} ${show(value)}: ${reason}`);
}

/** A value is not of the type the action needs. */
export function wrongType(action: string, value: unknown, reason: string): TypeError {
  return new TypeError(`Cannot ${action} ${show(value)}: ${reason}`);
}

/**
 * Checks that `value` is a whole number in `[min, max]` and returns it.
 *
 * @throws {TypeError} if it is not a number
 * @throws {RangeError} if it is not whole or lies outside
 */
export function wholeNumber(action: string, value: unknown, min: number, max: number): number {
  if (typeof value !== "number") {
    throw wrongType(action, value, `it must be a whole number from ${min} to ${show(max)}`);
  }
  if (!Number.isSafeInteger(value) || value < min || value > max) {
    throw outOfRange(action, value, `it must be a whole number from ${min} to ${show(max)}`);
  }
  return value;
}

/**
 * Checks that `value` is of a class and returns it.
 *
 * @param reason says which class in words of the caller: `it must be what guest.grant() answers`
 * @throws {TypeError} if it is not
 *
 * @example
 * ```ts
 * import { instanceOf } from "grantlab/core";
 * if (instanceOf("age", new Date(0), Date, "it must be a date").getTime() !== 0) throw new Error();
 * ```
 */
export function instanceOf<T>(
  action: string,
  value: unknown,
  type: abstract new (...args: never[]) => T,
  reason: string,
): T {
  if (!(value instanceof type)) throw wrongType(action, value, reason);
  return value;
}

/**
 * Checks that `value` may be called and returns it.
 *
 * @throws {TypeError} if it may not
 */
export function callable<T extends (...args: never[]) => unknown>(action: string, value: T): T {
  if (typeof value !== "function") throw wrongType(action, value, "it must be a function");
  return value;
}
