import { assertEquals, assertFalse, assertThrows } from "@std/assert";
import { ASSUMED_CYCLES } from "../../../lib/cost/assumed_cycles.ts";
import { parsePriceList } from "../../../lib/cost/parse_price_list.ts";
import { EVENT_KINDS } from "../../../lib/trace/events.ts";

/** A good list, one event a line: the head is on lines 1 to 4, `hypercall` on line HYPERCALL. */
const HEAD = ['{ "name": "mine",', '"unit": "ns",', '"machine": "my host",', '"prices": {'];
const ROWS = EVENT_KINDS.map((kind) =>
  `"${kind}": { "per": 2, "low": 1, "high": 3, "source": "measured: me" }`
);
const HYPERCALL = HEAD.length + 1 + EVENT_KINDS.indexOf("hypercall");

function textOf(head: readonly string[], rows: readonly string[]): string {
  return `${head.join("\n")}\n${rows.join(",\n")}\n}}\n`;
}

const CONTROL = textOf(HEAD, ROWS);

/** The control with the row of `hypercall` replaced. */
function withRow(row: string): string {
  return textOf(HEAD, ROWS.map((own) => own.startsWith('"hypercall"') ? row : own));
}

/** The control with one line of the head replaced. */
function withHead(line: number, text: string): string {
  return textOf(HEAD.map((own, i) => i === line - 1 ? text : own), ROWS);
}

Deno.test("parsePriceList reads a list that is in order", () => {
  const list = parsePriceList(CONTROL, "mine.json");
  assertEquals({ name: list.name, unit: list.unit, machine: list.machine }, {
    name: "mine",
    unit: "ns",
    machine: "my host",
  });
  assertEquals(Object.keys(list.prices), [...EVENT_KINDS]);
  assertEquals(list.prices.hypercall, { per: 2, low: 1, high: 3, source: "measured: me" });
});

Deno.test("parsePriceList reads a base, equal bounds, zeros and numbers of any form", () => {
  const row =
    '"hypercall": { "base": 1.5e2, "per": 0, "low": 0.0, "high": 0E+1, "source": "none: \\"\\u00e9\\"" }';
  assertEquals(parsePriceList(withRow(row), "mine.json").prices.hypercall, {
    base: 150,
    per: 0,
    low: 0,
    high: 0,
    source: 'none: "é"',
  });
});

Deno.test("parsePriceList takes the name it is given if the text has none", () => {
  assertEquals(parsePriceList(withHead(1, "{"), "mine.json").name, "mine.json");
});

Deno.test("parsePriceList reads what JSON.stringify wrote, and freezes it", () => {
  const list = parsePriceList(JSON.stringify(ASSUMED_CYCLES, null, 2), "copy");
  assertEquals(list, ASSUMED_CYCLES);
  for (const part of [list, list.prices, list.prices.hypercall]) {
    assertEquals(Object.isFrozen(part), true);
  }
});

const price = (members: string) => withRow(`"hypercall": { ${members} }`);
const SOURCE = '"source": "measured: me"';
const AT = `price list "mine.json" (line ${HYPERCALL})`;

const REFUSALS:
  readonly (readonly [rule: string, text: string, kind: typeof SyntaxError, message: string])[] = [
    // --- not JSON
    [
      "empty",
      "",
      SyntaxError,
      'Cannot read line 1 of price list "mine.json": the text ends where a value must be',
    ],
    ["cut off", CONTROL.slice(0, -3), SyntaxError, 'the text ends where a comma or "}" must be'],
    ["words", "hello\nyou", SyntaxError, 'Cannot read line 1 of price list "mine.json": "hello" is not JSON'],
    [
      "comma missing",
      withHead(2, '"unit": "ns"'),
      SyntaxError,
      'line 3 of price list "mine.json": "machine" stands',
    ],
    [
      "comma too many",
      withHead(3, '"machine": "my host",,'),
      SyntaxError,
      'line 3 of price list "mine.json": "," stands',
    ],
    [
      "trailing comma",
      price(`"per": 2, "low": 1, "high": 3, ${SOURCE},`),
      SyntaxError,
      `line ${HYPERCALL} of`,
    ],
    ["single quotes", withHead(2, "'unit': 'ns',"), SyntaxError, "Cannot read line 2 of"],
    [
      "bare NaN",
      price(`"per": NaN, "low": 1, "high": 3, ${SOURCE}`),
      SyntaxError,
      `Cannot read line ${HYPERCALL} of`,
    ],
    [
      "number 01",
      price(`"per": 01, "low": 1, "high": 3, ${SOURCE}`),
      SyntaxError,
      `Cannot read line ${HYPERCALL} of`,
    ],
    ["more behind", `${CONTROL}{}`, SyntaxError, '"{" stands where the end must be'],
    ["too deep", "[".repeat(100_000), SyntaxError, "it is nested deeper than 32 levels"],
    [
      "event twice",
      withRow(`${ROWS[0]}`),
      SyntaxError,
      `line ${HYPERCALL} of price list "mine.json": the key "tlb_lookup" stands there twice`,
    ],
    // --- not a price list
    ["an array", "[]", TypeError, 'Cannot set price list "mine.json" (line 1) to []: it must be an object'],
    ["no unit", withHead(2, ""), TypeError, 'Cannot use price list "mine.json" (line 1): "unit" is missing'],
    [
      "unknown unit",
      withHead(2, '"unit": "cycle",'),
      RangeError,
      'Cannot find the price unit "cycle": there is no such price unit; did you mean "cycles"; see unit of price list "mine.json" (line 2)',
    ],
    [
      "unit of a type",
      withHead(2, '"unit": 3,'),
      TypeError,
      'Cannot set unit of price list "mine.json" (line 2) to 3: it must be a text',
    ],
    ["no machine", withHead(3, ""), TypeError, '"machine" is missing'],
    [
      "blank machine",
      withHead(3, '"machine": " ",'),
      TypeError,
      'Cannot set machine of price list "mine.json" (line 3) to " "',
    ],
    [
      "empty name",
      withHead(1, '{ "name": "",'),
      TypeError,
      'Cannot set name of price list "mine.json" (line 1) to ""',
    ],
    [
      "unknown member",
      withHead(3, '"machine": "m", "unti": "ns",'),
      RangeError,
      'did you mean "unit"; see unti of price list "mine.json" (line 3)',
    ],
    ["no prices", '{ "unit": "ns",\n"machine": "m" }', TypeError, '"prices" is missing'],
    [
      "prices null",
      '{ "unit": "ns",\n"machine": "m",\n"prices": null }',
      TypeError,
      'Cannot set prices of price list "mine.json" (line 3) to null',
    ],
    // --- events
    [
      "unknown event",
      withRow('"hypercal": { "per": 2 }'),
      RangeError,
      `did you mean "hypercall"; see prices.hypercal of ${AT}`,
    ],
    ["key __proto__", withRow('"__proto__": { "per": 2 }'), RangeError, `Cannot find the event "__proto__"`],
    [
      "one missing",
      textOf(HEAD, ROWS.filter((row) => !row.startsWith('"hypercall"'))),
      TypeError,
      'Cannot use prices of price list "mine.json" (line 4): the price of event "hypercall" is missing',
    ],
    [
      "two missing",
      textOf(HEAD, ROWS.slice(2)),
      TypeError,
      'the price of event "tlb_lookup" is missing (and 1 more)',
    ],
    // --- figures
    [
      "price a number",
      withRow('"hypercall": 2'),
      TypeError,
      `Cannot set prices.hypercall of ${AT} to 2: it must be an object`,
    ],
    [
      "negative",
      price(`"per": -2, "low": 1, "high": 3, ${SOURCE}`),
      RangeError,
      `Cannot set prices.hypercall.per of ${AT} to -2: it must be a finite number from 0`,
    ],
    [
      "negative low",
      price(`"per": 2, "low": -1, "high": 3, ${SOURCE}`),
      RangeError,
      `prices.hypercall.low of ${AT} to -1`,
    ],
    [
      "not finite",
      price(`"per": 2, "low": 1, "high": 1e999, ${SOURCE}`),
      RangeError,
      `Cannot set prices.hypercall.high of ${AT} to Infinity`,
    ],
    [
      "negative base",
      price(`"base": -1, "per": 2, "low": 1, "high": 3, ${SOURCE}`),
      RangeError,
      `prices.hypercall.base of ${AT} to -1`,
    ],
    [
      "text",
      price(`"per": "2", "low": 1, "high": 3, ${SOURCE}`),
      TypeError,
      `Cannot set prices.hypercall.per of ${AT} to "2": it must be a number`,
    ],
    ["null", price(`"per": null, "low": 1, "high": 3, ${SOURCE}`), TypeError, "to null: it must be a number"],
    [
      "no per",
      price(`"low": 1, "high": 3, ${SOURCE}`),
      TypeError,
      `Cannot use prices.hypercall of ${AT}: "per" is missing`,
    ],
    [
      "no low",
      price(`"per": 2, "high": 3, ${SOURCE}`),
      TypeError,
      `Cannot use prices.hypercall of ${AT}: "low" is missing`,
    ],
    [
      "no high",
      price(`"per": 2, "low": 1, ${SOURCE}`),
      TypeError,
      `Cannot use prices.hypercall of ${AT}: "high" is missing`,
    ],
    [
      "low > per",
      price(`"per": 2, "low": 2.5, "high": 3, ${SOURCE}`),
      RangeError,
      `Cannot set prices.hypercall.low of ${AT} to 2.5: it must not be above per, 2`,
    ],
    [
      "per > high",
      price(`"per": 2, "low": 1, "high": 1.5, ${SOURCE}`),
      RangeError,
      `Cannot set prices.hypercall.high of ${AT} to 1.5: it must not be below per, 2`,
    ],
    [
      "misspelt base",
      price(`"bse": 1, "per": 2, "low": 1, "high": 3, ${SOURCE}`),
      RangeError,
      `did you mean "base"; see prices.hypercall.bse of ${AT}`,
    ],
    // --- source
    [
      "no source",
      price('"per": 2, "low": 1, "high": 3'),
      TypeError,
      `Cannot use prices.hypercall of ${AT}: "source" is missing`,
    ],
    [
      "blank source",
      price('"per": 2, "low": 1, "high": 3, "source": "  "'),
      TypeError,
      `Cannot set prices.hypercall.source of ${AT} to "  ": it must be a text that is not empty`,
    ],
  ];

for (const [rule, text, kind, message] of REFUSALS) {
  Deno.test(`parsePriceList refuses a list that is wrong in one place: ${rule}`, () => {
    parsePriceList(CONTROL, "mine.json"); // control
    const error = assertThrows(() => parsePriceList(text, "mine.json"), kind, message);
    assertFalse(error.message.endsWith("."));
    assertFalse(error.message.includes("\n"));
  });
}

Deno.test("parsePriceList refuses what is not text", () => {
  assertThrows(
    () => parsePriceList(7 as unknown as string, "x"),
    TypeError,
    "Cannot read a price list from 7",
  );
});

Deno.test("parsePriceList calls a list without a name unnamed", () => {
  assertThrows(() => parsePriceList("{"), SyntaxError, 'of price list "unnamed"');
  assertEquals(
    parsePriceList(CONTROL).prices.hypercall.per,
    parsePriceList(CONTROL, "x").prices.hypercall.per,
  );
});
