/**
 * `@std/assert` through npm: typed doors to the untyped modules of `deno-std`, a community repackaging of Deno's
 * standard library. Names and signatures are those of std, so the import-map line
 * `"@std/assert": "jsr:@std/assert@1"` takes this file's place and no test notices.
 *
 * Only what the tests use is here; another function is one import and one typed line.
 *
 * @module
 */

import { assertAlmostEquals as almostEquals } from "deno-std/assert/almost_equals.js";
import { assertArrayIncludes as arrayIncludes } from "deno-std/assert/array_includes.js";
import { assert as assertTrue } from "deno-std/assert/assert.js";
import { AssertionError as ErrorOfAssertion } from "deno-std/assert/assertion_error.js";
import { assertEquals as equals } from "deno-std/assert/equals.js";
import { assertExists as exists } from "deno-std/assert/exists.js";
import { fail as failNow } from "deno-std/assert/fail.js";
import { assertFalse as isFalse } from "deno-std/assert/false.js";
import { assertGreater as greater } from "deno-std/assert/greater.js";
import { assertGreaterOrEqual as greaterOrEqual } from "deno-std/assert/greater_or_equal.js";
import { assertInstanceOf as instanceOf } from "deno-std/assert/instance_of.js";
import { assertLess as less } from "deno-std/assert/less.js";
import { assertLessOrEqual as lessOrEqual } from "deno-std/assert/less_or_equal.js";
import { assertMatch as match } from "deno-std/assert/match.js";
import { assertNotEquals as notEquals } from "deno-std/assert/not_equals.js";
import { assertNotMatch as notMatch } from "deno-std/assert/not_match.js";
import { assertNotStrictEquals as notStrictEquals } from "deno-std/assert/not_strict_equals.js";
import { assertObjectMatch as objectMatch } from "deno-std/assert/object_match.js";
import { assertRejects as rejects } from "deno-std/assert/rejects.js";
import { assertStrictEquals as strictEquals } from "deno-std/assert/strict_equals.js";
import { assertStringIncludes as stringIncludes } from "deno-std/assert/string_includes.js";
import { assertThrows as throws } from "deno-std/assert/throws.js";

/** A class whose instances are `T`, abstract or not. */
// deno-lint-ignore no-explicit-any
type AnyClass<T> = abstract new (...args: any[]) => T;

/** What a failed assertion throws. */
export type AssertionError = Error;
export const AssertionError: new (message: string, options?: ErrorOptions) => AssertionError =
  ErrorOfAssertion;

/** Fails unless `expr` is truthy; narrows its type. */
export const assert: (expr: unknown, msg?: string) => asserts expr = assertTrue;

type Falsy = false | 0 | 0n | "" | null | undefined;

/** Fails unless `expr` is falsy. */
export const assertFalse: (expr: unknown, msg?: string) => asserts expr is Falsy = isFalse;

/** Fails always. */
export const fail: (msg?: string) => never = failNow;

/** Fails unless the values are deeply equal. */
export const assertEquals: <T>(actual: T, expected: T, msg?: string) => void = equals;

/** Fails if the values are deeply equal. */
export const assertNotEquals: <T>(actual: T, expected: T, msg?: string) => void = notEquals;

/** Fails unless `Object.is(actual, expected)`; narrows the type of `actual`. */
export const assertStrictEquals: <T>(actual: unknown, expected: T, msg?: string) => asserts actual is T =
  strictEquals;

/** Fails if `Object.is(actual, expected)`. */
export const assertNotStrictEquals: <T>(actual: T, expected: T, msg?: string) => void = notStrictEquals;

/** Fails unless the numbers differ by at most `tolerance`. */
export const assertAlmostEquals: (
  actual: number,
  expected: number,
  tolerance?: number,
  msg?: string,
) => void = almostEquals;

/** Fails if `actual` is null or undefined; narrows its type. */
export const assertExists: <T>(actual: T, msg?: string) => asserts actual is NonNullable<T> = exists;

/** Fails unless `actual > expected`. */
export const assertGreater: <T>(actual: T, expected: T, msg?: string) => void = greater;

/** Fails unless `actual >= expected`. */
export const assertGreaterOrEqual: <T>(actual: T, expected: T, msg?: string) => void = greaterOrEqual;

/** Fails unless `actual < expected`. */
export const assertLess: <T>(actual: T, expected: T, msg?: string) => void = less;

/** Fails unless `actual <= expected`. */
export const assertLessOrEqual: <T>(actual: T, expected: T, msg?: string) => void = lessOrEqual;

/** Fails unless the pattern matches. */
export const assertMatch: (actual: string, expected: RegExp, msg?: string) => void = match;

/** Fails if the pattern matches. */
export const assertNotMatch: (actual: string, expected: RegExp, msg?: string) => void = notMatch;

/** Fails unless the text contains `expected`. */
export const assertStringIncludes: (actual: string, expected: string, msg?: string) => void = stringIncludes;

/** Fails unless every element of `expected` is in `actual`. */
export const assertArrayIncludes: <T>(
  actual: ArrayLike<T>,
  expected: ArrayLike<T>,
  msg?: string,
) => void = arrayIncludes;

/** Fails unless `expected` is a subset of `actual`, deeply. */
export const assertObjectMatch: (
  // deno-lint-ignore no-explicit-any
  actual: Record<PropertyKey, any>,
  expected: Record<PropertyKey, unknown>,
  msg?: string,
) => void = objectMatch;

/** Fails unless `actual` is an instance of the class; narrows its type. */
export const assertInstanceOf: <T>(
  actual: unknown,
  expectedType: AnyClass<T>,
  msg?: string,
) => asserts actual is T = instanceOf;

/** The two forms of {@linkcode assertThrows}. */
interface AssertThrows {
  (fn: () => unknown, msg?: string): unknown;
  <E extends Error = Error>(
    fn: () => unknown,
    errorClass: AnyClass<E>,
    msgIncludes?: string,
    msg?: string,
  ): E;
}

/** Fails unless `fn` throws, an error of that class with that text if they are given; answers the error. */
export const assertThrows: AssertThrows = throws;

/** The two forms of {@linkcode assertRejects}. */
interface AssertRejects {
  (fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
  <E extends Error = Error>(
    fn: () => PromiseLike<unknown>,
    errorClass: AnyClass<E>,
    msgIncludes?: string,
    msg?: string,
  ): Promise<E>;
}

/** Fails unless the promise of `fn` is rejected, as {@linkcode assertThrows}. */
export const assertRejects: AssertRejects = rejects;
