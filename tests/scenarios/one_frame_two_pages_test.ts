/**
 * The limit that m2p_override could not lift: one machine frame has one page. Map a grant twice, and both addresses
 * give the page of the newer mapping: the data is right, the references are counted on the wrong page.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { PAGE } from "../../lib/core/geometry.ts";
import { world } from "../../lib/experiments/world.ts";
import { getUserPagesFast, releaseUserPages } from "../../lib/linux/mm/gup.ts";
import { FOLL_GET } from "../../lib/linux/mm/gup_flags.ts";
import { readGrantEntry } from "../../lib/xen/grant_access.ts";

function twice(kernel: string) {
  const w = world({ kernel });
  const qemu = w.process("qemu");
  const grants = w.guest.grant([16]);
  const [older, newer] = [qemu.mmapGrants(grants), qemu.mmapGrants(grants)];
  const [own, other] = qemu.gntdev.priv.maps.map((map) => map.pages[0]!) as [number, number];
  return { w, qemu, older: older.start, newer: newer.start, own, other };
}

for (const [kernel, same] of [["linux3_19", true], ["linux4_0", false], ["linux6_1", false]] as const) {
  Deno.test(`${kernel}: two mappings of one frame have ${same ? "one page" : "a page each"}`, () => {
    const { qemu, older, newer, own, other } = twice(kernel);
    const io = [older, newer].map((at) => qemu.directRead(at, PAGE).pages[0]!);
    assertEquals(io.map(({ pfn }) => pfn), [same ? other : own, other]);
    assertEquals(io.map(({ verdict }) => verdict), ["ok", "ok"]);
  });
}

Deno.test("linux3_19: a reference through the older mapping does not keep its grant, but the newer one's", () => {
  const { w, qemu, older, newer } = twice("linux3_19");
  const held = getUserPagesFast(qemu.mm, older, 1, FOLL_GET);
  if (!held.ok) throw new Error(held.errno);
  qemu.munmap(older, PAGE);
  assertEquals(
    [w.kernel.work.pending, w.guest.domain.grantTable.pin[8]],
    [0, 2],
    "gone at once, although in use",
  );
  qemu.munmap(newer, PAGE);
  const kinds = w.kernel.system.log.map(({ kind }) => kind);
  assertEquals(
    kinds,
    ["bad-page-map", "warning"],
    "waits, although nobody uses this one, and zap comes first",
  );
  releaseUserPages(qemu.mm, held.value.pages, FOLL_GET);
});

Deno.test("linux6_1: unmapping one of two leaves the other", () => {
  const { w, qemu, older, newer } = twice("linux6_1");
  assertEquals(w.guest.domain.grantTable.pin[8], 4);
  qemu.munmap(newer, PAGE);
  assertEquals([qemu.directRead(older, PAGE).pages[0]!.verdict, qemu.read(older).ok], ["ok", true]);
  assertEquals([w.guest.domain.grantTable.pin[8], readGrantEntry(w.guest.domain, 8).flags], [2, 0x19]);
});
