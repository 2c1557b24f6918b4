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
import { getUserPagesFast, releaseUserPages } from "../../lib/linux/mm/gup.ts";
import { FOLL_GET } from "../../lib/linux/mm/gup_flags.ts";
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
