/**
 * The report of 2022: two grants in one mapping, one page unmapped, then the other. gntdev clipped invalidations to the
 * VMA of its mmap call, whose bounds a split changes, and took its notifier away with the first VMA that closed.
 *
 * @cite linux 6.1 drivers/xen/gntdev.c gntdev_invalidate
 * @module
 */

import { assertEquals } from "@std/assert";
import { PAGE } from "../../lib/core/geometry.ts";
import { world } from "../../lib/experiments/world.ts";
import { readGrantEntry } from "../../lib/xen/grant_access.ts";

function unmapOneByOne(kernel: string, order: readonly number[]) {
  const w = world({ kernel });
  const qemu = w.process("qemu");
  const { start } = qemu.mmapGrants(w.guest.grant(2));
  const flags = () => [8, 9].map((ref) => readGrantEntry(w.guest.domain, ref).flags);
  const seen = order.map((page) => {
    assertEquals(qemu.munmap(start + page * PAGE, PAGE), { ok: true, value: 0 });
    return flags();
  });
  qemu.exit();
  return { seen, atEnd: flags(), leaks: w.hv.leaks.length, log: w.kernel.system.log };
}

for (const order of [[0, 1], [1, 0]]) {
  Deno.test(`linux6_0: page ${order[0]} first, every munmap is a bad page map and leaks its grant`, () => {
    const { seen, atEnd, leaks, log } = unmapOneByOne("linux6_0", order);
    assertEquals([seen, atEnd, leaks], [[[0x19, 0x19], [0x19, 0x19]], [0x19, 0x19], 2]);
    assertEquals(log.map(({ kind, where }) => [kind, where]), [
      ["bad-page-map", "print_bad_pte"],
      ["warning", "gntdev_vma_close"],
      ["bad-page-map", "print_bad_pte"],
    ]);
  });

  Deno.test(`linux6_1: page ${order[0]} first, each grant goes with its page`, () => {
    const { seen, atEnd, leaks, log } = unmapOneByOne("linux6_1", order);
    const after = order[0] === 0 ? [1, 0x19] : [0x19, 1];
    assertEquals([seen, atEnd, leaks, log], [[after, [1, 1]], [1, 1], 0, []] as unknown[]);
  });
}

Deno.test("linux6_0: both pages at once are no problem", () => {
  const w = world({ kernel: "linux6_0" });
  const qemu = w.process("qemu");
  const { start } = qemu.mmapGrants(w.guest.grant(2));
  qemu.munmap(start, 2 * PAGE);
  assertEquals(
    [readGrantEntry(w.guest.domain, 8).flags, w.kernel.system.log, w.hv.leaks],
    [1, [], []] as unknown[],
  );
});
