import { assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { lookUp } from "../../../lib/core/nearest.ts";

const FLAVOURS = { linux3_19: 1, linux4_0: 2, linux6_1: 3, seed2014: 4 };

Deno.test("lookUp() answers what is there", () =>
  assertStrictEquals(lookUp("flavour", FLAVOURS, "linux4_0"), 2));

Deno.test("lookUp() suggests near names, else lists all", () => {
  const cases: [name: string, message: RegExp][] = [
    ["seed2013", /^Cannot find the flavour "seed2013": there is no such flavour; did you mean "seed2014"$/],
    ["SEED2014", /did you mean "seed2014"$/],
    ["linux6.1", /did you mean .*"linux6_1"/],
    ["windows", /there are linux3_19, linux4_0, linux6_1, seed2014$/],
    ["", /there are linux3_19, /],
    ["constructor", /^Cannot find the flavour "constructor"/],
    ["__proto__", /^Cannot find the flavour "__proto__"/],
  ];
  for (const [name, message] of cases) {
    assertMatch(assertThrows(() => lookUp("flavour", FLAVOURS, name), RangeError).message, message);
  }
});

Deno.test("lookUp() wants a string", () => {
  assertThrows(
    () => lookUp("flavour", FLAVOURS, 4 as unknown as string),
    TypeError,
    "Cannot find the flavour 4: it must be a string",
  );
});
