/**
 * A view of an object whose class has none: its class and its fields, a line each. So whatever a Tab leads to is
 * labelled, and fits a screen.
 *
 * @module
 */

import { type TableBlock, tableBlock, type View } from "../core/view.ts";
import { htmlView, textView } from "../core/views.ts";

/** A value in one line. */
export type LineOf = (value: unknown) => string;

/** Characters of a field's value. */
const MOST = 90;

/**
 * The view, or undefined for what shows itself, and for what is no object of a class: plain objects, arrays, typed
 * arrays, what JavaScript brings but maps and sets.
 *
 * @example
 * ```ts
 * import { fieldView } from "grantlab/repl";
 * class Counter {
 *   n = 3;
 * }
 * if (fieldView(new Counter(), String)?.title !== "Counter" || fieldView([], String) !== undefined) throw new Error();
 * ```
 */
export function fieldView(value: unknown, lineOf: LineOf): View | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const prototype = Object.getPrototypeOf(value);
  const name = String(prototype?.constructor?.name ?? "");
  if (value instanceof Map) return mapView(value, lineOf);
  if (value instanceof Set) {
    return { line: lineOf(value), title: `Set of ${value.size}`, blocks: [rowsOf([...value], lineOf)] };
  }
  if (prototype === null || prototype === Object.prototype || isBuiltIn(prototype, name)) return undefined;
  const views = value as Partial<Record<symbol, unknown>>;
  if (typeof views[textView] === "function" || typeof views[htmlView] === "function") return undefined;
  const fields = Object.keys(value).map((key) => {
    const property = Object.getOwnPropertyDescriptor(value, key)!;
    return [key, "value" in property ? short(lineOf(property.value)) : "[Getter]"];
  });
  return { line: lineOf(value), title: name, blocks: [tableBlock(["field", "value"], fields)] };
}

function mapView(map: ReadonlyMap<unknown, unknown>, lineOf: LineOf): View {
  const rows = [...map].map(([key, value]) => [short(lineOf(key)), short(lineOf(value))]);
  return { line: lineOf(map), title: `Map of ${map.size}`, blocks: [tableBlock(["key", "value"], rows)] };
}

function rowsOf(values: readonly unknown[], lineOf: LineOf): TableBlock {
  return tableBlock(["value"], values.map((value) => [short(lineOf(value))]));
}

function short(line: string): string {
  return line.length <= MOST ? line : `${line.slice(0, MOST - 1)}…`;
}

/** Arrays, dates, promises and their like; a class of the session is none of these, whatever its name. */
function isBuiltIn(prototype: object, name: string): boolean {
  const own = (globalThis as Record<string, unknown>)[name] as { prototype?: unknown } | undefined;
  return typeof own === "function" && own.prototype === prototype;
}
