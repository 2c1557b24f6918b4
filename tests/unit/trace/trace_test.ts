import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { EV, EVENT_KINDS, EVENTS, NR_EVENTS } from "../../../lib/trace/events.ts";
import { Recorder } from "../../../lib/trace/record.ts";
import { Trace } from "../../../lib/trace/trace.ts";

Deno.test("EV numbers the events in the order of the table", () => {
  assertStrictEquals(NR_EVENTS, Object.keys(EVENTS).length);
  EVENT_KINDS.forEach((kind, i) => assertStrictEquals(EV[kind], i));
});

Deno.test("EVENTS has units and meanings that read well", () => {
  for (const [kind, { unit, meaning }] of Object.entries(EVENTS)) {
    assertStrictEquals(/^[\w#-]+$/.test(unit), true, `${kind}: unit ${unit}`);
    assertStrictEquals(meaning.length > 0 && !meaning.endsWith("."), true, `${kind}: ${meaning}`);
  }
});

Deno.test("Trace counts once, many times, and apart from other traces", () => {
  const trace = new Trace();
  const other = new Trace();
  trace.add(EV.hypercall);
  trace.add(EV.walk_step, 4);
  trace.add(EV.walk_step);
  assertStrictEquals(trace.count("hypercall"), 1);
  assertStrictEquals(trace.count("walk_step"), 5);
  assertStrictEquals(trace.count("tlb_miss"), 0);
  assertStrictEquals(other.count("walk_step"), 0);
});

Deno.test("Trace.since() answers what was counted after the mark", () => {
  const trace = new Trace();
  trace.add(EV.tlb_miss, 3);
  const mark = trace.mark();
  assertEquals(trace.since(mark), {});
  trace.add(EV.tlb_miss);
  trace.add(EV.ipi, 2);
  assertEquals(trace.since(mark), { tlb_miss: 1, ipi: 2 });
  assertEquals(trace.since(new Trace().mark()), { tlb_miss: 4, ipi: 2 });
});

Deno.test("Recorder sees events and spans in order, with their depth", () => {
  const trace = new Trace();
  const recorder = new Recorder(trace);
  trace.enter("munmap");
  trace.add(EV.vma_find);
  trace.enter("zap");
  trace.add(EV.pte_write, 2);
  trace.leave("zap");
  trace.leave("munmap");
  assertEquals(recorder.stop(), [
    { what: "enter", name: "munmap", times: 1, depth: 0 },
    { what: "event", name: "vma_find", times: 1, depth: 1 },
    { what: "enter", name: "zap", times: 1, depth: 1 },
    { what: "event", name: "pte_write", times: 2, depth: 2 },
    { what: "leave", name: "zap", times: 1, depth: 1 },
    { what: "leave", name: "munmap", times: 1, depth: 0 },
  ]);
  assertStrictEquals(recorder.dropped, 0);
});

Deno.test("Recorder keeps the last lines and counts the others", () => {
  const trace = new Trace();
  const recorder = new Recorder(trace, 3);
  for (const times of [1, 2, 3]) trace.add(EV.ipi, times);
  assertStrictEquals(recorder.dropped, 0);
  for (const times of [4, 5]) trace.add(EV.ipi, times);
  assertStrictEquals(recorder.dropped, 2);
  assertEquals(recorder.stop().map((line) => line.times), [3, 4, 5]);
});

Deno.test("Recorder.stop() detaches, and only itself", () => {
  const trace = new Trace();
  const first = new Recorder(trace);
  const second = new Recorder(trace);
  first.stop();
  assertStrictEquals(trace.sink, second);
  second.stop();
  assertStrictEquals(trace.sink, null);
  trace.add(EV.ipi);
  assertEquals(second.stop(), []);
  assertStrictEquals(trace.count("ipi"), 1);
});

Deno.test("Recorder refuses a capacity out of bounds", () => {
  for (const capacity of [0, -1, 1.5, 2 ** 24 + 1]) {
    assertThrows(() => new Recorder(new Trace(), capacity), RangeError, "Cannot record lines, at most ");
  }
});
