import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { htmlView, lineView } from "../../../lib/core/views.ts";
import { blockWorkload } from "../../../lib/drivers/workload/block_workload.ts";
import { validateBlkback } from "../../../lib/drivers/blkback/validate.ts";
import { world } from "../../../lib/experiments/world.ts";
import { validateXen } from "../../../lib/xen/validate.ts";

Deno.test("blk() makes a device that shows its parts", () => {
  const w = world();
  const blk = w.blk();
  assertEquals([blk.write(0, 88).verdict, blk.read(0, 88).verdict, blk.kept], ["ok", "ok", 11]);
  const text = String(blk);
  for (const part of ["blkfront in domain 1", "blkback for domain 1", "11 grants kept", "disk of 16 MiB"]) {
    assertStringIncludes(text, part);
  }
  assertStringIncludes(blk[lineView](), "11 of them kept");
  const [ring] = blk.back.rings;
  assertStringIncludes(String(ring), "persistent grants, in order of reference");
  assertStringIncludes(ring![htmlView](), "<table>");
  assertStringIncludes(blk.front[htmlView](), "blkfront in domain 1");
});

for (
  const [what, options, workload] of [
    ["eleven segments", {}, {}],
    ["no persistence", { persistent: false }, {}],
    ["indirect requests of 128 KiB", { maxIndirectSegments: 32 }, { sizes: [{ bytes: 131072, weight: 1 }] }],
    ["indirect requests, no persistence", { maxIndirectSegments: 32, persistent: false }, {
      sizes: [{ bytes: 131072, weight: 1 }],
    }],
    ["four queues", { queues: 4 }, {}],
    ["a ring of four pages", { ringPageOrder: 2 }, {}],
    ["flushes in between", {}, { flushEvery: 3 }],
    ["one place after the other", {}, { order: "sequential" as const }],
    ["sectors, not pages", {}, { sizes: [{ bytes: 512, weight: 1 }, { bytes: 1536, weight: 1 }] }],
  ] as const
) {
  Deno.test(`a workload runs with ${what}: all answers okay, all bytes right, books in order`, () => {
    const w = world({ guestFrames: 8192, ballooned: 4096, cpus: 4 });
    const blk = w.blk(options);
    const load = blk.run(blockWorkload({ requests: 400, seed: 5, ...workload }), { queueDepth: 64 });
    assertEquals([load.verdict, load.okay, load.unanswered], ["ok", 400, 0]);
    assertEquals([validateBlkback(blk.back), validateXen(w.hv)], [[], []] as unknown[]);
    assertEquals(
      blk.back.rings.length > 1 ? blk.back.rings.every(({ stats }) => stats.okay === 100) : true,
      true,
    );
    assertEquals(blk.disconnect(), { ok: true, value: 0 });
    assertEquals([w.dom0.maptrack.live, w.kernel.frameSource.nrFree], [0, 4096]);
  });
}

for (const persistent of [true, false]) {
  Deno.test(`a device that has served three times as much holds no more, persistent ${persistent}`, () => {
    const w = world({ guestFrames: 2048, ballooned: 2048 });
    const blk = w.blk({ persistent, size: 2 ** 20 });
    const serve = () => {
      blk.run(blockWorkload({ requests: 300, sectors: 2048 }));
      const [ring] = blk.back.rings;
      return [
        w.kernel.work.pending,
        w.hv.mem.bytesHeld,
        w.kernel.frameSource.nrFree,
        ring!.pendingFree.length,
        blk.kept,
      ];
    };
    const first = serve();
    serve();
    assertEquals(serve(), first);
  });
}

Deno.test("the same seed makes the same requests, another one others", () => {
  const draw = (seed: number) => JSON.stringify([...blockWorkload({ seed, requests: 20 })]);
  assertEquals([draw(1) === draw(1), draw(1) === draw(2)], [true, false]);
});

Deno.test("blk() refuses what cannot be", () => {
  assertThrows(
    () => world().blk({ queues: 5 }),
    RangeError,
    "Cannot connect a block device with queues 5: EINVAL",
  );
  assertThrows(() => world().blk({ ringPageOrder: 5 }), RangeError, "EINVAL");
  assertThrows(() => world().blk({ unmap: "never" as "safe" }), RangeError, "unmap");
  const large = { atMs: 0, operation: "read", sector: 0, nrSectors: 89 } as const;
  assertThrows(() => world().blk().run([large]), RangeError, "this device takes 11");
  assertThrows(() => [...blockWorkload({ sizes: [{ bytes: 100, weight: 1 }] })], RangeError, "512");
});

Deno.test("requests beyond the disk are errors, and are counted as such", () => {
  const blk = world().blk({ size: 4096 });
  const load = blk.run([{ atMs: 0, operation: "read", sector: 8, nrSectors: 8 }]);
  assertEquals([load.verdict, load.failed], ["error", 1]);
});

Deno.test("two devices of one guest, and two guests, do not meet", () => {
  const w = world({ spareFrames: 1024, guestFrames: 1024, ballooned: 2048 });
  const devices = [w.blk(), w.blk({ persistent: false }), w.blk({ guest: w.addGuest(1024) })];
  for (const [seed, blk] of devices.entries()) {
    assertEquals(blk.run(blockWorkload({ seed, requests: 100 })).verdict, "ok");
  }
  assertEquals(validateXen(w.hv), []);
});

Deno.test("net() makes a device that shows its parts", () => {
  const net = world().net();
  assertEquals(net.send(9000).right, 1);
  for (const part of ["netfront in domain 1", "netback for domain 1", "queue 0: 0 slots in work"]) {
    assertStringIncludes(String(net), part);
  }
  assertStringIncludes(net.back.queues[0]![htmlView](), "zerocopySent");
});
