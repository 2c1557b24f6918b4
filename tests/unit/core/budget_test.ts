import { assertStrictEquals, assertThrows } from "@std/assert";
import { BUDGET, type BudgetName, withinBudget } from "../../../lib/core/budget.ts";

Deno.test("withinBudget() takes a wish up to its budget", () => {
  for (const name of Object.keys(BUDGET) as BudgetName[]) {
    const limit = BUDGET[name];
    assertStrictEquals(withinBudget("do", 0, name), 0);
    assertStrictEquals(withinBudget("do", limit, name), limit);
    assertThrows(() => withinBudget("do", limit + 1, name), RangeError, `the budget ${name} is ${limit}`);
  }
});

Deno.test("withinBudget() names wish and budget", () => {
  const { message } = assertThrows(() => withinBudget("grant", 1e9, "grantsPerCall"), RangeError);
  assertStrictEquals(message, "Cannot grant 1000000000: the budget grantsPerCall is 65536");
});

Deno.test("withinBudget() refuses what is no count", () => {
  for (const wish of [-1, 0.5, NaN, 2 ** 60]) {
    assertThrows(
      () => withinBudget("grant", wish, "grantsPerCall"),
      RangeError,
      "it must be a whole number from 0",
    );
  }
});
