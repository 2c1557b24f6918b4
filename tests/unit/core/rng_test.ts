import { assertEquals, assertStrictEquals } from "@std/assert";
import { Rng } from "../../../lib/core/rng.ts";

Deno.test("Rng draws the numbers of mulberry32", () => {
  const rng = new Rng(1);
  // The published generator, run once with seed 1: recorded, so that no change goes unseen.
  assertEquals([rng.next(), rng.next(), rng.next()], [2693262067, 11749833, 2265367787]);
});

Deno.test("Rng repeats itself by seed, and only by seed", () => {
  const draw = (seed: number) => {
    const rng = new Rng(seed);
    return Array.from({ length: 20 }, () => rng.below(1000));
  };
  assertEquals(draw(7), draw(7));
  assertStrictEquals(draw(7).join() === draw(8).join(), false);
  assertStrictEquals(new Rng(7).seed, 7);
});

Deno.test("Rng.below() draws every number below n, and no other", () => {
  const rng = new Rng(3);
  const seen = new Set(Array.from({ length: 1000 }, () => rng.below(6)));
  assertEquals([...seen].sort(), [0, 1, 2, 3, 4, 5]);
  assertStrictEquals(rng.below(1), 0);
});
