/**
 * Budgets: how large a wish may be. A wish above its budget is refused by name before anything is allocated; a budget
 * is a limit of this program, never of the modelled system (those are errnos and statuses).
 *
 * @module
 */

import { wrongType } from "./misuse.ts";

/** The budgets, each with what it bounds. */
export const BUDGET = {
  /** Frames of machine memory of one host (8 TiB). Frames cost nothing until written. */
  hostFrames: 2 ** 31 - 1,
  /** Frames of one domain (4 GiB): each has a frame-table row, a p2m entry and a `struct page`. */
  domainFrames: 2 ** 20,
  /** Frames with content, over all domains (8 GiB). */
  contentFrames: 2 ** 21 - 1,
  /** Grants published by one call. */
  grantsPerCall: 2 ** 16,
  /** Pages that one call may populate, touch or read one by one. */
  pagesPerCall: 2 ** 20,
} as const;

/** Name of a budget. */
export type BudgetName = keyof typeof BUDGET;

/**
 * Refuses a wish that is larger than its budget.
 *
 * @param action what was asked for, so that `Cannot <action> <wish>` reads well
 * @throws {RangeError} naming wish and budget
 *
 * @example
 * ```ts
 * import { withinBudget } from "grantlab/core";
 * if (withinBudget("grant", 4, "grantsPerCall") !== 4) throw new Error();
 * ```
 */
export function withinBudget(action: string, wish: number, budget: BudgetName): number {
  const limit = BUDGET[budget];
  if (typeof wish !== "number") {
    throw wrongType(action, wish, `it must be a whole number from 0 to ${limit}`);
  }
  // Wishes are counts, and counts are decimal for people.
  if (!Number.isSafeInteger(wish) || wish < 0) {
    throw new RangeError(`Cannot ${action} ${wish}: it must be a whole number from 0 to ${limit}`);
  }
  if (wish > limit) throw new RangeError(`Cannot ${action} ${wish}: the budget ${budget} is ${limit}`);
  return wish;
}
