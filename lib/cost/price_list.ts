/**
 * The rule of price lists, in one place: every list, built in or a user's own, passes through {@linkcode priceList}.
 *
 * @module
 */

import { outOfRange, wrongType } from "../core/misuse.ts";
import { lookUp } from "../core/nearest.ts";
import { show } from "../core/show.ts";
import { EVENT_KINDS, type EventKind, EVENTS } from "../trace/events.ts";
import { type Price, PRICE_UNITS, type PriceList, type PriceUnit } from "./price.ts";

/** How a refusal speaks of the value that it refuses. */
export interface PriceListOrigin {
  /** What the list is called: a file's name, for example. Also its name if it has none. */
  readonly name: string;
  /** The line of a member given by its path, `prices.hypercall.per`; nothing if there are no lines. */
  readonly lineOf?: (path: string) => number | undefined;
}

type Members = Readonly<Record<string, unknown>>;

const LIST_MEMBERS = { name: true, unit: true, machine: true, prices: true } as const;
const PRICE_MEMBERS = { base: true, per: true, low: true, high: true, source: true } as const;
const UNITS = Object.fromEntries(PRICE_UNITS.map((unit) => [unit, unit])) as Record<string, PriceUnit>;

/**
 * A frozen price list of a value that has the members of one, completely checked. Members that no price list has
 * are refused, so that a misspelt `base` is not lost in silence.
 *
 * @throws {TypeError} if a member or an event is missing or not of its type
 * @throws {RangeError} if an event, a unit or a member is unknown, a figure is negative or not finite, or not
 *   `low` ≤ `per` ≤ `high`
 *
 * @example
 * ```ts
 * import { ASSUMED_CYCLES, priceList } from "grantlab/cost";
 * const hypercall = { per: 1200, low: 1200, high: 1228, source: "measured: my host" };
 * const mine = priceList({ ...ASSUMED_CYCLES, prices: { ...ASSUMED_CYCLES.prices, hypercall } }, { name: "mine" });
 * if (mine.prices.hypercall.per !== 1200) throw new Error();
 * ```
 */
export function priceList(value: unknown, origin: PriceListOrigin): PriceList {
  const at = placeIn(origin);
  const list = members(value, "", at);
  refuseUnknown("price-list member", LIST_MEMBERS, list, "", at);
  const name = Object.hasOwn(list, "name") ? text(list, "name", "", at) : origin.name;
  const unit = known("price unit", UNITS, text(list, "unit", "", at), "unit", at);
  const machine = text(list, "machine", "", at);
  const rows = members(present(list, "prices", "", at), "prices", at);
  refuseUnknown("event", EVENTS, rows, "prices", at);
  const missing = EVENT_KINDS.filter((kind) => !Object.hasOwn(rows, kind));
  if (missing.length > 0) {
    const rest = missing.length > 1 ? ` (and ${missing.length - 1} more)` : "";
    throw new TypeError(
      `Cannot use ${at("prices")}: the price of event ${show(missing[0])} is missing${rest}`,
    );
  }
  const prices = Object.fromEntries(
    EVENT_KINDS.map((kind) => [kind, price(rows[kind], `prices.${kind}`, at)]),
  );
  return Object.freeze({
    name,
    unit,
    machine,
    prices: Object.freeze(prices as Record<EventKind, Price>),
  });
}

function price(value: unknown, path: string, at: Place): Price {
  const row = members(value, path, at);
  refuseUnknown("price member", PRICE_MEMBERS, row, path, at);
  const per = figure(row, "per", path, at);
  const low = figure(row, "low", path, at);
  const high = figure(row, "high", path, at);
  if (low > per) throw refused(`${path}.low`, low, `it must not be above per, ${per}`, at);
  if (high < per) throw refused(`${path}.high`, high, `it must not be below per, ${per}`, at);
  const source = text(row, "source", path, at);
  if (!Object.hasOwn(row, "base")) return Object.freeze({ per, low, high, source });
  return Object.freeze({ base: figure(row, "base", path, at), per, low, high, source });
}

// --- what a value must be --------------------------------------------------------------------------------------

function members(value: unknown, path: string, at: Place): Members {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Members;
  throw wrongType(`set ${at(path)} to`, value, "it must be an object");
}

function present(owner: Members, key: string, path: string, at: Place): unknown {
  if (Object.hasOwn(owner, key)) return owner[key];
  throw new TypeError(`Cannot use ${at(path)}: ${show(key)} is missing`);
}

function text(owner: Members, key: string, path: string, at: Place): string {
  const value = present(owner, key, path, at);
  if (typeof value === "string" && value.trim() !== "") return value;
  throw wrongType(`set ${at(join(path, key))} to`, value, "it must be a text that is not empty");
}

function figure(owner: Members, key: string, path: string, at: Place): number {
  const value = present(owner, key, path, at);
  if (typeof value !== "number") {
    throw wrongType(`set ${at(join(path, key))} to`, value, "it must be a number");
  }
  if (Number.isFinite(value) && value >= 0) return value;
  throw refused(join(path, key), value, "it must be a finite number from 0", at);
}

function refuseUnknown(what: string, table: Members, owner: Members, path: string, at: Place): void {
  for (const key of Object.keys(owner)) known(what, table, key, join(path, key), at);
}

/** `table[name]`; a refusal suggests near names and adds the place. */
function known<T>(
  what: string,
  table: Readonly<Record<string, T>>,
  name: string,
  path: string,
  at: Place,
): T {
  try {
    return lookUp(what, table, name);
  } catch (cause) {
    throw new RangeError(`${(cause as Error).message}; see ${at(path)}`, { cause });
  }
}

// --- where it stands -------------------------------------------------------------------------------------------

/** Words for the member at a path: `prices.gt_lock.per of price list "mine" (line 9)`. */
type Place = (path: string) => string;

function placeIn({ name, lineOf }: PriceListOrigin): Place {
  return (path) => {
    const line = lineOf?.(path);
    const list = `price list ${show(name)}${line === undefined ? "" : ` (line ${line})`}`;
    return path === "" ? list : `${path} of ${list}`;
  };
}

function refused(path: string, value: number, reason: string, at: Place): RangeError {
  return outOfRange(`set ${at(path)} to`, value, reason);
}

function join(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}
