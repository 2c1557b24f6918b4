import { assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { IntMap } from "../../../lib/core/int_map.ts";
import { holds } from "../../support/property.ts";

Deno.test("IntMap answers -1 for what is not there", () => {
  const map = new IntMap();
  assertStrictEquals(map.get(0), -1);
  map.set(0, 0);
  assertStrictEquals(map.get(0), 0);
  assertStrictEquals(map.delete(0), true);
  assertStrictEquals(map.delete(0), false);
  assertStrictEquals(map.get(0), -1);
  assertStrictEquals(map.size, 0);
});

Deno.test("IntMap keeps the largest key and value", () => {
  const map = new IntMap();
  map.set(0x7fff_ffff, 0x7fff_ffff);
  assertStrictEquals(map.get(0x7fff_ffff), 0x7fff_ffff);
});

Deno.test("IntMap grows from any capacity", () => {
  for (const capacity of [0, 1, 16, 17, 1000]) {
    const map = new IntMap(capacity);
    for (let i = 0; i < 5000; i++) map.set(i * 4096, i);
    assertStrictEquals(map.size, 5000);
    for (let i = 0; i < 5000; i++) assertStrictEquals(map.get(i * 4096), i);
    assertStrictEquals(map.get(5000 * 4096), -1);
  }
});

Deno.test("IntMap does not fill up with what was deleted", () => {
  const map = new IntMap();
  for (let i = 0; i < 100_000; i++) {
    map.set(i, i);
    assertStrictEquals(map.delete(i), true);
  }
  assertStrictEquals(map.size, 0);
  assertStrictEquals(map.get(7), -1);
});

Deno.test("IntMap.forEach() visits each entry once", () => {
  const map = new IntMap();
  for (const key of [3, 1, 2, 3]) map.set(key, key * 10);
  map.delete(2);
  const seen: [number, number][] = [];
  map.forEach((key, value) => seen.push([key, value]));
  assertEquals(seen.sort(), [[1, 10], [3, 30]]);
});

Deno.test("IntMap behaves like Map through any history", () => {
  // Few keys, so that the same one is set, deleted and set again.
  const key = fc.oneof(fc.nat(40), fc.nat(40).map((n) => n << 20), fc.nat());
  const command = fc.oneof(
    fc.tuple(fc.constant("set" as const), key, fc.nat()),
    fc.tuple(fc.constant("delete" as const), key, fc.constant(0)),
  );
  holds([fc.array(command, { maxLength: 400, size: "max" })], (history) => {
    const map = new IntMap();
    const model = new Map<number, number>();
    for (const [what, k, v] of history) {
      if (what === "set") {
        map.set(k, v);
        model.set(k, v);
      } else {
        assertStrictEquals(map.delete(k), model.delete(k));
      }
      assertStrictEquals(map.size, model.size);
      assertStrictEquals(map.get(k), model.get(k) ?? -1);
    }
    // Every key is still found: no deletion cut the way to another key.
    for (const [k, v] of model) assertStrictEquals(map.get(k), v);
    const entries: [number, number][] = [];
    map.forEach((k, v) => entries.push([k, v]));
    const byKey = (a: [number, number], b: [number, number]) => a[0] - b[0];
    assertEquals(entries.sort(byKey), [...model].sort(byKey));
  });
});
