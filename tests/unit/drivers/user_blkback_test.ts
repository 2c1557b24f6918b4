import { assertEquals } from "@std/assert";
import { Blkfront } from "../../../lib/drivers/blkfront/blkfront.ts";
import { blkifInterrupt } from "../../../lib/drivers/blkfront/interrupt.ts";
import { blkfrontKick, blkfrontQueue } from "../../../lib/drivers/blkfront/queue_request.ts";
import { serveRing } from "../../../lib/drivers/user_blkback/serve.ts";
import { UserBlkback } from "../../../lib/drivers/user_blkback/user_blkback.ts";
import { blankDisk } from "../../../lib/experiments/run_block_load.ts";
import { world } from "../../../lib/experiments/world.ts";
import { validateXen } from "../../../lib/xen/validate.ts";

function program(persistent: boolean, kernel = "linux6_1") {
  const w = world({ kernel });
  const disk = blankDisk(2 ** 20);
  const front = new Blkfront(w.guest, 0, { persistent });
  const back = new UserBlkback(w.kernel, w.process("qemu").mm, disk, front.offer, persistent);
  assertEquals(back.connect(), { ok: true, value: 0 });
  const [ring] = front.rings;
  const frames = w.guest.allocFrames(11);
  const segments = frames.map((frame) => ({ frame, first: 0, last: 7 }));
  const ask = (operation: "read" | "write" | "flush" | "discard", sector: number, n = 11) => {
    const statuses: number[] = [];
    const wish = { operation, sector, segments: segments.slice(0, n), done: (s: number) => statuses.push(s) };
    blkfrontQueue(front, ring!, wish);
    blkfrontKick(front, ring!);
    serveRing(back);
    blkifInterrupt(front, ring!);
    return statuses;
  };
  return { w, disk, front, back, ring: ring!, frames, ask };
}

for (const persistent of [false, true]) {
  Deno.test(`a program moves data through gntdev and O_DIRECT, persistent ${persistent}`, () => {
    const { w, disk, back, frames, ask } = program(persistent);
    frames.forEach((frame, i) => w.hv.mem.fillFrame(frame as never, 0x20 + i));
    assertEquals([ask("write", 80), ask("flush", 0, 0)], [[0], [0]]);
    assertEquals([0, 8, 87].map((n) => disk.read8((80 + n) * 512)), [0x20, 0x21, 0x2a]);
    for (const frame of frames) w.hv.mem.fillFrame(frame as never, 0);
    assertEquals(ask("read", 80), [0]);
    assertEquals(
      frames.map((frame) => w.hv.mem.read8(frame * 4096 + 4095 as never)).join(),
      "32,33,34,35,36,37,38,39,40,41,42",
    );
    assertEquals([back.kept.size, validateXen(w.hv)], [persistent ? 11 : 0, []] as unknown[]);
    const free = w.kernel.frameSource.nrFree;
    back.disconnect();
    assertEquals([w.dom0.maptrack.live, w.kernel.frameSource.nrFree], [
      0,
      free + 1 + back.kept.size + (persistent ? 11 : 0),
    ]);
  });
}

Deno.test("a program makes two hypercalls each way where the kernel makes one, and none with kept grants", () => {
  const { w, ask } = program(false);
  const { counts } = w.events(() => ask("read", 0));
  // Events: one from the front end, one from the program. Map: user, kernel; unmap: the same.
  assertEquals([counts.gnttab_op, counts.flush_tlb_mask], [44, 2]);
  const kept = program(true);
  kept.ask("read", 0);
  const warm = kept.w.events(() => kept.ask("read", 0)).counts;
  assertEquals([warm.gnttab_op, warm.flush_tlb_mask, warm.hypercall], [undefined, undefined, 2]);
});

for (
  const [what, persistent, operation, sector, n, status] of [
    ["control", false, "read", 0, 1, 0],
    ["the last sectors", false, "read", 2040, 1, 0],
    ["one sector beyond", false, "read", 2041, 1, -1],
    ["no segment", false, "read", 0, 0, -1],
    ["a discard", false, "discard", 0, 0, -2],
  ] as const
) {
  Deno.test(`a program answers ${what} with ${status}`, () => {
    const { w, ask } = program(persistent);
    assertEquals(ask(operation, sector, n), [status]);
    assertEquals([w.dom0.maptrack.live, ask("read", 0)], [2, [0]] as unknown[]);
  });
}

for (const persistent of [false, true]) {
  Deno.test(`a program answers a bad reference with an error and keeps nothing of it, persistent ${persistent}`, () => {
    const { w, front, back, ring, ask } = program(persistent);
    const slot = ring.ring.shared.slot(0);
    const free = w.kernel.frameSource.nrFree;
    ring.ring.shared.write8(slot, 0);
    ring.ring.shared.write8(slot + 1, 1);
    ring.ring.shared.write32(slot + 24, 400); // nobody granted 400
    ring.ring.shared.write16(slot + 28, 7 << 8);
    ring.ring.reqProdPvt++;
    ring.ring.pushRequests();
    assertEquals([serveRing(back), back.stats.error, w.dom0.maptrack.live], [1, 1, 2]);
    assertEquals([w.kernel.frameSource.nrFree, validateXen(w.hv)], [free, []] as unknown[]);
    ring.ring.rspCons++;
    assertEquals([front.isBroken, ask("read", 0)], [false, [0]] as unknown[]);
  });
}

Deno.test("a program under the patch of 2014 works as long as no mapping splits", () => {
  const { ask } = program(false, "seed2014");
  assertEquals(ask("read", 0), [0]);
});
