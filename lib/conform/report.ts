/**
 * What a replay found: counts of units, and the first differences.
 *
 * @module
 */

/** One unit that came out otherwise than recorded. */
export interface Difference {
  /** Row, step or address, so that it can be found again. */
  readonly where: string;
  readonly expected: string;
  readonly got: string;
}

/**
 * Counts of one path.
 *
 * @example
 * ```ts
 * import { Report } from "grantlab/conform";
 * const report = new Report(1);
 * report.pass();
 * report.fail("row 2", "pf 4", "ok");
 * if (report.passed !== 1 || report.failed !== 1 || report.differences.length !== 1) throw new Error();
 * ```
 */
export class Report {
  passed = 0;
  failed = 0;
  /** Units whose sources disagree: never passed, never failed. */
  advisory = 0;
  /** The first differences, at most `limit`. */
  readonly differences: Difference[] = [];
  /** Criteria and how they came out, a sentence each, in the order of checking. */
  readonly criteria: string[] = [];
  /** Further findings that decide nothing, a sentence each. */
  readonly notes: string[] = [];

  /** @param limit how many differences to keep */
  constructor(readonly limit: number = 3) {}

  /** Counts units that came out as recorded. */
  pass(units = 1): void {
    this.passed += units;
  }

  /** Counts units that did not, and keeps the difference while there is room. */
  fail(where: string, expected: string, got: string, units = 1): void {
    this.failed += units;
    if (this.differences.length < this.limit) this.differences.push({ where, expected, got });
  }

  /** Counts a criterion as one unit and keeps its sentence, met or missed. */
  criterion(name: string, isMet: boolean, measured: string): void {
    this.criteria.push(`${name}: ${measured}: ${isMet ? "pass" : "FAIL"}`);
    if (isMet) this.pass();
    else this.failed++;
  }

  /** Counts a unit as advisory. */
  advise(units = 1): void {
    this.advisory += units;
  }

  /** Counts a unit as passed if both texts are equal. */
  compare(where: string, expected: string, got: string): void {
    if (expected === got) this.pass();
    else this.fail(where, expected, got);
  }
}
