/**
 * Grants leaked by a batch that failed in part. PV gntdev maps every grant twice, first all user halves, then all kernel
 * halves. Before October 2022 a grant counted as live only if both halves were there, and a map with nothing live was
 * never unmapped: where the second list failed, the first one's grants stayed mapped.
 *
 * Here the second list fails because the maptrack is full: one page of 256 handles, the last of which Xen never
 * gives out, and 254 in use.
 *
 * ```text
 * grants          a   b   c   d
 * user halves     ok  no  no  no      the 255th handle, then none
 * kernel halves   no  no  no  no      live: 0 before the fix, 1 after it
 * ```
 *
 * @cite linux 6.1 drivers/xen/gntdev.c gntdev_map_grant_pages
 * @module
 */

import { assertEquals } from "@std/assert";
import { world } from "../../lib/experiments/world.ts";
import { readGrantEntry } from "../../lib/xen/grant_access.ts";

function failInPart(kernel: string) {
  const w = world({ kernel });
  Object.defineProperty(w.dom0.maptrack, "maxFrames", { value: 1 });
  w.process("other").mmapGrants(w.guest.grant(127));
  const before = w.dom0.maptrack.live;
  const qemu = w.process("qemu");
  const grants = w.guest.grant(4);
  const mapped = qemu.tryMmapGrants(grants);
  const flags = () => grants.refs.map((ref) => readGrantEntry(w.guest.domain, ref).flags);
  const { log } = w.kernel.system;
  const seen = {
    answer: mapped.ok ? "ok" : mapped.errno,
    flags: flags(),
    kinds: log.map(({ kind }) => kind),
  };
  qemu.exit();
  w.advance(10_000);
  return { before, ...seen, atEnd: flags(), handles: w.dom0.maptrack.live, leaks: w.hv.leaks.length };
}

Deno.test("linux6_0: a batch that failed in part leaves its user half mapped, for good", () => {
  assertEquals(failInPart("linux6_0"), {
    before: 254,
    answer: "EINVAL",
    // Nobody unmaps it, zap finds the entry, and Xen keeps the grant.
    flags: [0x19, 1, 1, 1],
    kinds: ["bad-page-map"],
    atEnd: [0x19, 1, 1, 1],
    handles: 255,
    leaks: 1,
  });
});

Deno.test("linux6_1: a batch that failed in part is undone", () => {
  assertEquals(failInPart("linux6_1"), {
    before: 254,
    answer: "EINVAL",
    flags: [1, 1, 1, 1],
    kinds: [],
    atEnd: [1, 1, 1, 1],
    handles: 254,
    leaks: 0,
  });
});
