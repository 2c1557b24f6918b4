/**
 * Taking a field out of a row that nobody has checked: the value, or one error naming line and field.
 *
 * @module
 */

import { show } from "../core/show.ts";
import { BadInput, type Row } from "./format.ts";

/** The string in a field. @throws {BadInput} if there is none */
export function stringField(row: Row, name: string, where: string): string {
  const value = row[name];
  if (typeof value === "string") return value;
  throw wrong(row, name, where, "a string");
}

/** The number in a field. @throws {BadInput} if there is none */
export function numberField(row: Row, name: string, where: string): number {
  const value = row[name];
  if (typeof value === "number") return value;
  throw wrong(row, name, where, "a number");
}

/** The array in a field. @throws {BadInput} if there is none */
export function arrayField(row: Row, name: string, where: string): readonly unknown[] {
  const value = row[name];
  if (Array.isArray(value)) return value;
  throw wrong(row, name, where, "an array");
}

/** The array of strings in a field. @throws {BadInput} if there is none */
export function stringsField(row: Row, name: string, where: string): readonly string[] {
  const value = arrayField(row, name, where);
  if (value.every((v) => typeof v === "string")) return value as string[];
  throw wrong(row, name, where, "an array of strings");
}

function wrong(row: Row, name: string, where: string, wanted: string): BadInput {
  return Object.hasOwn(row, name)
    ? new BadInput(where, `the field "${name}" is ${show(row[name])}, not ${wanted}`)
    : new BadInput(where, `the field "${name}" is missing`);
}

/** A hexadecimal number of at most 64 bits without `0x`. @throws {BadInput} if the text is not one */
export function parseHex(text: string, name: string, where: string): bigint {
  if (/^[0-9a-f]{1,16}$/i.test(text)) return BigInt(`0x${text}`);
  throw new BadInput(
    where,
    `the field "${name}" is ${show(text)}, not a hexadecimal number of at most 64 bits`,
  );
}

/** The same, small enough for a number. */
export function parseHexNumber(text: string, name: string, where: string): number {
  const value = Number(parseHex(text, name, where));
  if (Number.isSafeInteger(value)) return value;
  throw new BadInput(where, `the field "${name}" is ${show(text)}, more than 53 bits`);
}

/** One of the given texts. @throws {BadInput} if it is none of them */
export function oneOf<T extends string>(text: string, all: readonly T[], name: string, where: string): T {
  const found = all.find((t) => t === text);
  if (found !== undefined) return found;
  throw new BadInput(where, `the field "${name}" is ${show(text)}, not one of ${all.join(", ")}`);
}
