import { assertEquals } from "@std/assert";
import { ReferenceDisk } from "../../../lib/reference/disk.ts";

Deno.test("a write replaces what had ended before it began", () => {
  const disk = new ReferenceDisk();
  const a = disk.begin(0, 2);
  disk.end(a, true);
  const b = disk.begin(1, 1);
  assertEquals([disk.possible(0), disk.possible(1), disk.possible(2)], [[1], [1, 2], [0]]);
  disk.end(b, true);
  assertEquals([disk.possible(1), disk.mayHold(1, 1), disk.sectors], [[2], false, [0, 1]]);
});

Deno.test("of two writes that overlap in time either may come last", () => {
  const disk = new ReferenceDisk();
  const [a, b] = [disk.begin(0, 1), disk.begin(0, 1)];
  disk.end(b, true);
  disk.end(a, true);
  assertEquals(disk.possible(0), [1, 2]);
  disk.end(disk.begin(0, 1), true);
  assertEquals(disk.possible(0), [3]);
});

Deno.test("a write that failed may have happened or not", () => {
  const disk = new ReferenceDisk();
  disk.end(disk.begin(0, 1), false);
  assertEquals(disk.possible(0), [0, 1]);
});

Deno.test("a sector that was given up may hold anything until it is written again", () => {
  const disk = new ReferenceDisk();
  disk.end(disk.begin(0, 1), true);
  disk.discard(0, 1);
  assertEquals([disk.mayHold(0, 77), disk.mayHold(1, 77)], [true, false]);
  disk.end(disk.begin(0, 1), true);
  assertEquals([disk.mayHold(0, 77), disk.possible(0)], [false, [2]]);
});
