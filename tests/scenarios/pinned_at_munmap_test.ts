/**
 * A page that direct I/O (or a pipe, after vmsplice) still holds when its mapping goes. Since June 2022 the notifier
 * does not wait, so the entry is still there when zap comes: Linux finds a page that it never counted, and clears an
 * entry that only Xen may clear. Recorded on Linux 6.1.192 under Xen 4.17: munmap answers 0, "Bad page map", a warning
 * of `__unmap_grant_pages_done` from a worker, and the grants stay in use.
 *
 * @cite recorded grant-cases-pv.jsonl buffered_io
 * @module
 */

import { assertEquals } from "@std/assert";
import { PAGE } from "../../lib/core/geometry.ts";
import { type World, world } from "../../lib/experiments/world.ts";
import { gntdevIoctlMapGrantRef } from "../../lib/drivers/gntdev/map_grant_ref.ts";
import type { GntdevMode } from "../../lib/drivers/gntdev/mode.ts";
import { gntdevOpen } from "../../lib/drivers/gntdev/open.ts";
import { ptemod } from "../../lib/drivers/gntdev/ptemod.ts";
import { userHalfFirst } from "../../lib/drivers/gntdev/user_half_first.ts";
import { getUserPagesFast, releaseUserPages } from "../../lib/linux/mm/gup.ts";
import { FOLL_GET } from "../../lib/linux/mm/gup_flags.ts";
import { mmap } from "../../lib/linux/mm/mmap.ts";
import { mprotect } from "../../lib/linux/mm/mprotect.ts";
import { munmap } from "../../lib/linux/mm/munmap.ts";
import { MAP_SHARED, PROT_READ, PROT_WRITE } from "../../lib/linux/mm/prot.ts";
import { readGrantEntry } from "../../lib/xen/grant_access.ts";
import { validateXen } from "../../lib/xen/validate.ts";

const flagsOf = (w: World) => [8, 9, 10].map((ref) => readGrantEntry(w.guest.domain, ref).flags);

function pinned(kernel = "linux6_1") {
  const w = world({ kernel });
  const qemu = w.process("qemu");
  const { start } = qemu.mmapGrants(w.guest.grant(3));
  const held = getUserPagesFast(qemu.mm, start + PAGE, 1, FOLL_GET);
  if (!held.ok) throw new Error(held.errno);
  const release = () => releaseUserPages(qemu.mm, held.value.pages, FOLL_GET);
  return { w, qemu, start, release, log: w.kernel.system.log };
}

Deno.test("linux6_1: a page pinned at munmap is a bad page map, a leaked pin and a failed unmap", () => {
  const { w, qemu, start, release, log } = pinned();
  assertEquals(qemu.munmap(start, 3 * PAGE), { ok: true, value: 0 });
  // All or nothing, so zap meets the first entry, too. Each report takes long; after that of the pinned page, which
  // zap has given a reference less, the deferred unmap runs and finds the third entry still there.
  assertEquals(
    log.map(({ kind, where, text }) => [kind, where, kind === "warning" ? text : ""]),
    [
      ["bad-page-map", "print_bad_pte", ""],
      ["bad-page-map", "print_bad_pte", ""],
      ["warning", "__unmap_grant_pages_done", "unmap of slot 0 answers status -1"],
      ["warning", "__unmap_grant_pages_done", "unmap of slot 1 answers status -1"],
    ],
  );
  assertEquals(w.hv.leaks.map(({ ref }) => ref), [8, 9]);
  assertEquals(flagsOf(w), [0x19, 0x19, 1]);
  // The kernel's halves are unmapped although the page is still held; the user's pins stay for ever.
  assertEquals([8, 9, 10].map((ref) => w.guest.domain.grantTable.pin[ref]), [1, 1, 0]);
  release();
  w.advance(100_000);
  assertEquals([flagsOf(w), log.length, w.kernel.work.pending], [[0x19, 0x19, 1], 4, 0]);
});

Deno.test("linux6_1: only the run with the pinned page suffers", () => {
  const { w, qemu, start, log } = pinned();
  qemu.munmap(start + 2 * PAGE, PAGE);
  assertEquals([flagsOf(w), log.length], [[0x19, 0x19, 1], 0]);
  qemu.munmap(start + PAGE, PAGE);
  assertEquals([flagsOf(w), log.length, w.hv.leaks.map(({ ref }) => ref)], [[0x19, 0x19, 1], 2, [9]]);
  qemu.munmap(start, PAGE);
  assertEquals([flagsOf(w), log.length], [[1, 0x19, 1], 2]);
});

Deno.test("linux6_1: released in time, nothing of it happens", () => {
  const { w, qemu, start, release, log } = pinned();
  release();
  qemu.munmap(start, 3 * PAGE);
  assertEquals([flagsOf(w), log, w.hv.leaks, validateXen(w.hv)], [[1, 1, 1], [], [], []] as unknown[]);
});

Deno.test("linux6_1: the guest cannot take the leaked grant back", () => {
  const { w, qemu, start, release } = pinned();
  qemu.munmap(start + PAGE, PAGE);
  release();
  w.advance(5);
  const grants = { refs: [9] } as unknown as Parameters<typeof w.guest.revoke>[0];
  assertEquals(w.guest.revoke(grants), [false]);
});

/** Three grants mapped through a gntdev that works in this mode; the middle page is held. */
function pinnedInMode(mode: GntdevMode) {
  const w = world();
  const { mm } = w.process("qemu");
  const { file, priv } = gntdevOpen(w.kernel, mode);
  const grants = w.guest.grant(3);
  gntdevIoctlMapGrantRef(priv, grants.refs.map((ref) => ({ domid: grants.domid, ref })));
  const prot = PROT_READ | PROT_WRITE;
  const at = mmap(mm, { length: 3 * PAGE, prot, flags: MAP_SHARED, file, offset: 0 });
  if (!at.ok) throw new Error(at.errno);
  const held = getUserPagesFast(mm, at.value + PAGE, 1, FOLL_GET);
  if (!held.ok) throw new Error(held.errno);
  const [page] = held.value.pages;
  const release = () => releaseUserPages(mm, held.value.pages, FOLL_GET);
  return { w, mm, grants, at: at.value, page: page!, release, log: w.kernel.system.log };
}

for (
  const [mode, kinds, flagsAfter] of [
    [ptemod, ["bad-page-map", "bad-page-map", "warning", "warning"], [0x19, 0x19, 1]],
    [userHalfFirst, [], [1, 1, 1]],
  ] as const
) {
  Deno.test(`the page pinned at munmap in mode "${mode.name}"`, () => {
    const { w, mm, at, release, log } = pinnedInMode(mode);
    munmap(mm, at, 3 * PAGE);
    release();
    w.advance(1000);
    assertEquals([log.map(({ kind }) => kind), flagsOf(w)], [[...kinds], [...flagsAfter]] as unknown[]);
    assertEquals(w.hv.leaks.length, kinds.length / 2);
  });
}

Deno.test("user half first: the device reaches the frame until the page is let go, and not longer", () => {
  const { w, mm, grants, at, page, release } = pinnedInMode(userHalfFirst);
  munmap(mm, at, 3 * PAGE);
  assertEquals(
    [w.kernel.system.frameOf(page), flagsOf(w)],
    [grants.frames[1], [0x19, 0x19, 0x19]] as unknown[],
  );
  release();
  w.advance(5);
  assertEquals(
    [w.kernel.p2m.describe(page), flagsOf(w), validateXen(w.hv)],
    ["INVALID", [1, 1, 1], []] as unknown[],
  );
});

Deno.test("a second run overwrites one that waits, but for the user half first", () => {
  for (const [mode, flagsAfter] of [[ptemod, [1, 0x19, 0x19]], [userHalfFirst, [1, 1, 0x19]]] as const) {
    const { w, mm, at, release } = pinnedInMode(mode);
    const other = getUserPagesFast(mm, at, 1, FOLL_GET);
    if (!other.ok) throw new Error(other.errno);
    // Rights change without zap in between, so nobody runs what waits.
    mprotect(mm, at + PAGE, PAGE, PROT_READ);
    mprotect(mm, at, PAGE, PROT_READ);
    releaseUserPages(mm, other.value.pages, FOLL_GET);
    release();
    w.advance(1000);
    assertEquals(
      [mode.name, flagsOf(w)],
      [mode.name, [...flagsAfter]] as unknown[],
    );
  }
});
