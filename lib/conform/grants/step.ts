/**
 * One recorded step of a grant case, and how its inputs are read. Inputs are the row's own fields and those of its
 * field `in`; a field of `in` wins.
 *
 * @module
 */

import { PAGE_SIZE } from "../../core/geometry.ts";
import type { SysResult } from "../../core/errno.ts";
import { show } from "../../core/show.ts";
import { PROT_EXEC, PROT_READ, PROT_WRITE } from "../../linux/mm/prot.ts";
import { BadInput, type Row } from "../format.ts";

/** Where positions are counted from. */
export const WINDOW = 0x1100_0000_0000;

/** Pages that listings cover. */
export const WINDOW_PAGES = 160;

/** Outputs of a step by field name; only those that the operation has. */
export type Outcome = Readonly<Record<string, unknown>>;

/** A row with typed access. */
export class Step {
  readonly op: string;
  readonly i: number;
  readonly input: Row;

  constructor(readonly row: Row, readonly where: string) {
    this.op = String(row.op);
    this.i = Number(row.i);
    this.input = typeof row.in === "object" && row.in !== null ? row.in as Row : {};
  }

  /** The input of that name, undefined if there is none. */
  get(name: string): unknown {
    return Object.hasOwn(this.input, name) ? this.input[name] : this.row[name];
  }

  /** @throws {BadInput} if it is no number and there is no default */
  number(name: string, fallback?: number): number {
    const value = this.get(name);
    if (typeof value === "number") return value;
    if (value === undefined && fallback !== undefined) return fallback;
    throw this.wrong(name, "a number");
  }

  /** @throws {BadInput} if it is no text and there is no default */
  text(name: string, fallback?: string): string {
    const value = this.get(name);
    if (typeof value === "string") return value;
    if (value === undefined && fallback !== undefined) return fallback;
    throw this.wrong(name, "a string");
  }

  /** @throws {BadInput} if it is no list of objects */
  rows(name: string): readonly Row[] {
    const value = this.get(name);
    if (Array.isArray(value) && value.every((v) => typeof v === "object" && v !== null)) return value;
    throw this.wrong(name, "an array of objects");
  }

  /** Address of the window position `at`, and `byte` of it. */
  address(): number {
    return WINDOW + this.number("at") * PAGE_SIZE + this.number("byte", 0);
  }

  /** `pages` in bytes. */
  length(): number {
    return this.number("pages") * PAGE_SIZE;
  }

  /** PROT_* bits of the field `prot`. */
  prot(): number {
    const text = this.text("prot");
    if (!/^[r-][w-][x-]$/.test(text)) throw this.wrong("prot", "like rwx or r--");
    return (text[0] === "r" ? PROT_READ : 0) | (text[1] === "w" ? PROT_WRITE : 0) |
      (text[2] === "x" ? PROT_EXEC : 0);
  }

  /** An error that names the field. */
  wrong(name: string, wanted: string): BadInput {
    return new BadInput(this.where, `the field "${name}" is ${show(this.get(name))}, not ${wanted}`);
  }
}

/** `ret` and `errno` of a call; `ret` is what `valueOf` makes of the result. */
export function outcomeOf<T>(result: SysResult<T>, valueOf: (value: T) => unknown = () => 0): Outcome {
  return result.ok ? { ret: valueOf(result.value), errno: "0" } : { ret: null, errno: result.errno };
}

/** A number field of an object in a row. @throws {BadInput} if there is none */
export function numberOf(row: Row, name: string, where: string, fallback?: number): number {
  const value = row[name];
  if (typeof value === "number") return value;
  if (value === undefined && fallback !== undefined) return fallback;
  throw new BadInput(where, `the field "${name}" is ${show(value)}, not a number`);
}
