/**
 * Maptrack by itself: what a handle remembers, and whose list it is on.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { Trace } from "../../../lib/trace/trace.ts";
import * as xen from "../../../lib/xen/mod.ts";

const { GNTMAP_host_map: HOST, GNTMAP_device_map: DEVICE, GNTMAP_readonly: RO } = xen;

function maptrackOf(
  options: { maxFrames?: number; vcpus?: number; seed?: number; plan?: xen.MaptrackPlan } = {},
): { maptrack: xen.Maptrack; trace: Trace } {
  const trace = new Trace();
  return { maptrack: new xen.Maptrack({ maxFrames: 1, vcpus: 1, seed: 1, trace, ...options }), trace };
}

/** Takes handles until there are none. */
function takeAll(maptrack: xen.Maptrack, vcpu: number): number[] {
  const taken: number[] = [];
  for (let handle = maptrack.get(vcpu); handle >= 0; handle = maptrack.get(vcpu)) taken.push(handle);
  return taken;
}

Deno.test("Maptrack remembers a mapping, half by half", () => {
  const rows: [flags: number, kinds: number, isFree: boolean, left: number, hostPte: number][] = [
    [HOST | DEVICE, DEVICE, false, HOST, 0x7008],
    [HOST | DEVICE, HOST, false, DEVICE, -1],
    [HOST | DEVICE | RO, HOST, false, DEVICE | RO, -1],
    [HOST | DEVICE, HOST | DEVICE, true, 0, -1],
    [HOST | RO, HOST, true, 0, -1],
    [HOST, DEVICE, false, HOST, 0x7008],
    [HOST, 0, false, HOST, 0x7008],
    [DEVICE | RO, DEVICE, true, 0, 0x7008],
  ];
  for (const [flags, kinds, isFree, left, hostPte] of rows) {
    const { maptrack } = maptrackOf();
    const handle = maptrack.get(0);
    maptrack.fill(handle, { ref: 0xffffffff, domid: 7, flags: flags | 1 << 16, hostPte: 0x7008 });
    const kept = () => [maptrack.ref(handle), maptrack.domid(handle), maptrack.flags(handle)];
    assertEquals([...kept(), maptrack.hostPte(handle)], [0xffffffff, 7, flags, 0x7008]);
    assertEquals(maptrack.clear(handle, kinds), isFree, `${flags} less ${kinds}`);
    assertEquals([...kept(), maptrack.hostPte(handle)], [0xffffffff, 7, left, hostPte]);
    maptrack.put(handle);
    assertEquals([maptrack.flags(handle), maptrack.hostPte(handle), maptrack.live], [0, -1, 0]);
  }
});

Deno.test("Maptrack finds the handle of an entry: a live host mapping, the lowest", () => {
  const { maptrack } = maptrackOf();
  for (const flags of [DEVICE, HOST, HOST | DEVICE, HOST]) {
    const handle = maptrack.get(0);
    maptrack.fill(handle, { ref: 8, domid: 1, flags, hostPte: handle === 1 ? 0x7000 : 0x7008 });
  }
  const find = () => [0x7000, 0x7008, 0x7010].map((pte) => maptrack.findHostPte(pte));
  assertEquals(find(), [1, 2, -1], "handle 0 has no host half");
  if (maptrack.clear(1, HOST)) maptrack.put(1);
  assertEquals(find(), [-1, 2, -1]);
  maptrack.setHostPte(2, 0x7010);
  assertEquals(find(), [-1, 3, 2]);
  maptrack.setHostPte(255, 0x7000);
  maptrack.setHostPte(0, 0x7000);
  assertEquals(find(), [-1, 3, 2], "neither free nor of the host");
});

Deno.test("Maptrack grows by pages, counts handles and operations", () => {
  for (const [plan, handles] of [[xen.queuedHandles, 511], [xen.stackedHandles, 1024]] as const) {
    const { maptrack, trace } = maptrackOf({ maxFrames: 2, plan });
    assertEquals([maptrack.limit, maptrack.nrFrames, maptrack.live], [0, 0, 0], plan.name);
    const small = maptrack.bytesHeld;
    const taken = takeAll(maptrack, 0);
    assertEquals([taken.length, new Set(taken).size, maptrack.live], [handles, handles, handles], plan.name);
    assertEquals([maptrack.limit, maptrack.nrFrames], [2 * plan.perPage, 2]);
    assertEquals(small < maptrack.bytesHeld && maptrack.bytesHeld >= 24 * maptrack.limit, true);
    assertEquals(trace.count("maptrack_op"), handles);
    for (const handle of taken) maptrack.put(handle);
    assertEquals([maptrack.live, trace.count("maptrack_op")], [0, 2 * handles]);
    assertEquals(
      maptrack.freeList(0).toSorted((a, b) => a - b),
      Array.from({ length: maptrack.limit }, (_, i) => i),
    );
  }
});

Deno.test("Maptrack gives each vCPU pages of its own as long as it may grow", () => {
  const { maptrack } = maptrackOf({ maxFrames: 2, vcpus: 2 });
  assertEquals([maptrack.get(0), maptrack.get(1), maptrack.get(0), maptrack.get(3)], [0, 256, 1, 257]);
  assertEquals([0, 255, 256, 511].map((handle) => maptrack.vcpu(handle)), [0, 0, 1, 1]);
  assertEquals([maptrack.freeList(0).length, maptrack.freeList(1).length], [254, 254]);
  assertEquals([maptrack.freeList(0)[0], maptrack.freeList(1)[0]], [2, 258]);
  maptrack.put(256);
  maptrack.put(0);
  assertEquals([maptrack.freeList(0).at(-1), maptrack.freeList(1).at(-1)], [0, 256]);
});

Deno.test("Maptrack steals what others have to spare, whoever the lot names first", () => {
  const rows: [rule: string, free: [number, number, number], stolen: number][] = [
    ["nobody has any", [0, 0, 0], 0],
    ["the first has one", [1, 0, 0], 1],
    ["the last has two", [0, 0, 2], 2],
    ["all have some", [1, 2, 1], 4],
  ];
  for (const [rule, free, stolen] of rows) {
    for (let seed = 1; seed <= 8; seed++) {
      const { maptrack } = maptrackOf({ maxFrames: 3, vcpus: 3, seed });
      // Each vCPU fills a page of its own; then all take what is left.
      const own = [0, 1, 2].map((vcpu) => Array.from({ length: 255 }, () => maptrack.get(vcpu)));
      assertEquals(maptrack.get(0), -1, rule);
      free.forEach((n, vcpu) => own[vcpu]!.slice(0, n).forEach((handle) => maptrack.put(handle)));
      const taken = takeAll(maptrack, 1);
      assertEquals([taken.length, maptrack.live], [stolen, 765], rule);
      assertEquals(taken.map((handle) => maptrack.vcpu(handle)), taken.map(() => 1), rule);
      for (const handle of taken) maptrack.put(handle);
      assertEquals([0, 1, 2].map((vcpu) => maptrack.freeList(vcpu).length), [1, 1 + stolen, 1], rule);
    }
  }
});

Deno.test("Maptrack leaves a vCPU that could steal only one with that one as its tail", () => {
  const { maptrack } = maptrackOf({ vcpus: 2 });
  const taken = Array.from({ length: 254 }, () => maptrack.get(0));
  assertEquals([maptrack.get(1), maptrack.freeList(0), maptrack.freeList(1)], [-1, [255], [254]]);
  assertEquals([maptrack.vcpu(254), maptrack.live], [1, 254]);
  maptrack.put(taken[9]!);
  assertEquals([maptrack.get(1), maptrack.vcpu(255)], [255, 1], "the former tail of the other");
  assertEquals([maptrack.get(1), maptrack.get(0)], [-1, -1]);
  maptrack.put(255);
  assertEquals(maptrack.freeList(1), [254, 255]);
});

Deno.test("Maptrack cuts a free list that runs in circles", () => {
  const { maptrack } = maptrackOf();
  maptrack.get(0);
  const columns = maptrack.columns();
  const ref = [...Array.from(columns.ref)];
  ref[255] = 1;
  const broken = maptrackOf().maptrack;
  broken.restore({ ...columns, ref });
  assertEquals([broken.limit, broken.live, broken.freeList(0).length], [256, 1, 257]);
});

Deno.test("Maptrack steals handle 0 like any other, as tail and as handle", () => {
  for (const [others, got, left] of [[[5], -1, [5]], [[5, 6], 5, [6]]] as const) {
    const { maptrack } = maptrackOf({ vcpus: 2 });
    takeAll(maptrack, 0);
    maptrack.put(0);
    assertEquals(maptrack.get(0), 255, "now handle 0 is all that is left");
    for (const handle of others) maptrack.put(handle);
    assertEquals([maptrack.get(1), maptrack.freeList(1), maptrack.freeList(0)], [got, [0], left]);
    maptrack.put(7);
    assertEquals([maptrack.get(1), maptrack.vcpu(0)], [left[0], 1]);
  }
  const { maptrack } = maptrackOf({ vcpus: 2 });
  takeAll(maptrack, 0);
  takeAll(maptrack, 1);
  for (const handle of [0, 9]) maptrack.put(handle);
  assertEquals([maptrack.get(1), maptrack.get(1), maptrack.freeList(1)], [0, -1, [255]]);
});

Deno.test("Maptrack saves copies, and is the same after loading", () => {
  const { maptrack } = maptrackOf({ maxFrames: 2, vcpus: 2 });
  assertEquals(maptrack.bytesHeld, 256 * 24);
  const taken = takeAll(maptrack, 0);
  for (const handle of taken) {
    maptrack.fill(handle, { ref: handle + 8, domid: 1, flags: HOST, hostPte: handle * 8 });
  }
  for (const handle of [3, 300]) if (maptrack.clear(handle, HOST)) maptrack.put(handle);
  const saved = maptrack.columns();
  const text = JSON.stringify(saved);
  const loaded = maptrackOf({ maxFrames: 2, vcpus: 2, seed: 77 }).maptrack;
  loaded.restore(saved);
  assertEquals([JSON.stringify(loaded.columns()), loaded.limit, loaded.nrFrames], [text, 512, 2]);
  assertEquals([loaded.ref(511), loaded.ref(400), loaded.hostPte(400)], [519, 408, 3200]);
  assertEquals(Array.from(saved.lot).length, 1);
  // Thefts and changes of one leave the other, and what was saved, alone.
  const steps = (m: xen.Maptrack) => {
    m.setHostPte(0, 77);
    const stolen = [m.get(1), m.get(1), m.get(0)];
    m.put(10);
    return [...stolen, m.freeList(0), m.freeList(1)];
  };
  assertEquals(steps(maptrack), steps(loaded));
  assertEquals(JSON.stringify(saved), text);
});

Deno.test("Maptrack prints where each handle is mapped: an entry, nowhere, or leaked", () => {
  const { maptrack } = maptrackOf();
  for (const [flags, hostPte] of [[HOST, 0x7008], [DEVICE | RO, -1], [HOST, -2]] as const) {
    maptrack.fill(maptrack.get(0), { ref: 8, domid: 1, flags, hostPte });
  }
  const lines = String(maptrack).split("\n").map((line) => line.trim().split(/\s{2,}/).join(" | "));
  assertEquals(lines[0], "maptrack: 3 of 256 handles live, 1 of at most 1 pages");
  assertEquals(lines.slice(-3), [
    "0 | 1 | 8 | host | 0x7008",
    "1 | 1 | 8 | device readonly",
    "2 | 1 | 8 | host | leaked",
  ]);
});
