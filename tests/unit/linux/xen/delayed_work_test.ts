import { assertEquals, assertThrows } from "@std/assert";
import { DelayedWork } from "../../../../lib/linux/xen/delayed_work.ts";

Deno.test("DelayedWork runs items by time, then by order of queueing", () => {
  const work = new DelayedWork();
  const ran: string[] = [];
  for (const [ms, name] of [[10, "b"], [5, "a"], [10, "c"]] as const) {
    work.schedule(ms, () => ran.push(`${name}@${work.nowMs}`));
  }
  work.advance(9);
  assertEquals([ran, work.nowMs, work.pending], [["a@5"], 9, 2]);
  work.advance(1);
  assertEquals([ran, work.nowMs, work.pending], [["a@5", "b@10", "c@10"], 10, 0]);
});

Deno.test("DelayedWork runs what items queue, as far as it falls due", () => {
  const work = new DelayedWork();
  const ran: number[] = [];
  const again = () => {
    ran.push(work.nowMs);
    work.schedule(5, again);
  };
  work.schedule(5, again);
  work.advance(19);
  assertEquals([ran, work.pending], [[5, 10, 15], 1]);
});

Deno.test("DelayedWork runs an item without delay at the next advance, even by 0", () => {
  const work = new DelayedWork();
  let ran = 0;
  work.schedule(0, () => ran++);
  assertEquals(ran, 0);
  work.advance(0);
  assertEquals(ran, 1);
});

Deno.test("DelayedWork refuses time that is no whole number from 0 on", () => {
  const work = new DelayedWork();
  for (const ms of [-1, 0.5, NaN, 2 ** 40 + 1]) {
    assertThrows(() => work.advance(ms), RangeError, "Cannot let");
  }
  assertEquals(work.nowMs, 0);
});
