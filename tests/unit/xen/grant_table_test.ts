import { assertEquals, assertThrows } from "@std/assert";
import { Rng } from "../../../lib/core/rng.ts";
import { Trace } from "../../../lib/trace/trace.ts";
import { PhysMem } from "../../../lib/x86/phys_mem.ts";
import * as xen from "../../../lib/xen/mod.ts";
import { assertInOrder, FakeCpu, grant, type Host, host, map, mapOp, REF, unmap } from "./two_domains.ts";

function setup(
  h: Host,
  op: Partial<xen.GnttabSetupTable>,
  caller = h.guest,
): xen.GnttabSetupTable & { rc: number } {
  const full = { dom: xen.DOMID_SELF, nr_frames: 1, status: 77, frame_list: [] as number[], ...op };
  return Object.assign(full, { rc: xen.grantTableOp(h.hv, caller, xen.GNTTABOP_setup_table, [full]) });
}

Deno.test("gnttabSetupTable() grows up to the limit, never shrinks", () => {
  const rows: [nr: number, status: number, frames: number][] = [
    [0, 0, 1],
    [1, 0, 1],
    [2, 0, 2],
    [3, -1, 1],
    [-1, -1, 1],
  ];
  for (const [nr_frames, status, frames] of rows) {
    const h = host();
    assertEquals(setup(h, { nr_frames }).status, status, `${nr_frames}`);
    assertEquals(h.guest.grantTable.nrFrames, frames);
    assertInOrder(h);
  }
  const h = host();
  assertEquals(setup(h, { nr_frames: 2 }).frame_list, h.guest.grantTable.sharedFrames);
  assertEquals(setup(h, { nr_frames: 1 }).frame_list.length, 1);
  assertEquals([h.guest.grantTable.nrFrames, h.guest.grantTable.nrEntries], [2, 1024]);
});

Deno.test("gnttabSetupTable() asks whose table it is, then who asks, then how large", () => {
  const h = host();
  assertEquals(setup(h, { dom: 999, nr_frames: 9 }).status, -2);
  assertEquals(setup(h, { dom: 0, nr_frames: 9 }).status, -8, "a guest, about dom0");
  assertEquals(setup(h, { dom: 0 }, h.dom0).status, 0, "itself by number");
  assertEquals(setup(h, { dom: h.guest.domid, nr_frames: 2 }, h.dom0).status, 0, "dom0, about a guest");
  assertEquals(xen.grantTableOp(h.hv, h.guest, xen.GNTTABOP_setup_table, []), -22);
});

Deno.test("gnttabQuerySize() tells size and limit", () => {
  const h = host();
  const query = (dom: number, caller = h.dom0) => {
    const op = { dom, nr_frames: 77, max_nr_frames: 77, status: 77 };
    assertEquals(xen.grantTableOp(h.hv, caller, xen.GNTTABOP_query_size, [op]), 0);
    return [op.status, op.nr_frames, op.max_nr_frames];
  };
  assertEquals(query(xen.DOMID_SELF), [0, 1, 64]);
  assertEquals(query(h.guest.domid), [0, 1, 2]);
  assertEquals(query(999), [-2, 77, 77]);
  assertEquals(query(0, h.guest), [-8, 77, 77]);
});

Deno.test("grantTableOp() answers for the list as a whole", () => {
  const h = host();
  const version = { dom: h.guest.domid, version: 77 };
  const rows: [rule: string, cmd: number, ops: unknown[] | null, rc: number][] = [
    ["get_version", xen.GNTTABOP_get_version, [version], 0],
    ["get_version of nobody", xen.GNTTABOP_get_version, [{ dom: 999, version: 0 }], -3],
    ["get_version of two", xen.GNTTABOP_get_version, [version, version], -22],
    ["empty map", xen.GNTTABOP_map_grant_ref, [], 0],
    ["bad pointer", xen.GNTTABOP_map_grant_ref, null, -14],
    ["dump_table", xen.GNTTABOP_dump_table, [], -38],
    ["empty copy", xen.GNTTABOP_copy, [], 0],
    ["set_version of none", xen.GNTTABOP_set_version, [], -22],
    ["cache_flush", xen.GNTTABOP_cache_flush, [], -38],
    ["unknown", 99, [], -38],
    ["unknown, bad pointer", 99, null, -38],
    ["continuation bits", 99 | 1 << 12, [], -22],
    ["continuation bits on map", 1 << 12, [], -22],
    ["command -1", -1, [], -22],
    ["command NaN is 0", NaN, [], 0],
  ];
  for (const [rule, cmd, ops, rc] of rows) assertEquals(xen.grantTableOp(h.hv, h.dom0, cmd, ops), rc, rule);
  assertEquals(version.version, 1);
});

Deno.test("Maptrack gives handles in order and takes them back at the tail", () => {
  const h = host({ dom0: { maxMaptrackFrames: 1 } });
  const { maptrack } = h.dom0;
  const first = [0, 0, 0].map(() => maptrack.get(0));
  assertEquals(first, [0, 1, 2]);
  maptrack.put(1);
  assertEquals(maptrack.get(0), 3, "not the one just given back");
  const rest = Array.from({ length: 252 }, () => maptrack.get(0));
  assertEquals([rest[0], rest[251]], [4, 255]);
  assertEquals(maptrack.get(0), -1, "the last one stays as tail");
  maptrack.put(7);
  assertEquals(maptrack.get(0), 1, "the former tail");
  assertEquals(maptrack.get(0), -1);
});

Deno.test("Maptrack holds one handle less than its pages have, for each vCPU with a list", () => {
  for (const pages of [1, 2]) {
    const h = host({ dom0: { maxMaptrackFrames: pages } });
    grant(h, 500);
    let n = 0;
    while (map(h, { flags: xen.GNTMAP_device_map, ref: REF + n % 500 }).status === 0) n++;
    assertEquals(n, pages * 256 - 1);
    assertEquals(h.dom0.maptrack.limit, pages * 256);
    assertInOrder(h);
  }
});

Deno.test("Maptrack steals from another vCPU, the first time two", () => {
  const trace = new Trace();
  const maptrack = new xen.Maptrack({ maxFrames: 1, vcpus: 2, trace, seed: 1 });
  assertEquals(maptrack.get(0), 0);
  assertEquals(maptrack.get(1), 2, "1 became the tail of the new list");
  assertEquals([maptrack.vcpu(0), maptrack.vcpu(1), maptrack.vcpu(2)], [0, 1, 1]);
  assertEquals(maptrack.freeList(1), [1]);
  maptrack.put(2);
  assertEquals(maptrack.freeList(1), [1, 2], "given back to its new owner");
  for (let i = 0; i < 252; i++) maptrack.get(0);
  assertEquals([maptrack.get(1), maptrack.get(1), maptrack.get(0)], [1, -1, -1]);
});

Deno.test("endAccess() refuses while the grant is in use; the entry can be overwritten all the same", () => {
  const h = host();
  grant(h, 1);
  const m = map(h);
  assertEquals(xen.endAccess(h.guest, REF), false);
  h.hv.mem.write16(h.guest.grantTable.entry(REF), 0);
  assertEquals(map(h, { host_addr: h.pte(1) }).status, 0, "recorded: a live mapping keeps the door open");
  unmap(h, { host_addr: h.pte(0), handle: m.handle });
  unmap(h, { host_addr: h.pte(1), handle: 1 });
  assertEquals(map(h).status, -1);
  assertInOrder(h);
});

Deno.test("grantAccess() refuses a reference that the table does not have", () => {
  const h = host();
  const access = { domid: 0, frame: 1 };
  assertThrows(
    () => xen.grantAccess(h.guest, 512, access),
    RangeError,
    "Cannot publish grant reference 512: the table of domain 1 has 512 entries",
  );
  assertThrows(() => xen.grantAccess(h.guest, 1.5, access), RangeError, "Cannot publish grant reference 1.5");
});

Deno.test("Hypervisor.createDomain() refuses what the machine cannot give, before it takes anything", () => {
  const hv = new xen.Hypervisor({
    mem: new PhysMem(64),
    trace: new Trace(),
    flavour: xen.xen4_17,
    cpus: [new FakeCpu()],
  });
  const taken = hv.createDomain({ frames: { first: 8, count: 4 } });
  const rows: [xen.DomainOptions, string][] = [
    [{ frames: 1e9 }, "the budget domainFrames is 1048576"],
    [{ frames: 59 }, "only 58 of 64 are free"],
    [{ frames: 58 }, "more than the 64 of the machine allow"],
    [{ frames: -1 }, "it must be a whole number"],
    [{ frames: { first: 11, count: 1 } }, "domain 1 owns it"],
    [{ frames: { first: 60, count: 9 } }, "domain 1 owns it"],
    [{ frames: [20, 21, 20] }, "it is listed twice"],
    [{ frames: [64] }, "there are 0x40 frames"],
    [{ frames: [0] }, "frame 0 is the hypervisor's"],
    [{ frames: 1, domid: 1 }, "there is one already"],
    [{ frames: 1, domid: 0x7ff0 }, "whole number from 0 to 0x7fef"],
    [{ frames: 1, vcpus: 0 }, "whole number from 1"],
    [{ frames: 1, maxGrantFrames: 0 }, "whole number from 1"],
  ];
  for (const [options, message] of rows) {
    const owned = hv.frames.nrOwned;
    if (message.startsWith("there are 0x40")) {
      assertThrows(() => hv.createDomain(options), RangeError, "there are");
    } else assertThrows(() => hv.createDomain(options), RangeError, message);
    assertEquals(hv.frames.nrOwned, owned);
  }
  assertEquals([taken.domid, hv.domains.size, taken.mfnOf(3)], [1, 1, 11]);
  assertEquals(hv.createDomain({ frames: 57 }).domid, 2);
});

Deno.test("lookUp of flavours suggests a near name", () => {
  assertThrows(() => xen.xenFlavour("xen4.17"), RangeError, 'did you mean "xen4_17"');
});

Deno.test("no word of a guest makes the hypervisor throw or breaks its books", () => {
  const h = host();
  const rng = new Rng(20260820);
  grant(h, 40);
  const words = [
    0,
    1,
    2,
    3,
    7,
    8,
    255,
    256,
    511,
    512,
    0x7ff0,
    0xffff,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 40,
    2 ** 52,
    2 ** 63,
  ];
  const odd = [NaN, Infinity, -Infinity, -1, -0.5, 1.5, Number.MAX_VALUE, Number.MIN_VALUE, -(2 ** 63)];
  const pick = (near: number[]): number => {
    const from = [near, near, near, near, near, near, words, odd][rng.below(8)]!;
    return from[rng.below(from.length)]!;
  };
  const frames = () => [h.dom0.mfnOf(rng.below(64)), h.guest.mfnOf(rng.below(600))];
  const addresses = () => [h.pte(rng.below(512)), h.pte(rng.below(40)), 0x200000 + rng.below(512) * 4096];
  const handles = () => [rng.below(Math.max(1, h.dom0.maptrack.limit)), rng.below(30)];
  const mapFlags = [0x1, 0x2, 0x12, 0x1a, 0x1001a, 0x16, 0x3, 0x13, 0x7];
  let succeeded = 0;
  for (let step = 0; step < 4000; step++) {
    const caller = rng.below(8) === 0 ? h.guest : h.dom0;
    switch (rng.below(5)) {
      case 0: {
        const op = mapOp(h, {
          host_addr: pick(addresses()),
          flags: pick(mapFlags),
          ref: pick([REF + rng.below(40)]),
          dom: pick([h.guest.domid]),
        });
        xen.grantTableOp(h.hv, caller, xen.GNTTABOP_map_grant_ref, [op]);
        if (op.status === 0) succeeded++;
        break;
      }
      case 1: {
        const op = {
          host_addr: pick(addresses()),
          dev_bus_addr: pick([0]),
          handle: pick(handles()),
          status: 77,
        };
        const pte = h.dom0.maptrack.limit > 0 ? h.dom0.maptrack.hostPte(rng.below(30)) : 0;
        if (pte > 0) op.host_addr = pte;
        xen.grantTableOp(h.hv, caller, xen.GNTTABOP_unmap_grant_ref, [op]);
        break;
      }
      case 2: {
        const ptr = pick([...addresses(), h.dom0.mfnOf(3) * 4096 + rng.below(8) * 8]);
        xen.mmuUpdate(
          h.hv,
          caller,
          [{ ptr: ptr + pick([0]), frame: pick(frames()), flags: pick([7, 0x67, 0, 5, 0x27]) }],
          pick([xen.DOMID_SELF]),
        );
        break;
      }
      case 3:
        xen.mmuextOp(h.hv, caller, [
          {
            cmd: pick([0, 1, 2, 4, 6, 7, 8, 9, 10, 11]),
            mfn: pick(frames()),
            linear: pick([4096]),
            vcpumask: pick([1]),
          },
        ]);
        break;
      default: {
        const op = {
          host_addr: pick(addresses()),
          new_addr: pick(addresses()),
          handle: pick(handles()),
          status: 77,
        };
        xen.grantTableOp(h.hv, caller, pick([xen.GNTTABOP_unmap_and_replace]), [op]);
        xen.updateVaMapping(
          h.hv,
          caller,
          pick(addresses()),
          pick(frames()),
          pick([7, 0]),
          pick([0, 1, 2, 5]),
        );
      }
    }
    if (step % 50 !== 0) continue;
    assertInOrder(h, { guestsBehave: false });
    // the guest may have taken its own table out of use: put it back
    xen.mmuextOp(h.hv, h.dom0, [{ cmd: xen.MMUEXT_PIN_L1_TABLE, mfn: h.dom0.mfnOf(4) }]);
    xen.mmuUpdate(h.hv, h.dom0, [{ ptr: h.dom0.mfnOf(3) * 4096 + 8, frame: h.dom0.mfnOf(4), flags: 7 }]);
  }
  assertInOrder(h, { guestsBehave: false });
  assertEquals(succeeded > 100, true, `only ${succeeded} maps got through`);
  assertEquals(h.hv.leaks.length > 10, true);
});
