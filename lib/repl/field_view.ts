/**
 * A view of an object that has none of its own: its fields, a line each; of objects that are alike, a table. So
 * whatever a Tab leads to is labelled, and fits a screen.
 *
 * @module
 */

import { type TableBlock, tableBlock, type View, type ViewColumn } from "../core/view.ts";
import { htmlView, textView } from "../core/views.ts";
import { namedText } from "./named_text.ts";

/** A value in one line. */
export type LineOf = (value: unknown) => string;

/** Characters of a field's value. */
const MOST = 90;
/** Fields that half of the entries of a collection must have for it to be a table. */
const ALIKE = 0.5;
/** Entries of a catalogue, as those of events, that are shown at once. */
const MOST_ENTRIES = 200;
/** Fields of the entries that stand as columns. */
const MOST_COLUMNS = 9;

type Fields = Readonly<Record<string, unknown>>;

/**
 * The view, or undefined for what shows itself, and for what is neither an object of fields nor a list of such: lists
 * of numbers, typed arrays, what JavaScript brings but maps and sets.
 *
 * @example
 * ```ts
 * import { fieldView } from "grantlab/repl";
 * class Counter {
 *   n = 3;
 * }
 * if (fieldView(new Counter(), String)?.title !== "Counter" || fieldView([1], String) !== undefined) throw new Error();
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
  if (Array.isArray(value)) {
    const table = recordsTable(numbered(value), lineOf);
    return table === undefined ? undefined : { line: "", title: "", blocks: [table] };
  }
  const views = value as Partial<Record<symbol, unknown>>;
  if (typeof views[textView] === "function" || typeof views[htmlView] === "function") return undefined;
  const isPlain = prototype === null || prototype === Object.prototype;
  if (!isPlain && isBuiltIn(prototype, name)) return undefined;
  const table = isPlain ? recordsTable(Object.entries(value), lineOf, MOST_ENTRIES) : undefined;
  if (table !== undefined) return { line: "", title: "", blocks: [table] };
  if (isPlain) return { line: "", title: "", blocks: fieldBlocks(value, lineOf) };
  const fields = Object.keys(value).map((key) => [key, cellOf(value, key, lineOf)]);
  return { line: "", title: name, blocks: [tableBlock(["field", "value"], fields)] };
}

/** The fields of a plain object, and after them the tables of those that are collections. */
function fieldBlocks(value: object, lineOf: LineOf): TableBlock[] {
  const rows: string[][] = [];
  const tables: TableBlock[] = [];
  for (const key of Object.keys(value)) {
    const inner = Object.getOwnPropertyDescriptor(value, key)!.value;
    const entries = Array.isArray(inner) ? numbered(inner) : isRecord(inner) ? Object.entries(inner) : [];
    const table = recordsTable(entries, lineOf);
    if (table === undefined) rows.push([key, cellOf(value, key, lineOf)]);
    else tables.push({ ...table, caption: key });
  }
  return rows.length === 0
    ? tables
    : [tableBlock(["field", "value"], rows, { limit: MOST_ENTRIES }), ...tables];
}

function numbered(list: readonly unknown[]): [string, unknown][] {
  return list.map((entry, i) => [String(i), entry]);
}

/** A table of objects that are alike: two at least, or one in a list. Many fields of few objects stand as rows. */
function recordsTable(
  entries: readonly (readonly [string, unknown])[],
  lineOf: LineOf,
  limit?: number,
): TableBlock | undefined {
  const records = entries.map(([, entry]) => entry).filter(isRecord);
  if (records.length === 0 || records.length < entries.length) return undefined;
  const counts = new Map<string, number>();
  for (const key of records.flatMap(Object.keys)) counts.set(key, (counts.get(key) ?? 0) + 1);
  const common = [...counts].filter(([, n]) => n >= records.length * ALIKE).map(([key]) => key);
  // What the key of the entry says already, and what only code can use.
  const told = (key: string) => entries.every(([name, entry]) => (entry as Fields)[key] === name);
  const isCode = (key: string) =>
    records.every(({ [key]: value }) => value === undefined || value === null || typeof value === "function");
  const keys = common.filter((key) => !told(key) && !isCode(key));
  if (keys.length === 0 || records.length < 2 && entries[0]![0] !== "0") return undefined;
  const cell = (record: Fields, key: string) => Object.hasOwn(record, key) ? cellOf(record, key, lineOf) : "";
  const options = limit === undefined ? {} : { limit };
  if (keys.length > MOST_COLUMNS && records.length < MOST_COLUMNS) {
    const rows = keys.map((key) => [key, ...records.map((record) => cell(record, key))]);
    return tableBlock(["", ...entries.map(([name]) => name)], rows, options);
  }
  const isRight = (key: string) => records.every((record) => typeof record[key] === "number");
  const heads: ViewColumn[] = keys.map((key) => isRight(key) ? { header: key, right: true } : key);
  const rows = entries.map(([name], i) => [name, ...keys.map((key) => cell(records[i]!, key))]);
  return tableBlock(["", ...heads], rows, options);
}

function isRecord(value: unknown): value is Fields {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return (prototype === null || prototype === Object.prototype) &&
    typeof (value as Partial<Record<symbol, unknown>>)[textView] !== "function";
}

/** A getter is named, not called: looking must not change anything. */
function cellOf(owner: object, key: string, lineOf: LineOf): string {
  const property = Object.getOwnPropertyDescriptor(owner, key)!;
  if (!("value" in property)) return "[Getter]";
  const { value } = property;
  if (typeof value === "string") return short(value);
  return short(namedText(key, value) ?? nameOf(value) ?? lineOf(value));
}

/** Of a part that has functions beside its name (a lock plan, say) the name, of a collection its names. */
function nameOf(value: unknown): string | undefined {
  if (!isRecord(value)) return undefined;
  const inner = Object.values(value);
  if (typeof value.name === "string" && inner.some((entry) => typeof entry === "function")) return value.name;
  return inner.length > 0 && inner.every(isRecord) ? Object.keys(value).join(", ") : undefined;
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
