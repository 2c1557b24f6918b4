/**
 * Every design runs the same table with its own column.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { EXPECTED, outcomeOf, RULES } from "./foreign_pages.ts";

for (const [design, column] of Object.entries(EXPECTED)) {
  Deno.test(`${design} has an expectation for every rule`, () => {
    assertEquals(column.length, RULES.length);
  });
  RULES.forEach((rule, i) => {
    Deno.test(`${design}: ${rule.rule}`, () => {
      assertEquals(outcomeOf(design, rule), column[i]);
    });
  });
}
