/**
 * October 2014, draft B: the fast walk "will fail because the M2P gives no local PFN". It does not fail. The walker
 * of the time tests the raw flags of the entry, finds nothing special, and takes whatever pfn the conversion makes.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { KernelBug } from "../../lib/core/crash.ts";
import { PAGE } from "../../lib/core/geometry.ts";
import { explain } from "../../lib/experiments/explain.ts";
import { world } from "../../lib/experiments/world.ts";

Deno.test("draft_b: a frame number inside dom0's p2m makes the device write to dom0's own page 0", () => {
  const w = world({ kernel: "draft_b" });
  const qemu = w.process("qemu");
  const grants = w.guest.grant([16, 17]);
  const { start } = qemu.mmapGrants(grants);
  const io = qemu.directRead(start, 2 * PAGE, 3 * 512);
  // The caller hears nothing of it.
  assertEquals(io.returned, "8192");
  assertEquals(io.pages.map(({ path, pfn, verdict }) => [path, pfn, verdict]), [
    ["fast", 0, "wrong-page"],
    ["fast", 0, "wrong-page"],
  ]);
  assertEquals(
    [w.guest.read(grants, 0), w.guest.read(grants, 1)],
    [0x10, 0x11],
    "the guest's memory is as before",
  );
  const pageZero = w.dom0.mfnOf(0) * PAGE as never;
  // Both transfers went there; the second one, from disk offset 3 * 512 + 4096, stayed.
  assertEquals(w.hv.mem.read8(pageZero), (11 * 7 + 1) & 0xff);
  assertEquals([w.kernel.system.log, w.crash], [[], null], "no message, no crash");
  assertMatch(String(explain(io)), /gup_pte_range +takes pfn 0x0 from the entry/);
});

Deno.test("draft_b: a frame number beyond dom0's p2m ends dom0", () => {
  const w = world({ kernel: "draft_b" });
  const qemu = w.process("qemu");
  const { start } = qemu.mmapGrants(w.guest.grant([300]));
  const io = qemu.directRead(start, PAGE);
  assert(io.result instanceof KernelBug);
  assertEquals([io.returned, io.pages[0]!.verdict, io.result.where], ["crash", "crash", "gup_pte_range"]);
  assertEquals(w.crash, io.result);
});

Deno.test("draft_b: the array in the VMA would have known the page, but nobody asks it", () => {
  const w = world({ kernel: "draft_b" });
  const qemu = w.process("qemu");
  const vma = qemu.mmapGrants(w.guest.grant([16]));
  assertEquals(vma.ext.pages?.array[0], w.dom0.frames.length);
  assertEquals(qemu.directRead(vma.start, PAGE).events.special_lookup, undefined);
});
