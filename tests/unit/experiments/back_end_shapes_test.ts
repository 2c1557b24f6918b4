/**
 * The shapes that were published, out of counted events. Heights depend on prices, which are assumed; these tests hold
 * what does not.
 */

import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { copyCache } from "../../../lib/experiments/copy_cache.ts";
import { crossoverAt, persistenceCrossover } from "../../../lib/experiments/persistence_crossover.ts";
import { storageScaling } from "../../../lib/experiments/storage_scaling.ts";
import { ASSUMED_CYCLES } from "../../../lib/cost/assumed_cycles.ts";

Deno.test("throughput of map and unmap rises with guests, peaks and falls; persistent grants only rise", () => {
  const rows = storageScaling({ guests: [1, 3, 5, 10, 15], requests: 32 });
  const of = (mode: string) => rows.filter((row) => row.mode === mode);
  const rate = (mode: string) => of(mode).map((row) => row.requestsPerSecond);
  const [one, three, five, ten, fifteen] = rate("map and unmap") as [number, number, number, number, number];
  assertGreater(three, 2.5 * one);
  assertGreater(five, three);
  assertLess(ten, 0.75 * five);
  assertLess(fifteen, ten);
  const kept = rate("persistent grants");
  assertEquals(kept.toSorted((a, b) => a - b), kept);
  assertEquals(of("persistent grants").map(({ flushes, ipis }) => flushes + ipis), [0, 0, 0, 0, 0]);
  // One flush a request, to every other CPU on which dom0 works.
  assertEquals(of("map and unmap").map(({ flushes, ipis }) => [flushes, ipis]), [[1, 1], [1, 3], [1, 5], [
    1,
    10,
  ], [1, 15]]);
  assertEquals(rows.every(({ prices }) => prices === "assumed: assumed_cycles"), true);
});

Deno.test("the fall needs CPUs of dom0: with four, ten guests do as well as five", () => {
  const rows = storageScaling({ guests: [5, 10], vcpus: 4, requests: 32 });
  const [five, ten] = rows.map((row) => row.requestsPerSecond);
  assertEquals(ten! >= five!, true);
});

Deno.test("free interrupts take the fall away", () => {
  const ipi = { ...ASSUMED_CYCLES.prices.ipi, per: 0, low: 0 };
  const prices = { ...ASSUMED_CYCLES, prices: { ...ASSUMED_CYCLES.prices, ipi } };
  const [five, ten] = storageScaling({ guests: [5, 10], requests: 32, prices }).map((row) =>
    row.requestsPerSecond
  );
  assertEquals(ten! >= five!, true);
});

Deno.test("kept pages help copies towards a guest, and nothing else", () => {
  assertEquals(copyCache({ packets: 4 }).filter(({ saved }) => saved > 0.2).map(({ path }) => path), [
    "receive",
  ]);
  assertEquals(copyCache({ packets: 4 }).filter(({ saved }) => saved !== 0).map(({ path }) => path), [
    "receive",
  ]);
});

Deno.test("a packet of one piece gains nothing from kept pages", () => {
  assertEquals(copyCache({ packetBytes: 64, packets: 4 }).map(({ saved }) => saved), [0, 0, 0, 0, 0]);
});

Deno.test("persistence loses below a number of vCPUs that grows with the price of a copy", () => {
  const rows = persistenceCrossover({ vcpus: [1, 2, 4, 8, 16, 24], copyPrices: [0.1, 1, 2, 100] });
  assertEquals([0.1, 1, 2, 100].map((price) => crossoverAt(rows, price)), [1, 4, 16, null]);
});

Deno.test("one flush for eleven pages is cheaper a page: the crossover moves up with the request", () => {
  const at = (pages: number) =>
    crossoverAt(persistenceCrossover({ pages, vcpus: [1, 4, 24], copyPrices: [0.5] }), 0.5);
  assertEquals([at(1), at(11)], [1, 24]);
});
