import { assertEquals } from "@std/assert";
import type { Maddr } from "../../../lib/core/frames.ts";
import * as xen from "../../../lib/xen/mod.ts";
import { setVersion, writeV2 } from "./grant_writers.ts";
import { type Host, host, map, REF } from "./two_domains.ts";

/** The bytes of an entry in machine memory, lowest address first. */
function bytesOf(h: Host, domain: xen.Domain, ref: number): string {
  const at = domain.grantTable.entry(ref);
  const size = domain.grantTable.version === 1 ? 8 : 16;
  return Array.from(
    { length: size },
    (_, i) => h.hv.mem.read8((at + i) as Maddr).toString(16).padStart(2, "0"),
  ).join(" ");
}

Deno.test("an entry of version 1 is flags, domid, frame, little-endian, eight bytes each", () => {
  const h = host();
  xen.grantAccess(h.guest, 8, { domid: 0x1234, frame: 0x56789abc, readonly: true });
  assertEquals(bytesOf(h, h.guest, 8), "05 00 34 12 bc 9a 78 56");
  assertEquals(bytesOf(h, h.guest, 7), "00 00 00 00 00 00 00 00");
  const table = h.guest.grantTable;
  assertEquals(table.entry(9) - table.entry(8), 8);
  assertEquals([table.nrEntries, table.entry(511) % 4096], [512, 4088]);
  assertEquals(table.statusWord(8), table.entry(8), "the in-use bits are in the flags");
});

Deno.test("an entry of version 2 is 16 bytes, its in-use bits two bytes in frames of their own", () => {
  const h = host();
  assertEquals(setVersion(h, h.guest, 2), { rc: 0, version: 2 });
  writeV2(h.guest, 8, { flags: xen.GTF_permit_access, domid: 0, frame: h.guest.mfnOf(0) });
  const table = h.guest.grantTable;
  assertEquals(table.entry(9) - table.entry(8), 16);
  assertEquals([table.nrEntries, table.entry(255) % 4096], [256, 4080]);
  assertEquals([table.statusWord(9) - table.statusWord(8), table.statusWord(8) % 4096], [2, 16]);
  const before = bytesOf(h, h.guest, 8);
  assertEquals(map(h, { ref: REF }).status, 0);
  assertEquals(bytesOf(h, h.guest, 8), before, "Xen writes nothing into the entry");
  assertEquals([h.hv.mem.read16(table.statusWord(8)), h.hv.mem.read16(table.statusWord(9))], [0x18, 0]);
  for (const [frames, status] of [[1, 1], [8, 1], [9, 2], [16, 2], [17, 3]] as const) {
    assertEquals(xen.grantToStatusFrames(frames), status, `${frames} frames`);
  }
});

Deno.test("flags, statuses and pin counters have the numbers of the interface", () => {
  const rows: [name: keyof typeof xen, value: number][] = [
    ["GTF_invalid", 0],
    ["GTF_permit_access", 1],
    ["GTF_accept_transfer", 2],
    ["GTF_transitive", 3],
    ["GTF_readonly", 4],
    ["GTF_reading", 8],
    ["GTF_writing", 16],
    ["GTF_PWT", 32],
    ["GTF_PCD", 64],
    ["GTF_PAT", 128],
    ["GTF_sub_page", 256],
    ["GTF_transfer_committed", 4],
    ["GTF_transfer_completed", 8],
    ["GNTST_okay", 0],
    ["GNTST_general_error", -1],
    ["GNTST_bad_domain", -2],
    ["GNTST_bad_gntref", -3],
    ["GNTST_bad_handle", -4],
    ["GNTST_bad_virt_addr", -5],
    ["GNTST_bad_dev_addr", -6],
    ["GNTST_no_device_space", -7],
    ["GNTST_permission_denied", -8],
    ["GNTST_bad_page", -9],
    ["GNTST_bad_copy_arg", -10],
    ["GNTST_address_too_big", -11],
    ["GNTST_eagain", -12],
    ["GNTST_no_space", -13],
    ["GNTPIN_hstw_inc", 1],
    ["GNTPIN_hstr_inc", 0x100],
    ["GNTPIN_devw_inc", 0x10000],
    ["GNTPIN_devr_inc", 0x1000000],
  ];
  for (const [name, value] of rows) assertEquals(xen[name], value, name);
});

Deno.test("a table and a maptrack of each release have the sizes of that release", () => {
  const rows: [flavour: xen.XenFlavour, refs: number, handles: number, activeEntry: number][] = [
    [xen.xen4_5, 16_384, 131_072, 40],
    [xen.xen4_14, 32_768, 262_144, 40],
    [xen.xen4_17, 32_768, 262_144, 40],
    [xen.xen4_20, 32_768, 262_144, 32],
    [xen.xen4_23, 32_768, 262_144, 32],
  ];
  for (const [flavour, refs, handles, activeEntry] of rows) {
    assertEquals(
      [flavour.gnttabMaxFrames * 512, flavour.gnttabMaxMaptrackFrames * flavour.maptrack.perPage],
      [refs, handles],
      flavour.name,
    );
    assertEquals(flavour.activeEntrySize, activeEntry, flavour.name);
    assertEquals(xen.withDebugBuild(flavour).activeEntrySize, activeEntry + 8, flavour.name);
  }
});
