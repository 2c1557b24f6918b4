/**
 * Lazy mapping, proposed in 2014 and turned down: a program that only passes pages on would not pay for entries that it
 * never uses. It does use them: `get_user_pages` looks for entries and makes them where there are none, one fault and
 * two hypercalls a page, where mmap needs two for all.
 *
 * @cite list 2014-10 xen-devel, the reply to draft B of the grant mapping proposal
 * @module
 */

import { assertEquals } from "@std/assert";
import { PAGE } from "../../lib/core/geometry.ts";
import type { IoOutcome } from "../../lib/experiments/io_outcome.ts";
import { world } from "../../lib/experiments/world.ts";

const N = 16;

const isRight = (io: IoOutcome) => io.pages.length === N && io.pages.every(({ verdict }) => verdict === "ok");

/** Grant hypercalls and operations of mapping N grants, then of what the program does with them. */
function counted(kernel: string, use: "nothing" | "one byte" | "direct write" | "direct read") {
  const w = world({ kernel });
  const p = w.process();
  const grants = w.guest.grant(N);
  const before = w.trace.mark();
  const { start } = p.mmapGrants(grants);
  const atMmap = w.trace.since(before);
  const mark = w.trace.mark();
  if (use === "one byte") assertEquals(p.read(start + 3 * PAGE), { ok: true, value: 0x13 });
  if (use === "direct write") assertEquals(isRight(p.directWrite(start, N * PAGE)), true);
  if (use === "direct read") assertEquals(isRight(p.directRead(start, N * PAGE)), true);
  const inUse = w.trace.since(mark);
  const { live } = w.dom0.maptrack;
  return [atMmap.hc_grant_table_op ?? 0, inUse.hc_grant_table_op ?? 0, inUse.gnttab_op ?? 0, live];
}

for (
  const { use, atMmap, onFault } of [
    // What the proposal had in mind: pages that nobody touches, or only few of many.
    { use: "nothing", atMmap: [2, 0, 0, 2 * N], onFault: [0, 0, 0, 0] },
    { use: "one byte", atMmap: [2, 0, 0, 2 * N], onFault: [0, 2, 2, 2] },
    // What a backend does: it never touches the pages itself, and yet every one is mapped, singly.
    { use: "direct write", atMmap: [2, 0, 0, 2 * N], onFault: [0, 2 * N, 2 * N, 2 * N] },
    { use: "direct read", atMmap: [2, 0, 0, 2 * N], onFault: [0, 2 * N, 2 * N, 2 * N] },
  ] as const
) {
  Deno.test(`lazy_fault: grant hypercalls of ${N} pages and ${use}, beside linux6_1`, () => {
    assertEquals(counted("linux6_1", use), [...atMmap]);
    assertEquals(counted("lazy_fault", use), [...onFault]);
  });
}

Deno.test("lazy_fault: what an invalidation took, mapped or not, does not come back, and nothing is left", () => {
  const w = world({ kernel: "lazy_fault" });
  const p = w.process();
  const { start } = p.mmapGrants(w.guest.grant(4));
  p.read(start);
  p.munmap(start + PAGE, PAGE);
  p.mprotect(start, PAGE, 1);
  assertEquals([p.read(start).ok, p.read(start + PAGE).ok], [false, false]);
  assertEquals(p.read(start + 2 * PAGE), { ok: true, value: 0x12 });
  assertEquals([w.dom0.maptrack.live, p.munmap(start, 4 * PAGE).ok, w.dom0.maptrack.live], [2, true, 0]);
  assertEquals([w.kernel.system.log, w.hv.leaks], [[], []]);
});

Deno.test("lazy_fault: a grant that was taken back meanwhile is a SIGBUS at the fault, not an errno of mmap", () => {
  const w = world({ kernel: "lazy_fault" });
  const p = w.process();
  const grants = w.guest.grant(2);
  const { start } = p.mmapGrants(grants);
  w.guest.revoke(grants);
  const got = p.read(start);
  assertEquals(got.ok ? got : [got.signal, got.code], ["SIGBUS", 2]);
});
