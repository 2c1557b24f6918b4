import { assertEquals, assertThrows } from "@std/assert";
import { DomainCrash } from "../../../lib/core/crash.ts";
import { Trace } from "../../../lib/trace/trace.ts";
import * as xen from "../../../lib/xen/mod.ts";
import { copyOp } from "./grant_writers.ts";
import { _PAGE_ACCESSED } from "../../../lib/x86/pte.ts";
import type { Maddr } from "../../../lib/core/frames.ts";
import { assertInOrder, grant, type Host, host, LINEAR, map, REF, USER_PTE } from "./two_domains.ts";

/** Maps n grants, then counts what their unmap asks for. */
function unmapAll(h: Host, n: number, prepare?: (h: Host) => void): Record<string, number> {
  grant(h, n);
  const maps = Array.from({ length: n }, (_, i) => map(h, { ref: REF + i, host_addr: h.pte(i) }));
  prepare?.(h);
  for (let i = 1; i < h.cpus.length; i++) h.dom0.dirtyCpus.add(i);
  const mark = h.trace.mark();
  const ops = maps.map(({ handle, host_addr }) => ({ handle, host_addr, dev_bus_addr: 0, status: 77 }));
  assertEquals(xen.grantTableOp(h.hv, h.dom0, xen.GNTTABOP_unmap_grant_ref, ops), 0);
  assertEquals(ops.every((op) => op.status === 0), true);
  assertInOrder(h);
  return h.trace.since(mark) as Record<string, number>;
}

Deno.test("flush policies: how many flushes and interrupts n unmaps cost on two CPUs", () => {
  const used = (h: Host) => {
    const at = h.pte(0) as Maddr;
    h.hv.mem.write32(at, h.hv.mem.read32(at) | _PAGE_ACCESSED);
  };
  const rows: [
    policy: xen.FlushPolicy,
    n: number,
    prepare: ((h: Host) => void) | undefined,
    flushes: number,
  ][] = [
    [xen.flushPerBatch, 1, undefined, 1],
    [xen.flushPerBatch, 32, undefined, 1],
    [xen.flushPerBatch, 33, undefined, 2],
    [xen.flushPerBatch, 64, undefined, 2],
    [xen.flushPerBatch, 65, undefined, 3],
    [xen.flushPerOp, 1, undefined, 1],
    [xen.flushPerOp, 33, undefined, 33],
    [xen.flushIfAccessed, 64, undefined, 0],
    [xen.flushIfAccessed, 64, used, 1],
    [xen.flushIfAccessed, 1, used, 1],
  ];
  for (const [flush, n, prepare, flushes] of rows) {
    const seen = unmapAll(host({ cpus: 2, flavour: { flush } }), n, prepare);
    const rule = `${flush.name} ${n} ${prepare === undefined ? "unused" : "used"}`;
    assertEquals([seen.flush_tlb_mask ?? 0, seen.ipi ?? 0], [flushes, flushes], rule);
  }
});

Deno.test("flush policies: an unmap of nothing but bad handles flushes all the same", () => {
  for (
    const [flush, flushes] of [[xen.flushPerBatch, 1], [xen.flushPerOp, 3], [xen.flushIfAccessed, 0]] as const
  ) {
    const h = host({ flavour: { flush } });
    const mark = h.trace.mark();
    const ops = [1, 2, 3].map((handle) => ({ handle, host_addr: 4096, dev_bus_addr: 0, status: 77 }));
    xen.grantTableOp(h.hv, h.dom0, xen.GNTTABOP_unmap_grant_ref, ops);
    assertEquals(h.trace.since(mark).flush_tlb_mask ?? 0, flushes, flush.name);
  }
});

Deno.test("lock plans: what a map, an unmap, a copy and a growth acquire, by class", () => {
  type Counts = [gt: number, spin: number, rw: number, write: number, active: number];
  const rows: [plan: xen.LockPlan, map: Counts, unmap: Counts, copy: Counts, setup: Counts][] = [
    [xen.singleSpinLock, [0, 1, 0, 0, 0], [0, 2, 0, 0, 0], [0, 2, 0, 0, 0], [0, 1, 0, 0, 0]],
    [xen.splitRwlock, [0, 0, 1, 0, 1], [0, 0, 2, 0, 2], [0, 0, 2, 0, 2], [0, 0, 0, 1, 0]],
    [xen.perCpuRwlock, [1, 0, 0, 0, 1], [2, 0, 0, 0, 2], [2, 0, 0, 0, 2], [0, 0, 0, 1, 0]],
  ];
  for (const [locks, mapped, unmapped, copied, grown] of rows) {
    const h = host({ flavour: { locks }, dom0: { vcpus: 4 } });
    grant(h, 1);
    const count = (run: () => unknown): Counts => {
      const mark = h.trace.mark();
      run();
      const s = h.trace.since(mark) as Record<string, number>;
      return [
        s.gt_lock ?? 0,
        s.gt_spin_lock ?? 0,
        s.gt_rw_lock ?? 0,
        s.gt_write_lock ?? 0,
        s.active_lock ?? 0,
      ];
    };
    let m = map(h, { flags: 0 });
    assertEquals(count(() => m = map(h)), mapped, `${locks.name} map`);
    const op = { handle: m.handle, host_addr: h.pte(0), dev_bus_addr: 0, status: 77 };
    assertEquals(
      count(() => xen.grantTableOp(h.hv, h.dom0, xen.GNTTABOP_unmap_grant_ref, [op])),
      unmapped,
      locks.name,
    );
    assertEquals(
      count(() => xen.grantTableOp(h.hv, h.dom0, xen.GNTTABOP_copy, [copyOp(h)])),
      copied,
      locks.name,
    );
    const setup = { dom: xen.DOMID_SELF, nr_frames: 2, status: 77, frame_list: [] };
    assertEquals(
      count(() => xen.grantTableOp(h.hv, h.guest, xen.GNTTABOP_setup_table, [setup])),
      grown,
      locks.name,
    );
    assertEquals(h.dom0.maptrack.nrLists, locks === xen.singleSpinLock ? 1 : 4);
    h.dom0.currentVcpu = 3;
    assertEquals(map(h).status, 0, "from any vCPU");
    assertInOrder(h);
  }
});

Deno.test("preemption: lists stop before any operation but the first, unmaps between batches", () => {
  const rows: [cmd: number, n: number, op: (h: Host, i: number) => object, points: number[]][] = [
    [
      xen.GNTTABOP_map_grant_ref,
      3,
      (h, i) => ({ flags: xen.GNTMAP_device_map, ref: REF + i, dom: h.guest.domid, host_addr: 0 }),
      [1, 2],
    ],
    [xen.GNTTABOP_unmap_grant_ref, 70, () => ({ handle: 9, host_addr: 0, dev_bus_addr: 0 }), [32, 64]],
    [xen.GNTTABOP_unmap_and_replace, 33, () => ({ handle: 9, host_addr: 0, new_addr: 0 }), [32]],
    [xen.GNTTABOP_swap_grant_ref, 3, (_, i) => ({ ref_a: 20 + i, ref_b: 30 }), [1, 2]],
    [xen.GNTTABOP_transfer, 2, () => ({ mfn: 2 ** 30, domid: 1, ref: 8 }), [1]],
    [xen.GNTTABOP_copy, 2, (h) => copyOp(h), [1]],
  ];
  for (const [cmd, n, op, points] of rows) {
    const h = host();
    grant(h, 4);
    const seen: number[] = [];
    h.hv.preemption = {
      check: (point) => (assertEquals([point.cmd, point.caller], [cmd, h.dom0]), true),
      whileAway: (point) => {
        seen.push(point.done);
        assertEquals([h.hv.current, h.dom0.grantTable.nrV2Ops], [null, 0]);
      },
    };
    const before = h.trace.count("hypercall");
    const ops = Array.from({ length: n }, (_, i) => ({ ...op(h, i), status: 77 }));
    assertEquals(xen.grantTableOp(h.hv, h.dom0, cmd, ops), 0);
    assertEquals([seen, h.trace.count("hypercall") - before], [points, 1 + points.length], `command ${cmd}`);
    assertEquals(ops.some((one) => one.status === 77), false, "all done in the end");
    h.hv.preemption = null;
    assertInOrder(h);
  }
});

Deno.test("preemption: what happens meanwhile is seen by the rest of the list", () => {
  const h = host();
  grant(h, 3);
  h.hv.preemption = {
    check: ({ done }) => done === 2,
    whileAway: () => {
      assertEquals(xen.revokeGrant(h.guest, REF + 2), "done");
      assertEquals(xen.revokeGrant(h.guest, REF), "in-use");
    },
  };
  const batch = new xen.GrantBatch(3);
  for (let i = 0; i < 3; i++) {
    batch.set(i, { ref: REF + i, dom: h.guest.domid, flags: USER_PTE, host_addr: h.pte(i) });
  }
  assertEquals([xen.mapBatch(h.hv, h.dom0, batch), [...batch.status]], [2, [0, 0, -1]]);
  assertInOrder(h);
});

Deno.test("GrantBatch does what the list of objects does, event for event", () => {
  const run = (columns: boolean): unknown => {
    const h = host();
    grant(h, 40);
    const wish = (i: number) => ({
      ref: i === 7 ? 511 : REF + i,
      dom: i === 9 ? 999 : h.guest.domid,
      flags: i === 3 ? 0 : USER_PTE,
      host_addr: h.pte(i),
    });
    const maps = Array.from(
      { length: 40 },
      (_, i) => ({ ...wish(i), status: 77, handle: 0, dev_bus_addr: 0 }),
    );
    let unmaps: { status: number; handle: number; host_addr: number; dev_bus_addr: number }[];
    if (columns) {
      const batch = new xen.GrantBatch(40);
      maps.forEach((op, i) => batch.set(i, op));
      xen.mapBatch(h.hv, h.dom0, batch);
      maps.forEach((_, i) => maps[i] = batch.op(i) as never);
      batch.devBusAddr.fill(0);
      xen.unmapBatch(h.hv, h.dom0, batch);
      unmaps = maps.map((op, i) => ({
        handle: op.handle,
        host_addr: op.host_addr,
        dev_bus_addr: 0,
        status: batch.status[i]!,
      }));
    } else {
      xen.grantTableOp(h.hv, h.dom0, xen.GNTTABOP_map_grant_ref, maps);
      unmaps = maps.map(({ handle, host_addr }) => ({ handle, host_addr, dev_bus_addr: 0, status: 77 }));
      xen.grantTableOp(h.hv, h.dom0, xen.GNTTABOP_unmap_grant_ref, unmaps);
    }
    assertInOrder(h);
    return [maps, unmaps, [...h.trace.counters]];
  };
  assertEquals(run(true), run(false));
});

Deno.test("stackedHandles: pages of 512, the last one back is the first one out, and none stays behind", () => {
  const trace = new Trace();
  for (
    const [plan, handles, afterPut] of [[xen.queuedHandles, 255, 255], [xen.stackedHandles, 512, 7]] as const
  ) {
    const maptrack = new xen.Maptrack({ maxFrames: 1, vcpus: 1, trace, seed: 1, plan });
    let taken = 0;
    while (maptrack.get(0) >= 0) taken++;
    assertEquals([taken, maptrack.limit, maptrack.nrFrames], [handles, plan.perPage, 1], plan.name);
    maptrack.put(3);
    maptrack.put(7);
    assertEquals([maptrack.get(0), maptrack.live], [afterPut, handles - 1], plan.name);
    const { maptrackFrames } = xen.limitsFor({ grants: handles, maptrack: plan });
    assertEquals([maptrackFrames, xen.limitsFor({ grants: handles + 1, maptrack: plan }).maptrackFrames], [
      1,
      2,
    ]);
  }
});

Deno.test("withDebugBuild() injects a fault since 2022, and kills before; a release notices nothing", () => {
  const rows: [xen.XenFlavour, faults: number, dies: boolean][] = [
    [xen.xen4_17, 0, false],
    [xen.xen4_5, 0, false],
    [xen.withDebugBuild(xen.xen4_5), 0, true],
    [xen.withDebugBuild(xen.xen4_14), 0, true],
    [xen.withDebugBuild(xen.xen4_17), 1, false],
    [xen.withDebugBuild(xen.xen4_20), 1, false],
    [xen.withDebugBuild(xen.xen4_23), 1, false],
  ];
  for (const [flavour, faults, dies] of rows) {
    const h = host({ flavour });
    grant(h, 1);
    map(h);
    const clear = () => xen.mmuUpdate(h.hv, h.dom0, [{ ptr: h.pte(0), frame: 0, flags: 0 }]);
    if (dies) assertThrows(clear, DomainCrash, "without an unmap", flavour.name);
    else assertEquals(clear(), { rc: 0, done: 1 }, flavour.name);
    assertEquals([h.hv.injected.length, h.hv.leaks.length], [faults, 1], flavour.name);
    assertInOrder(h);
    if (dies) assertThrows(() => map(h), DomainCrash, "without an unmap", "and stays dead");
    xen.domainKill(h.hv, h.dom0);
    assertEquals(h.guest.grantTable.pin[REF], 0, "its death gives the pin back");
    assertInOrder(h);
  }
});

Deno.test("flavours: every release has its statuses, and cites every choice", () => {
  const rows: [xen.XenFlavour, wrongBus: number, noHandle: number, copyOfNothing: number][] = [
    [xen.xen4_5, -1, -7, -2],
    [xen.xen4_14, -1, -7, -2],
    [xen.xen4_17, -6, -13, -2],
    [xen.xen4_20, -6, -13, 0],
    [xen.xen4_23, -6, -13, 0],
  ];
  assertEquals(rows.map(([flavour]) => flavour.name), Object.keys(xen.XEN_FLAVOURS));
  for (const [flavour, wrongBus, noHandle, copyOfNothing] of rows) {
    const h = host({ flavour, dom0: { maxMaptrackFrames: 1 } });
    grant(h, 1);
    const m = map(h, { flags: xen.GNTMAP_device_map });
    const op = { handle: m.handle, host_addr: 0, dev_bus_addr: m.dev_bus_addr + 4096, status: 77 };
    xen.grantTableOp(h.hv, h.dom0, xen.GNTTABOP_unmap_grant_ref, [op]);
    assertEquals(op.status, wrongBus, flavour.name);
    let last = 0;
    for (let i = 0; i < 300 && last === 0; i++) {
      last = map(h, { flags: xen.GNTMAP_device_map, ref: REF }).status;
    }
    assertEquals(last, -1, "128 pins are the limit before handles are");
    grant(h, 6);
    for (let i = 0; i < 600 && last !== noHandle; i++) {
      last = map(h, { flags: xen.GNTMAP_device_map, ref: REF + 1 + i % 5 }).status;
    }
    assertEquals(last, noHandle, flavour.name);
    const nothing = { ...copyOp(h), len: 0, source: { ref: 8, domid: 999, offset: 0 } };
    xen.grantTableOp(h.hv, h.dom0, xen.GNTTABOP_copy, [nothing]);
    assertEquals(nothing.status, copyOfNothing, flavour.name);
    const { name: _, citations, ...choices } = flavour;
    assertEquals(Object.keys(choices).filter((choice) => citations[choice] === undefined), []);
    assertEquals(LINEAR > 0, true);
  }
});
