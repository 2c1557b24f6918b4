/**
 * Nominal numbers. A frame number of one kind must not be handed to a function that wants
 * another kind; a brand makes the compiler say so and costs nothing at run time.
 *
 * @module
 */

declare const brand: unique symbol;

/**
 * `T` marked with the name `B`: assignable to `T`, but `T` is not assignable to it.
 *
 * @example
 * ```ts
 * import type { Nominal } from "grantlab/core";
 * type Metres = Nominal<number, "Metres">;
 * const height = 3 as Metres;
 * const plain: number = height;
 * if (plain !== 3) throw new Error("a brand is not there at run time");
 * ```
 */
export type Nominal<T, B extends string> = T & { readonly [brand]: B };
