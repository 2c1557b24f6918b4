import { assertEquals, assertThrows } from "@std/assert";
import { Trace } from "../../../lib/trace/trace.ts";
import * as xen from "../../../lib/xen/mod.ts";
import { setVersion } from "./grant_writers.ts";
import { assertInOrder, FakeCpu, grant, type Host, host, LINEAR, map, REF, unmap } from "./two_domains.ts";

/** A host with something of everything. */
function busyHost(): Host {
  const h = host({ cpus: 2, dom0: { vcpus: 2 } });
  grant(h, 3);
  map(h, { flags: xen.GNTMAP_host_map | xen.GNTMAP_device_map, host_addr: LINEAR });
  map(h, { host_addr: h.pte(1), ref: REF + 1 });
  xen.updateVaMapping(h.hv, h.dom0, LINEAR + 4096, 0, 0, 0);
  const pvh = h.hv.createDomain({ kind: "pvh", frames: 8, name: "storage" });
  setVersion(h, pvh, 2);
  xen.grantAccess(h.guest, 20, { domid: pvh.domid, frame: h.guest.mfnOf(20) });
  const op = {
    host_addr: 0x40000,
    flags: xen.GNTMAP_host_map,
    ref: 20,
    dom: h.guest.domid,
    status: 77,
    handle: 0,
    dev_bus_addr: 0,
  };
  xen.grantTableOp(h.hv, pvh, xen.GNTTABOP_map_grant_ref, [op]);
  assertEquals(op.status, 0);
  xen.domainKill(h.hv, h.guest);
  return h;
}

const load = (bytes: Uint8Array, options: Partial<xen.LoadHostOptions> = {}) =>
  xen.loadHost(bytes, { cpus: [new FakeCpu(), new FakeCpu()], trace: new Trace(), ...options });

Deno.test("loadHost() gives the host back that saveHost() took, and both go on alike", () => {
  const h = busyHost();
  const file = xen.saveHost(h.hv);
  const trace = new Trace();
  const again = load(file, { trace });
  assertEquals(xen.validateXen(again), []);
  assertEquals(xen.hostDigest(again), xen.hostDigest(h.hv));
  assertEquals(trace.count("page_ref"), 0, "loading is not running");
  assertEquals([again.leaks, again.nrDying], [h.hv.leaks, 1]);
  const twin: Host = { ...h, hv: again, dom0: again.domains.get(0)!, guest: again.domains.get(1)! };
  for (const one of [h, twin]) {
    assertEquals(
      unmap(one, { handle: 0, host_addr: LINEAR, dev_bus_addr: one.guest.grantTable.mfn[REF]! * 4096 })
        .status,
      0,
    );
    one.hv.createDomain({ frames: 30 });
    assertEquals(map(one, { dom: 3 }).status, -1);
    assertInOrder(one);
  }
  assertEquals(xen.hostDigest(again), xen.hostDigest(h.hv));
});

Deno.test("loadHost() refuses what it cannot be sure of, and says why", () => {
  const h = busyHost();
  const file = xen.saveHost(h.hv);
  const changed = (at: number, to: number): Uint8Array => {
    const copy = file.slice();
    copy[at] = to;
    return copy;
  };
  const rows: [rule: string, bytes: Uint8Array, options: Partial<xen.LoadHostOptions>, reason: string][] = [
    ["empty", new Uint8Array(0), {}, "the file is none"],
    ["foreign", new TextEncoder().encode("PK\x03\x04 a zip archive"), {}, "the file is none"],
    ["only the magic", file.slice(0, 8), {}, "torn"],
    ["header only", file.slice(0, 23), {}, "torn"],
    ["last byte missing", file.slice(0, -1), {}, "torn"],
    ["half", file.slice(0, file.length >> 1), {}, "torn"],
    ["a byte of state changed", changed(40, 0x20), {}, "torn"],
    ["a byte of memory changed", changed(file.length - 100, 0x99), {}, "torn"],
    ["a byte of the check changed", changed(file.length - 1, file.at(-1)! ^ 1), {}, "torn"],
    ["an earlier version", changed(8, 1), {}, "the file has version 1, this program reads 2"],
    ["a later version", changed(8, 3), {}, "the file has version 3, this program reads 2"],
    ["too few processors", file, { cpus: [new FakeCpu()] }, "it has 2 processors, 1 were given"],
    ["another flavour", file, { flavour: xen.xen4_20 }, "its flavour is xen4_17, xen4_20 was given"],
    [
      "other locks",
      file,
      { flavour: { ...xen.xen4_17, locks: xen.singleSpinLock } },
      'its locks is "per_cpu_rwlock", that of xen4_17 is "single_spin_lock": give its flavour',
    ],
    [
      "another plan for free handles",
      file,
      { flavour: { ...xen.xen4_17, maptrack: xen.stackedHandles } },
      'its maptrack is "queued_handles", that of xen4_17 is "stacked_handles": give its flavour',
    ],
    [
      "other words of the debug key",
      file,
      { flavour: { ...xen.xen4_17, usagePrint: xen.xen4_5.usagePrint } },
      'its usagePrint is "usagePrint", that of xen4_17 is "usagePrintFirstEntry"',
    ],
    [
      "a status of another release",
      file,
      { flavour: { ...xen.xen4_17, mapNoHandle: xen.GNTST_no_device_space } },
      "its mapNoHandle is -13, that of xen4_17 is -7",
    ],
    [
      "a switch of another release",
      file,
      { flavour: { ...xen.xen4_17, copyKeepsPages: false } },
      "its copyKeepsPages is true, that of xen4_17 is false",
    ],
  ];
  for (const [rule, bytes, options, reason] of rows) {
    const error = assertThrows(() => load(bytes, options), xen.BadSnapshot, undefined, rule);
    assertEquals([error.message.startsWith("Cannot load a host: "), error.message.includes(reason)], [
      true,
      true,
    ], error.message);
  }
});

Deno.test("loadHost() wants the flavour of a host that is a variant of its own", () => {
  const flavour = { ...xen.xen4_17, name: "mine", flush: xen.flushPerOp };
  const file = xen.saveHost(host({ flavour }).hv);
  const cpus = [new FakeCpu()];
  assertThrows(() => load(file, { cpus }), xen.BadSnapshot, '"mine" is not known');
  assertEquals(load(file, { cpus, flavour }).domains.size, 2);
});

Deno.test("saveHost() refuses in the middle of a hypercall", () => {
  const h = host();
  grant(h, 1);
  h.guest.grantTable.race = () => void xen.saveHost(h.hv);
  assertThrows(() => map(h), RangeError, "a hypercall runs");
});
