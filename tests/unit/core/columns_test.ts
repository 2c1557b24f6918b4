import { assertEquals, assertStrictEquals } from "@std/assert";
import { growFloat64, growInt32 } from "../../../lib/core/columns.ts";

for (const [grow, Column] of [[growInt32, Int32Array], [growFloat64, Float64Array]] as const) {
  const grown = grow as (column: Int32Array | Float64Array, size: number, fill?: number) => typeof column;

  Deno.test(`${grow.name}() answers a long enough column itself`, () => {
    const column = new Column(4);
    assertStrictEquals(grown(column, 4), column);
    assertStrictEquals(grown(column, 0), column);
  });

  Deno.test(`${grow.name}() at least doubles, keeps the rows and fills the new ones`, () => {
    const column = new Column([1, 2, 3]);
    const long = grown(column, 4, -1);
    assertStrictEquals(long.length, 64);
    assertEquals([...long.slice(0, 5)], [1, 2, 3, -1, -1]);
    assertStrictEquals(long[63], -1);
    assertStrictEquals(grown(long, 65).length, 128);
    assertStrictEquals(grown(long, 1000).length, 1000);
    assertStrictEquals(grown(long, 1000)[999], 0);
  });
}
