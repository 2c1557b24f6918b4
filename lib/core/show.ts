/**
 * How values appear in messages and listings: addresses and frames in hex, everything else as a person would
 * write it, and never longer than a line.
 *
 * @module
 */

import { lineView } from "./views.ts";

const LONGEST_QUOTE = 60;

/**
 * A number or bigint in hexadecimal, with `0x` and an optional least number of digits; what is not whole as it is.
 *
 * @example
 * ```ts
 * import { hex } from "grantlab/core";
 * if (hex(0x1f) !== "0x1f" || hex(0xffff888000000000n) !== "0xffff888000000000") throw new Error();
 * if (hex(5, 4) !== "0x0005" || hex(-1) !== "-0x1") throw new Error();
 * ```
 */
export function hex(value: number | bigint, digits = 1): string {
  if (typeof value !== "bigint" && typeof value !== "number") {
    throw new TypeError(`Cannot write ${show(value)} in hexadecimal: it must be a number or a bigint`);
  }
  if (typeof value === "number" && !Number.isInteger(value)) return String(value);
  const negative = value < 0;
  const magnitude = (negative ? -value : value).toString(16).padStart(digits, "0");
  return `${negative ? "-" : ""}0x${magnitude}`;
}

/**
 * A value as it is quoted in a message: strings in quotes and shortened, large whole numbers in hex, what shows itself
 * as it does, and an object that has no text as its class.
 */
export function show(value: unknown): string {
  if (typeof value === "bigint") return hex(value);
  if (typeof value === "number") {
    if (Object.is(value, -0)) return "-0";
    return Number.isInteger(value) && Math.abs(value) >= 4096 ? hex(value) : String(value);
  }
  if (typeof value === "string") return JSON.stringify(shorten(value));
  if (typeof value === "function") return `function ${value.name || "(anonymous)"}`;
  if (typeof value === "object" && value !== null) {
    try {
      const line = (value as { [lineView]?: () => string })[lineView]?.();
      return shorten(line ?? JSON.stringify(value, bigintInHex) ?? classOf(value));
    } catch {
      return classOf(value); // It contains itself, or has no view yet.
    }
  }
  return String(value);
}

function bigintInHex(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? hex(value) : value;
}

/** `an object of class Vma`; `an object` if it is of none. */
function classOf(value: object): string {
  const name: unknown = Object.getPrototypeOf(value)?.constructor?.name;
  return typeof name !== "string" || name === "" || name === "Object"
    ? "an object"
    : `an object of class ${name}`;
}

function shorten(text: string): string {
  return text.length <= LONGEST_QUOTE ? text : `${text.slice(0, LONGEST_QUOTE)}… (${text.length} characters)`;
}
