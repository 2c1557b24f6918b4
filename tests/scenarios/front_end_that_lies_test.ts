/**
 * Guests that mean harm, or are broken: dom0 answers with an error, keeps nothing, and goes on serving the others.
 */

import { assertEquals, assertLess } from "@std/assert";
import { blkbackDisconnect } from "../../lib/drivers/blkback/connect.ts";
import { TimedBlockDevice } from "../../lib/drivers/block/timed_block_device.ts";
import { RamBlockDevice } from "../../lib/drivers/block/ram_block_device.ts";
import { blockWorkload } from "../../lib/drivers/workload/block_workload.ts";
import { blankDisk } from "../../lib/experiments/run_block_load.ts";
import { HostileBlkfront } from "../../lib/experiments/hostile_blkfront.ts";
import { world } from "../../lib/experiments/world.ts";
import { validateXen } from "../../lib/xen/validate.ts";

function host(persistent = true) {
  const w = world({ ballooned: 2048, spareFrames: 2048 });
  const hostile = new HostileBlkfront(w, { persistent, guest: w.addGuest(512) });
  const honest = w.blk({ guest: w.addGuest(1024), persistent });
  return { w, hostile, honest };
}

for (const persistent of [true, false]) {
  Deno.test(`a flood of bad requests costs its own thread its sleep, and other guests nothing, persistent ${persistent}`, () => {
    const { w, hostile, honest } = host(persistent);
    for (let round = 0; round < 20; round++) {
      while (hostile.ring.free > 0) hostile.put({ segments: [{ gref: 400 + round }] });
      hostile.kick(0);
      const load = honest.run(blockWorkload({ seed: round, requests: 20 }));
      assertEquals(load.verdict, "ok");
      // Each run lets a second pass; that is what the flood gets done in it.
    }
    const { error } = hostile.back.rings[0]!.stats;
    assertLess(error, 20 * 1000 + 1);
    assertEquals(validateXen(w.hv), []);
  });
}

Deno.test("one bad request a millisecond, however many are offered", () => {
  const { w, hostile } = host();
  while (hostile.ring.free > 0) hostile.put({ segments: [{ gref: 400 }] });
  hostile.kick(0);
  const after = [0, 1, 1, 5].map((ms) => {
    w.advance(ms);
    return hostile.back.rings[0]!.stats.error;
  });
  assertEquals(after, [1, 2, 3, 8]);
});

Deno.test("a grant overwritten while the disk works: the transfer ends on the page it began on, the unmap works", () => {
  const w = world();
  const disk = blankDisk(2 ** 20);
  const device = new TimedBlockDevice(new RamBlockDevice(w.kernel.system, disk), w.kernel.work, () => 10);
  const hostile = new HostileBlkfront(w, { persistent: false, device });
  const page = hostile.page();
  w.hv.mem.fillFrame(page.frame as never, 0x77);
  hostile.put({ operation: 1, segments: [page] });
  hostile.kick(1);
  w.guest.domain.mem.write32(w.guest.domain.grantTable.entry(page.gref), 0);
  w.guest.domain.mem.write32(w.guest.domain.grantTable.entry(page.gref) + 4 as never, 3);
  hostile.kick(20);
  assertEquals([hostile.responses.map(({ status }) => status), disk.read8(0)], [[0], 0x77]);
  assertEquals([w.dom0.maptrack.live, validateXen(w.hv, { guestsBehave: false })], [1, []] as unknown[]);
});

Deno.test("descriptors changed after they were checked are not looked at again", () => {
  const w = world();
  const disk = blankDisk(2 ** 20);
  const device = new TimedBlockDevice(new RamBlockDevice(w.kernel.system, disk), w.kernel.work, () => 10);
  const hostile = new HostileBlkfront(w, { persistent: false, device });
  const [good, other] = [hostile.page(), hostile.page()];
  w.hv.mem.fillFrame(good.frame as never, 0x11);
  w.hv.mem.fillFrame(other.frame as never, 0x22);
  const descriptors = hostile.descriptors([good]);
  hostile.put({ operation: 6, indirectOp: 1, nrSegments: 1, indirectGrefs: [descriptors.gref] });
  hostile.kick(1);
  w.hv.mem.write32(descriptors.frame * 4096 as never, other.gref);
  w.hv.mem.write16(descriptors.frame * 4096 + 4 as never, 0xffff);
  hostile.kick(20);
  assertEquals([hostile.responses[0]?.status, disk.read8(0), disk.read8(8 * 512)], [0, 0x11, 0x88]);
});

Deno.test("a persistent front end that revokes what dom0 keeps: the mapping stays until it is purged", () => {
  const { w, hostile } = host();
  const page = hostile.page();
  hostile.ask({ segments: [page] });
  const { domain } = hostile.guest;
  domain.mem.write16(domain.grantTable.entry(page.gref), 0);
  assertEquals(hostile.ask({ segments: [page] }), 0, "the kept mapping still works");
  w.advance(61_000);
  assertEquals([hostile.back.rings[0]!.persistent.size, hostile.ask({ segments: [page] })], [0, -1]);
  assertEquals(blkbackDisconnect(hostile.back).ok, true);
});

Deno.test("a working set larger than the tree of kept grants: nothing is lost, and every request maps again", () => {
  const w = world({ guestFrames: 2048, ballooned: 1024 });
  const blk = w.blk({ parameters: { max_persistent_grants: 100 }, queues: 1 });
  const load = blk.run(blockWorkload({ requests: 300, sizes: [{ bytes: 45056, weight: 1 }] }));
  const [ring] = blk.back.rings;
  assertEquals([load.verdict, ring!.persistent.size <= 100], ["ok", true]);
  assertEquals(blk.mapped, 1 + ring!.persistent.size);
  // A queue depth of 32 requests of 11 pages uses 352 pages; 100 are kept.
  const unmaps = load.dom0Events.flush_tlb_mask ?? 0;
  assertEquals(unmaps > 100, true, `${unmaps} flushes`);
});
