/**
 * Storage that holds pages after completion (iSCSI, NFS, nbd): a write is sent again because its answer was late, the
 * answer comes, the write is over, and the second packet still waits in the card's queue with the pages of the request.
 *
 * Before Linux 4.0 blkback unmapped when the write was over. What the packet then holds is a page without memory, or one
 * that has meanwhile been mapped for another request: a crash, or another request's data on the wire, stored by a server
 * that takes the packet for what it says it is. Since 4.0 the unmap, and with it the answer to the guest, waits.
 *
 * @cite commit c43cf3ea8385 xen-blkback: safely unmap grants in case they are still in use
 * @module
 */

import { assertEquals } from "@std/assert";
import type { BlkDeviceOptions } from "../../lib/experiments/blk_device.ts";
import { type World, world } from "../../lib/experiments/world.ts";
import type { BlockIo } from "../../lib/drivers/workload/block_workload.ts";
import { validateBlkback } from "../../lib/drivers/blkback/validate.ts";

const write = (sector: number): BlockIo => ({ atMs: 0, operation: "write", sector, nrSectors: 8 });

/** Answers after 1 ms; the first write is repeated `repeatMs` after it was sent. */
const repeatFirst = (repeatMs: number) => (n: number) => ({
  answerMs: 1,
  repeatMs: n === 0 ? repeatMs : null,
});

function device(options: BlkDeviceOptions): { w: World; blk: ReturnType<World["blk"]> } {
  const w = world();
  return { w, blk: w.blk({ persistent: false, ...options }) };
}

Deno.test("control: no repeat, unmapped at once: nothing goes wrong", () => {
  const { blk } = device({ unmap: "at once", wire: () => ({ answerMs: 1, repeatMs: null }) });
  assertEquals(blk.run([write(0), write(8)], { queueDepth: 1 }).verdict, "ok");
});

Deno.test("control: a repeat that is over before the answer", () => {
  const { blk } = device({ unmap: "at once", wire: () => ({ answerMs: 5, repeatMs: 3 }) });
  assertEquals(blk.run([write(0), write(8)], { queueDepth: 1 }).verdict, "ok");
});

Deno.test("unmapped at once, page used again: another write's data reach the disk, and nobody is told", () => {
  const { blk } = device({ unmap: "at once", wire: repeatFirst(3) });
  // The second write is given the page of the first, and is still running when the repeat is read.
  const slow = [write(0), write(8), write(16)];
  const load = blk.run(slow, { queueDepth: 1 });
  assertEquals([load.okay, load.failed, load.verdict], [3, 0, "wrong-data"]);
  assertEquals(
    load.wrongSectors.map(({ sector, mayBe }) => [sector, mayBe]),
    [0, 1, 2, 3, 4, 5, 6, 7].map((s) => [s, [1]]),
  );
});

Deno.test("unmapped at once, page not used again: dom0 crashes on a page without memory", () => {
  const { w, blk } = device({ unmap: "at once", wire: repeatFirst(3) });
  const load = blk.run([write(0)]);
  assertEquals([load.verdict, w.crash?.where], ["crash", "swiotlb_bounce"]);
});

// The answer at 1 ms, then 5, 10, 15 … ms later the pages are looked at again.
for (
  const [repeatMs, waitMs] of [[1, 1], [3, 6], [6, 6], [7, 16], [16, 16], [17, 31], [276, 276], [
    277,
    331,
  ]] as const
) {
  Deno.test(`safe unmap: a page held for ${repeatMs} ms delays the answer to ${waitMs} ms, and the data are right`, () => {
    const { w, blk } = device({ wire: repeatFirst(repeatMs) });
    const load = blk.run([write(0), write(8)], { queueDepth: 1 });
    assertEquals([load.verdict, load.longestWaitMs, w.crash], ["ok", waitMs, null]);
    assertEquals(blk.back.rings[0]!.stats.deferred, waitMs > 1 ? 1 : 0);
    assertEquals([validateBlkback(blk.back), blk.kept], [[], 0] as unknown[]);
  });
}

Deno.test("safe unmap is all or nothing: one held page of eleven delays the whole request, others go on", () => {
  const w = world();
  const blk = w.blk({
    persistent: false,
    wire: (n, bio) => ({ answerMs: 1, repeatMs: n === 0 && bio.operation === "write" ? 40 : null }),
  });
  const big: BlockIo = { atMs: 0, operation: "write", sector: 0, nrSectors: 88 };
  const load = blk.run([big, write(100), write(108), write(116)], { queueDepth: 2 });
  assertEquals(load.verdict, "ok");
  assertEquals([...load.waits], [[1, 3], [51, 1]]);
});

Deno.test("safe unmap does not cover grants that are kept: their pages answer at once, and the guest writes into them", () => {
  const { blk } = device({ persistent: true, wire: repeatFirst(3) });
  const load = blk.run([write(0), write(8), write(16)], { queueDepth: 1 });
  assertEquals([load.longestWaitMs, load.verdict], [1, "wrong-data"]);
  assertEquals(blk.back.rings[0]!.stats.deferred, 0);
});

Deno.test("a device is not taken away while the network holds its pages", () => {
  const { w, blk } = device({ wire: repeatFirst(500) });
  blk.run([write(0)], { patienceMs: 10 });
  assertEquals([blk.disconnect(), blk.back.rings[0]!.inflight], [{ ok: true, value: 0 }, 0]);
  const other = w.blk({ persistent: false, wire: () => ({ answerMs: 1, repeatMs: 5000 }) });
  other.run([write(0)], { patienceMs: 10 });
  assertEquals(
    [other.back.rings[0]!.inflight, other.disconnect()],
    [1, { ok: false, errno: "EBUSY" }] as unknown[],
  );
  w.advance(20_000);
  assertEquals([other.disconnect(), w.dom0.maptrack.live], [{ ok: true, value: 0 }, 0] as unknown[]);
});
