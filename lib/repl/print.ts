/**
 * Values as text, in two forms: `textOf` for people (tables, drawings, colours) and `lineOf` for pipes (one line,
 * whatever the value). Integers of type bigint are addresses and entries here, so they are written in hex.
 *
 * A class has its own text through `Symbol.for("Deno.customInspect")` and, if that text has several lines, its own
 * one-line form through a method `[lineView](): string`; without it a pipe gets the fields.
 *
 * @module
 */

import { DomainCrash, KernelBug } from "../core/crash.ts";
import { ERRNO, type Errno, errnoText } from "../core/errno.ts";
import { hex } from "../core/show.ts";
import { viewText } from "../core/view.ts";
import { lineView, textView } from "../core/views.ts";
import { fieldView } from "./field_view.ts";
import { ADDRESS_LIST, namedText } from "./named_text.ts";

/** Entries of a collection that a pipe gets; the rest is counted. */
const MAX_ENTRIES = 1000;
/** Levels of nesting that a pipe gets. */
const MAX_DEPTH = 8;
/** Characters that a person gets. */
const MAX_TEXT = 200_000;

/** How `textOf` writes. */
export interface TextOptions {
  readonly width?: number;
  readonly colour?: boolean;
  /** Characters after which the text is cut. */
  readonly most?: number;
  /** What the value is called, so that a bare frame is in hex, too. */
  readonly name?: string;
}

/**
 * A value for people. A string of several lines is shown as it is: it is a drawing or a table. Whole numbers from
 * 0x10000 and whatever a field calls an address or a frame are in hex; the result of a system call is its value or
 * its errno.
 *
 * @example
 * ```ts
 * import { textOf } from "grantlab/repl";
 * if (textOf(0xfffn) !== "0xfffn" || textOf("a\nb") !== "a\nb" || textOf("a") !== '"a"') throw new Error();
 * ```
 */
export function textOf(
  value: unknown,
  { width = 80, colour = false, most = MAX_TEXT, name }: TextOptions = {},
): string {
  const named = name === undefined ? undefined : namedText(name, value);
  if (named !== undefined) return named;
  if (typeof value === "string" && value.length > most) {
    const begin = value.slice(0, most);
    return (begin.includes("\n") ? begin : wholeText(begin, { width, colour })) +
      cutNote(value.length, most);
  }
  const text = wholeText(value, { width, colour });
  return text.length <= most ? text : text.slice(0, most) + cutNote(text.length, most);
}

/** What is not shown, and for something large how large it is in all. */
function cutNote(length: number, most: number): string {
  const rest = `… ${length - most} more characters`;
  return length < 1e6 ? rest : `${rest}, ${(length / 1e6).toFixed(1)} million in all`;
}

function wholeText(value: unknown, { width, colour }: { width: number; colour: boolean }): string {
  if (typeof value === "string" && value.includes("\n")) return value;
  if (typeof value === "number" && Number.isSafeInteger(value) && Math.abs(value) >= FROM_HEX) {
    return `${hex(value)} (${value})`;
  }
  if (value instanceof KernelBug || value instanceof DomainCrash) return value.message;
  const result = sysResultText(value);
  if (result !== undefined) return result;
  const inspected = Deno.inspect(value, {
    colors: colour,
    breakLength: width,
    depth: 4,
    strAbbreviateSize: MAX_TEXT,
  });
  const showsItself = typeof Object(value)[textView] === "function";
  if (!showsItself && inspected.split("\n").length > MANY_LINES) {
    const fields = fieldView(value, lineOf);
    if (fields !== undefined) return viewText(fields, width);
  }
  return showsItself ? inspected : addressesInHex(bigintsInHex(inspected));
}

/** Lines of an object's fields, and theirs, that are shown; a larger one is shown as a line a field. */
const MANY_LINES = 24;

/** Numbers from here on are shown in hex, too. */
const FROM_HEX = 0x10000;
/** Among others, where most numbers are counts, from here on. */
const LARGE = 2 ** 32;

/** The result of a system call or a user access as a person reads it; undefined for anything else. */
function sysResultText(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) {
    return undefined;
  }
  const result = value as Readonly<Record<string, unknown>>;
  const nrFields = Object.keys(result).length;
  if (result.ok === true && nrFields === 2 && "value" in result) return textOf(result.value);
  if (result.ok !== false) return undefined;
  if (typeof result.errno === "string" && Object.hasOwn(ERRNO, result.errno)) {
    const why = typeof result.why === "string" ? `: ${result.why}` : "";
    const isPlain = nrFields === (why === "" ? 2 : 3);
    return isPlain ? `-${result.errno} (${errnoText(result.errno as Errno)})${why}` : undefined;
  }
  const { signal, code, address, errorCode } = result;
  if (typeof signal !== "string" || typeof address !== "number" && typeof address !== "bigint") {
    return undefined;
  }
  return `${signal} (code ${String(code)}) at ${hex(address)}, error code ${hex(Number(errorCode))}`;
}

/** The escape that makes a number yellow, and the one that ends it. */
const YELLOW = "(?:\\x1b\\[33m)?";
const FIELDS = new RegExp(`(?<=^|[\\s{,])(\\w+)(: ${YELLOW})(-?\\d+)(?![\\w.])`, "gm");
const LISTS = new RegExp(`(?<=(?:^|[\\s{,])${ADDRESS_LIST}: (?:\\w+\\(\\d+\\) )?)\\[[^\\[\\]]*\\]`, "gm");
const QUOTED = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g;

/** Numbers whose field says what they are, in a text of `Deno.inspect`, outside its strings. */
function addressesInHex(text: string): string {
  const strings: string[] = [];
  const bare = text.replaceAll(QUOTED, (quoted) => `"${strings.push(quoted) - 1}"`);
  const inHex = (digits: string) => hex(Number(digits));
  const named = (whole: string, name: string, between: string, digits: string) => {
    const text = namedText(name, Number(digits));
    return text === undefined ? whole : `${name}${between}${text}`;
  };
  const both = (digits: string) => Number(digits) < LARGE ? digits : `${hex(Number(digits))} (${digits})`;
  const done = bare
    .replaceAll(FIELDS, named)
    // deno-lint-ignore no-control-regex
    .replaceAll(LISTS, (list) => list.replaceAll(/(?<=[\s[,]|\x1b\[33m)\d+(?=[\s\],\x1b])/g, inHex));
  return done.replaceAll(/(?<=^|[^\w.$-]|\[33m)\d{10,16}(?![\w.])/gm, both).replaceAll(
    /"(\d+)"/g,
    (_, i: string) => strings[Number(i)]!,
  );
}

/** Decimal bigints in a text of `Deno.inspect`, outside its strings. */
function bigintsInHex(text: string): string {
  return text.replaceAll(
    // `[33m` is the end of the escape that makes a number yellow.
    /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|(?<=^|[^\w.$]|\[33m)(\d+)n\b/gm,
    (whole, digits) => digits === undefined ? whole : `0x${BigInt(digits).toString(16)}n`,
  );
}

/**
 * A value in one line, whatever it is.
 *
 * @example
 * ```ts
 * import { lineOf } from "grantlab/repl";
 * if (lineOf({ at: 0x1000n, tags: ["a\nb"] }) !== '{at: 0x1000n, tags: ["a\\nb"]}') throw new Error();
 * ```
 */
export function lineOf(value: unknown): string {
  return flat(write(value, 0, []));
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\n": "\\n",
  "\r": "\\r",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
};

/** Line breaks as escapes; a last resort, as what comes here is one line by construction. */
function flat(text: string): string {
  return text.replaceAll(/[\n\r\u2028\u2029]/g, (c) => ESCAPES[c]!);
}

function write(value: unknown, depth: number, above: readonly object[]): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "bigint":
      return value < 0n ? `-0x${(-value).toString(16)}n` : `0x${value.toString(16)}n`;
    case "number":
      return Object.is(value, -0) ? "-0" : String(value);
    case "function":
      return /^class\b/.test(Function.prototype.toString.call(value))
        ? `[class ${value.name}]`
        : `[Function ${value.name}]`;
    case "object":
      break;
    default:
      return String(value);
  }
  if (value === null) return "null";
  if (above.includes(value)) return "[Circular]";
  return ownLine(value) ?? writeObject(value, depth, [...above, value]);
}

/** The line that the object's class gives it, if any. */
function ownLine(value: object): string | undefined {
  const line = (value as { [lineView]?: unknown })[lineView];
  if (typeof line === "function") return flat(String(line.call(value)));
  if (typeof (value as Record<symbol, unknown>)[Symbol.for("Deno.customInspect")] !== "function") {
    return undefined;
  }
  const text = bigintsInHex(Deno.inspect(value, { colors: false, compact: true, breakLength: Infinity }));
  return text.includes("\n") ? undefined : text;
}

function writeObject(value: object, depth: number, above: readonly object[]): string {
  if (value instanceof Error) return flat(`${value.name}: ${value.message}`);
  if (value instanceof Date) {
    return Number.isNaN(value.getTime()) ? "Date invalid" : `Date ${value.toISOString()}`;
  }
  if (value instanceof RegExp) return String(value);
  const name = className(value);
  if (depth >= MAX_DEPTH) return `[${name || "Object"}]`;
  const inner = (entry: unknown) => write(entry, depth + 1, above);
  if (Array.isArray(value)) return `[${listed(value, inner)}]`;
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    return `${name} [${listed(value as unknown as ArrayLike<unknown>, inner)}]`;
  }
  if (value instanceof Set) return `${name} {${listed([...value], inner)}}`;
  if (value instanceof Map) {
    return `${name} {${listed([...value], ([key, entry]) => `${inner(key)} => ${inner(entry)}`)}}`;
  }
  if (value instanceof Promise || value instanceof WeakMap || value instanceof WeakSet) return `${name} {…}`;
  const fields = listed(Object.keys(value), (key) => `${fieldName(key)}: ${fieldLine(value, key, inner)}`);
  return name === "" ? `{${fields}}` : `${name} {${fields}}`;
}

/** Class of an object; empty for plain ones. */
function className(value: object): string {
  const prototype = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return "";
  return String(prototype.constructor?.name ?? "");
}

function fieldName(key: string): string {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) ? key : JSON.stringify(key);
}

/** A getter is named, not called: looking must not change anything. */
function fieldLine(value: object, key: string, inner: (entry: unknown) => string): string {
  const property = Object.getOwnPropertyDescriptor(value, key);
  return property !== undefined && "value" in property ? inner(property.value) : "[Getter]";
}

function listed<T>(entries: ArrayLike<T>, inner: (entry: T) => string): string {
  const parts: string[] = [];
  for (let i = 0; i < entries.length && i < MAX_ENTRIES; i++) parts.push(inner(entries[i]!));
  if (entries.length > MAX_ENTRIES) parts.push(`… ${entries.length - MAX_ENTRIES} more`);
  return parts.join(", ");
}
