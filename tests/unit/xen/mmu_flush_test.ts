import { assertEquals } from "@std/assert";
import { _PAGE_PRESENT as P, _PAGE_RW as RW, _PAGE_USER as US } from "../../../lib/x86/pte.ts";
import * as xen from "../../../lib/xen/mod.ts";
import { assertInOrder, type Host, host } from "./two_domains.ts";

const own = (h: Host, i = 20) => h.dom0.mfnOf(i);
const user = P | RW | US;
const setEntry = (h: Host, flags: number) =>
  assertEquals(xen.mmuUpdate(h.hv, h.dom0, [{ ptr: h.pte(0), frame: own(h), flags }]).rc, 0);

Deno.test("doMmuUpdate() flushes after a change above level 1, on every CPU that ran the domain", () => {
  const h = host({ cpus: 2 });
  h.dom0.dirtyCpus.add(1);
  const before = h.cpus.map((cpu) => cpu.flushes);
  const mark = h.trace.mark();
  xen.mmuUpdate(h.hv, h.dom0, [{ ptr: h.dom0.mfnOf(3) * 4096 + 16, frame: own(h), flags: P | RW }]);
  assertEquals(h.cpus.map((cpu, i) => cpu.flushes - before[i]!), [1, 1]);
  assertEquals([h.trace.since(mark).flush_tlb_mask, h.trace.since(mark).ipi], [1, 1]);
  const again = h.trace.mark();
  xen.mmuUpdate(h.hv, h.dom0, [{ ptr: h.pte(0), frame: own(h, 21), flags: user }]);
  assertEquals(h.trace.since(again).flush_tlb_mask, undefined);
});

/** Entries 2 and 3 of dom0's level-2 table, each to a frame that is to be a level-1 table, or to nothing. */
const TABLE_LISTS:
  readonly (readonly [rule: string, flags: number, flushes: number, thenWritable: number])[] = [
    ["two tables taken: one flush at the end", P | RW, 1, 0],
    ["two tables dropped: Xen leaves the call after each; they end as tables after that", 0, 2, 1],
  ];

Deno.test("doMmuUpdate() flushes before it drops the table that an entry held", () => {
  const h = host();
  const flushes = () => h.cpus[0]!.flushes;
  for (const [rule, flags, expect, thenWritable] of TABLE_LISTS) {
    const updates = [0, 1].map((i) => ({
      ptr: h.dom0.mfnOf(3) * 4096 + 8 * (2 + i),
      frame: flags === 0 ? 0 : own(h, 20 + i),
      flags,
    }));
    const before = flushes();
    assertEquals(xen.mmuUpdate(h.hv, h.dom0, updates), { rc: 0, done: 2 });
    assertEquals(flushes() - before, expect, rule);
    const then = flushes();
    const rc = xen.mmuUpdate(h.hv, h.dom0, [{ ptr: h.pte(0), frame: own(h, 21), flags: user }]).rc;
    assertEquals([rc, flushes() - then], [flags === 0 ? 0 : -16, thenWritable], rule);
    assertInOrder(h);
  }
});

Deno.test("getPageType() flushes on a change of type, unless the CPUs flushed since the last use", () => {
  for (const isFlushed of [false, true]) {
    const h = host();
    setEntry(h, user);
    setEntry(h, 0);
    if (isFlushed) xen.mmuextOp(h.hv, h.dom0, [{ cmd: xen.MMUEXT_TLB_FLUSH_LOCAL }]);
    const mark = h.trace.mark();
    assertEquals(xen.mmuextOp(h.hv, h.dom0, [{ cmd: xen.MMUEXT_PIN_L1_TABLE, mfn: own(h) }]).rc, 0);
    assertEquals(h.trace.since(mark).flush_tlb_mask, isFlushed ? undefined : 1);
    assertInOrder(h);
  }
});
