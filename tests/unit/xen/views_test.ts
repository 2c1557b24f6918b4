import { assertEquals, assertThrows } from "@std/assert";
import { checkGrantDump, parseGrantDump } from "../../../lib/import/mod.ts";
import * as xen from "../../../lib/xen/mod.ts";
import { setVersion } from "./grant_writers.ts";
import { grant, host, LINEAR, map, REF, unmap } from "./two_domains.ts";

const DEVICE = xen.GNTMAP_device_map;

Deno.test("gnttabUsagePrintAll() prints what the debug key prints, and parseGrantDump() reads it back", () => {
  const h = host();
  grant(h, 2);
  map(h, { ref: REF });
  map(h, { ref: REF, host_addr: h.pte(1) });
  map(h, { ref: REF + 1, flags: DEVICE | xen.GNTMAP_readonly });
  const text = xen.gnttabUsagePrintAll(h.hv);
  const mfn = [0, 1].map((pfn) => h.guest.mfnOf(pfn).toString(16).padStart(6, "0"));
  assertEquals(text.split("\n"), [
    "gnttab_usage_print_all [ key 'g' pressed",
    "      -------- active --------       -------- shared --------",
    "[ref] localdom mfn      pin          localdom gmfn     flags",
    "grant-table for remote d0 (v1)",
    "  1 frames (64 max), 1 maptrack frames (1024 max)",
    "no active grant table entries",
    "      -------- active --------       -------- shared --------",
    "[ref] localdom mfn      pin          localdom gmfn     flags",
    "grant-table for remote d1 (v1)",
    "  1 frames (2 max), 0 maptrack frames (1024 max)",
    `[0x008]      0 0x${mfn[0]!.slice(1)} 0x00000002          0 0x${mfn[0]} 0x19`,
    `[0x009]      0 0x${mfn[1]!.slice(1)} 0x01000000          0 0x${mfn[1]} 0x09`,
    "gnttab_usage_print_all ] done",
  ]);
  const [dom0, guest] = parseGrantDump(
    text.split("\n").map((line) => `(XEN) [2026-01-01 00:00:00] ${line}`).join("\n"),
  );
  assertEquals([dom0?.granter, dom0?.rows], [0, []]);
  assertEquals([guest?.version, guest?.frames, guest?.maptrackFrames], [1, { used: 1, max: 2 }, {
    used: 0,
    max: 1024,
  }]);
  const { granter: _, ...first } = xen.grantDumpOf(h.guest)[0]!;
  assertEquals(guest?.rows[0], first);
  assertEquals(checkGrantDump([dom0!, guest!]), []);
});

Deno.test("gnttabUsagePrintAll() words it as the release of the proposal did, and parseGrantDump() reads that, too", () => {
  const h = host({ flavour: xen.xen4_5 });
  grant(h, 1);
  map(h);
  const text = xen.gnttabUsagePrintAll(h.hv);
  const mfn = h.guest.mfnOf(0).toString(16).padStart(6, "0");
  assertEquals(text.split("\n"), [
    "gnttab_usage_print_all [ key 'g' pressed",
    "      -------- active --------       -------- shared --------",
    "[ref] localdom mfn      pin          localdom gmfn     flags",
    "grant-table for remote domain:    0 ... no active grant table entries",
    "      -------- active --------       -------- shared --------",
    "[ref] localdom mfn      pin          localdom gmfn     flags",
    "grant-table for remote domain:    1 (v1)",
    `[  8]        0 0x${mfn} 0x00000001          0 0x${mfn} 0x19`,
    "gnttab_usage_print_all ] done",
  ]);
  const [dom0, guest] = parseGrantDump(text);
  assertEquals([dom0?.granter, dom0?.version, dom0?.rows], [0, null, []]);
  assertEquals([guest?.granter, guest?.version, guest?.frames, guest?.rows.map((row) => row.ref)], [
    1,
    1,
    null,
    [8],
  ]);
});

Deno.test("checkGrantDump() finds what should not be", () => {
  const text = [
    "grant-table for remote d7 (v1)",
    "[0x008]      0 0x0365c6 0x00000001          0 0x0365c6 0x19",
    "[0x009]      0 0x0365c6 0x00000001          3 0x0365c7 0x18",
    "[0x00a]      0 0x0365c6 0x00000100          0 0x0365c6 0x19",
  ].join("\n");
  assertEquals(checkGrantDump(parseGrantDump(text)), [
    "grant 9 of domain 7 is used by domain 0, but its entry names 3",
    "grant 9 of domain 7: Xen holds frame 0x365c6, the entry says 0x365c7",
    "grant 9 of domain 7 was closed while in use",
    "grant 10 of domain 7 shows in-use bits 0x18, its pins mean 0x8",
  ]);
  assertThrows(() => parseGrantDump("hello"), RangeError, "Cannot read a grant dump");
  assertThrows(() => parseGrantDump(text.split("\n")[1]!), RangeError, "before the first table");
});

Deno.test("parseGrantDump() takes the last dump of a console", () => {
  const one = (ref: string) =>
    `gnttab_usage_print_all [ key 'g' pressed\ngrant-table for remote d1 (v1)\n[${ref}]  0 0x1 0x00000001  0 0x1 0x19\n`;
  assertEquals(parseGrantDump(one("0x008") + "noise\n" + one("0x00b"))[0]?.rows.map((row) => row.ref), [11]);
});

Deno.test("explainFrame() names every holder and why the frame cannot be freed", () => {
  const h = host();
  grant(h, 1);
  const mfn = h.guest.mfnOf(0);
  const kinds = () => xen.explainFrame(h.hv, mfn).holders.map((holder) => holder.kind);
  assertEquals(kinds(), ["allocation"]);
  const host1 = map(h);
  const device = map(h, { flags: DEVICE });
  assertEquals(kinds(), ["allocation", "grant mapping", "grant mapping"]);
  const why = xen.explainFrame(h.hv, mfn);
  assertEquals([why.count, why.typeCount, why.type], [3, 2, "writable"]);
  assertEquals(
    why.verdict,
    "it cannot be freed: handle 1 of dom0 maps it by grant 8 of guest, writable, for devices and 1 more",
  );
  xen.updateVaMapping(h.hv, h.dom0, LINEAR, 0, 0, 0);
  unmap(h, { handle: device.handle, dev_bus_addr: device.dev_bus_addr });
  assertEquals([host1.handle, kinds()], [0, ["allocation", "leaked pin"]]);
  assertEquals(
    xen.explainFrame(h.hv, mfn).verdict,
    "it may be given up, but the grant stays in use: a leaked pin",
  );
  const l1 = xen.explainFrame(h.hv, h.dom0.mfnOf(4));
  assertEquals(l1.holders.map((holder) => holder.kind), ["allocation", "page-table entry"]);
  const l4 = xen.explainFrame(h.hv, h.dom0.mfnOf(1));
  assertEquals(l4.holders.map((holder) => holder.kind), ["allocation", "pin", "base"]);
  for (
    const frame of [
      mfn,
      h.dom0.mfnOf(1),
      h.dom0.mfnOf(2),
      h.dom0.mfnOf(4),
      h.guest.grantTable.sharedFrames[0]!,
    ]
  ) {
    const { count, holders } = xen.explainFrame(h.hv, frame);
    assertEquals(
      holders.filter((holder) => holder.holdsReference).length,
      count,
      `${xen.explainFrame(h.hv, frame)}`,
    );
  }
  assertEquals(xen.explainFrame(h.hv, 4000).verdict, "it is free");
  assertThrows(() => xen.explainFrame(h.hv, 4096), RangeError, "Cannot explain frame");
});

Deno.test("drawGrant() draws entry, active entry, handles and page-table entries", () => {
  const h = host();
  grant(h, 1);
  assertEquals(xen.drawGrant(h.hv, h.guest, REF).split("\n").map((line) => line.trimEnd()), [
    "d1 guest  grant 8 (v1)    Xen: active entry    mappers",
    "┌ flags 0x1 domid 0       ┌ not in use",
    "└ frame 0x41              └",
  ]);
  map(h);
  map(h, { flags: DEVICE | xen.GNTMAP_readonly });
  assertEquals(xen.drawGrant(h.hv, h.guest, REF).split("\n"), [
    "d1 guest  grant 8 (v1)    Xen: active entry               mappers",
    "┌ flags 0x19 domid 0      ┌ used by d0                    d0 handle 0: host, writable",
    "└ frame 0x41              └ frame 0x41, hstw 1, devr 1      └ entry 0x5000 → 0x41, flags 0x800367",
    "                                                          d0 handle 1: device, read-only",
  ]);
  setVersion(h, h.dom0, 2);
  assertEquals(xen.drawGrant(h.hv, h.dom0, 9).includes("status 0x0"), true);
  assertThrows(() => xen.drawGrant(h.hv, h.guest, 512), RangeError);
});

Deno.test("limitsFor() is exactly enough: one page less is not", () => {
  const rows: [grants: number, frames: number, maptrack: number][] = [
    [0, 1, 0],
    [255, 1, 1],
    [256, 1, 2],
    [504, 1, 2],
    [505, 2, 2],
  ];
  for (const [grants, grantFrames, maptrackFrames] of rows) {
    assertEquals(xen.limitsFor({ grants }), { grantFrames, maptrackFrames }, `${grants}`);
    for (const short of [0, 1]) {
      if (maptrackFrames - short < 0) continue;
      const h = host({ dom0: { maxMaptrackFrames: maptrackFrames - short } });
      const op = { dom: xen.DOMID_SELF, nr_frames: grantFrames, status: 77, frame_list: [] };
      xen.grantTableOp(h.hv, h.guest, xen.GNTTABOP_setup_table, [op]);
      grant(h, grants);
      assertEquals(xen.maptrackUse(h.dom0).room >= grants, short === 0);
      const failed = Array.from({ length: grants }, (_, i) => map(h, { flags: DEVICE, ref: REF + i }).status)
        .filter((s) => s !== 0);
      assertEquals(
        failed.length > 0,
        short === 1 && grants > 0,
        `${grants} grants, ${maptrackFrames - short} pages`,
      );
      const use = xen.maptrackUse(h.dom0);
      assertEquals([use.live, use.pages, use.maxPages], [
        grants - failed.length,
        h.dom0.maptrack.nrFrames,
        maptrackFrames - short,
      ]);
    }
  }
  assertEquals(xen.limitsFor({ grants: 1000, mapsPerGrant: 2, vcpus: 4, version: 2 }), {
    grantFrames: 4,
    maptrackFrames: 8,
  });
  assertThrows(() => xen.limitsFor({ grants: -1 }), RangeError);
});
