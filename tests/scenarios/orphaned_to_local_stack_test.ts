/**
 * A packet of a guest for a program of dom0 that does not read. The packet's pages are the guest's, and its slots are not
 * answered before they are free: a program could hold up a guest's network, and keep its pages, for as long as it likes.
 * So what goes to the local stack is copied first, and the guest hears at once.
 *
 * @cite linux 6.1 net/core/skbuff.c skb_copy_ubufs
 * @module
 */

import { assertEquals } from "@std/assert";
import { world } from "../../lib/experiments/world.ts";

for (
  const [orphan, inWork, mapped] of [
    [true, 0, 0],
    [false, 6, 6],
  ] as const
) {
  Deno.test(`two packets wait in dom0, ${orphan ? "copied first" : "as they came"}: the guest waits for ${inWork} slots`, () => {
    const w = world();
    const net = w.net({ to: "local", orphan });
    const before = w.dom0.maptrack.live;
    const first = net.send(9000);
    const second = net.send(9001);
    assertEquals([first.okay + second.okay, second.unanswered], [6 - inWork, inWork]);
    w.advance(3_600_000);
    assertEquals([net.front.inFlight, w.dom0.maptrack.live - before], [inWork, mapped]);
    assertEquals(net.disconnect().ok, inWork === 0);
    // The program reads at last; what it gets is right either way.
    assertEquals([net.readLocal()?.length, net.readLocal()?.length, net.readLocal()], [9000, 9001, null]);
    w.advance(0);
    assertEquals([net.disconnect(), w.dom0.maptrack.live], [{ ok: true, value: 0 }, 0] as unknown[]);
  });
}

Deno.test("the copy is what the packet was, whatever the guest does to its pages afterwards", () => {
  const w = world();
  const net = w.net({ to: "local" });
  const packet = new Uint8Array(3000).fill(0x5a);
  net.send([packet]);
  for (let frame = w.guest.domain.frames[0]!; frame <= w.guest.domain.frames.at(-1)!; frame++) {
    w.hv.mem.fillFrame(frame as never, 0xff);
  }
  assertEquals(net.readLocal(), packet);
});

Deno.test("copies need memory of dom0: without it the packet is dropped, and the guest is answered all the same", () => {
  const w = world();
  const net = w.net({ to: "local" });
  let left = 1; // the head
  w.kernel.system.memMap.failAllocation = () => left-- <= 0;
  const run = net.send(9000);
  assertEquals([run.okay, run.unanswered, net.local.length], [3, 0, 0]);
});
