import { assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { GrefTree } from "../../../lib/drivers/blkback/gref_tree.ts";
import { Trace } from "../../../lib/trace/trace.ts";
import { holds } from "../../support/property.ts";

Deno.test("GrefTree is a map in order of reference, whatever goes in and out", () => {
  holds([fc.array(fc.tuple(fc.boolean(), fc.nat(60)), { maxLength: 200 })], (commands) => {
    const tree = new GrefTree<number>(new Trace());
    const map = new Map<number, number>();
    for (const [isInsert, gref] of commands) {
      if (isInsert) {
        assertEquals(tree.insert(gref, gref * 2), !map.has(gref));
        map.set(gref, gref * 2);
      } else assertEquals(tree.delete(gref), map.delete(gref));
      assertEquals([tree.size, tree.find(gref)], [map.size, map.get(gref)]);
    }
    const values = [...map].sort(([a], [b]) => a - b).map(([, value]) => value);
    assertEquals(tree.values(), values);
    assertLessOrEqual(tree.depth, 2 * Math.log2(map.size + 1) + 1e-9);
  });
});

Deno.test("GrefTree counts the nodes that a look-up touches", () => {
  const trace = new Trace();
  const tree = new GrefTree<string>(trace);
  for (const gref of [20, 10, 30]) tree.insert(gref, String(gref));
  const touched = (gref: number) => {
    const before = trace.count("pgrant_probe");
    tree.find(gref);
    return trace.count("pgrant_probe") - before;
  };
  assertEquals([touched(20), touched(10), touched(30), touched(5), touched(15)], [1, 2, 2, 2, 2]);
});

Deno.test("a tree of 1056 grants in order is at most 20 deep", () => {
  const tree = new GrefTree<number>(new Trace());
  for (let gref = 8; gref < 8 + 1056; gref++) tree.insert(gref, gref);
  assertLessOrEqual(tree.depth, 20);
});
