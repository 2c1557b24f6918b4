import { assertEquals, assertThrows } from "@std/assert";
import { BackRing } from "../../../lib/drivers/ring/back_ring.ts";
import { FrontRing } from "../../../lib/drivers/ring/front_ring.ts";
import {
  REQ_EVENT,
  REQ_PROD,
  ringSize,
  RSP_EVENT,
  RSP_PROD,
  SharedRing,
} from "../../../lib/drivers/ring/shared_ring.ts";
import { PhysMem } from "../../../lib/x86/phys_mem.ts";

function ring(frames = [3]) {
  const mem = new PhysMem(16);
  const shared = new SharedRing(mem, frames, 112);
  return { mem, shared, front: new FrontRing(shared), back: new BackRing(shared) };
}

// Sizes from the public headers' macros: the largest power of two of entries after 64 bytes.
for (
  const [what, bytes, pages, size] of [
    ["blkif, one page", 112, 1, 32],
    ["blkif, two pages", 112, 2, 64],
    ["blkif, sixteen pages", 112, 16, 512],
    ["netif transmit", 12, 1, 256],
    ["netif receive", 8, 1, 256],
    ["an entry that just fits twice", 2016, 1, 2],
    ["an entry that does not fit twice", 2017, 1, 1],
  ] as const
) {
  Deno.test(`ringSize() of ${what} is ${size}`, () => assertEquals(ringSize(bytes, pages), size));
}

Deno.test("SharedRing keeps the four indices and the entries at their bytes", () => {
  const { mem, shared } = ring();
  shared.setIndex(REQ_PROD, 0xfffffffe);
  shared.write16(shared.slot(33), 0xbeef);
  assertEquals(
    [REQ_PROD, REQ_EVENT, RSP_PROD, RSP_EVENT].map((at) => mem.read32((3 * 4096 + at) as never) >>> 0),
    [0xfffffffe, 1, 0, 1],
  );
  assertEquals(mem.read16((3 * 4096 + 64 + 112) as never), 0xbeef);
});

Deno.test("SharedRing of several pages has entries across their frames", () => {
  const { mem, shared } = ring([3, 7]);
  // Entry 36 would begin at byte 4096; entry 37 at 4208.
  shared.write32(shared.slot(37), 0x1234);
  assertEquals(mem.read32((7 * 4096 + 112) as never), 0x1234);
  assertThrows(() => new SharedRing(mem, [], 112), RangeError, "Cannot make a ring of pages 0");
});

Deno.test("pushRequests() says whether the other side asked to be told", () => {
  const { front, back, shared } = ring();
  front.reqProdPvt = 1;
  assertEquals(front.pushRequests(), true); // req_event was 1
  front.reqProdPvt = 2;
  assertEquals(front.pushRequests(), false); // it works already
  back.reqCons = 2;
  assertEquals([back.finalCheck(), shared.index(REQ_EVENT)], [false, 3]);
  front.reqProdPvt = 3;
  assertEquals(front.pushRequests(), true);
});

Deno.test("finalCheck() sees what came between the last look and the wish to be told", () => {
  const { front, back } = ring();
  front.reqProdPvt = 1;
  front.pushRequests();
  assertEquals([back.finalCheck(), back.unconsumed], [true, 1]);
  back.reqCons = back.rspProdPvt = 1;
  back.pushResponses();
  assertEquals([front.finalCheck(), front.unread, front.free], [true, 1, 31]);
});

for (
  const [what, lead, isOverflow] of [
    ["nothing", 0, false],
    ["as many as there are slots", 32, false],
    ["one more than there are slots", 33, true],
    ["an index before the last response", -1, true],
  ] as const
) {
  Deno.test(`isProdOverflow() of ${what}: ${isOverflow}, across the wrap of indices, too`, () => {
    const { shared } = ring();
    for (const from of [0, 5, 0xfffffff0]) {
      const back = new BackRing(shared, from);
      assertEquals(back.isProdOverflow(from + lead >>> 0), isOverflow);
    }
  });
}
