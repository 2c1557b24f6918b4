/**
 * October 2014, the reply's patch: `vma->pages` indexed from the start of the VMA. After a split the piece whose start
 * has moved reads shifted.
 *
 * ```text
 * slots          p0 p1 p2 p3 p4 p5 p6 p7
 * munmap 3       |0  1  2|  ×  |4  5  6  7|
 * upper piece                   p0 p1 p2 ——     page 7 asks for slot 3, the one that was emptied
 * ```
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { PAGE } from "../../lib/core/geometry.ts";
import { world } from "../../lib/experiments/world.ts";
import { PROT_READ } from "../../lib/linux/mm/prot.ts";

function cut(kernel: string, page: number) {
  const w = world({ kernel });
  const qemu = w.process("qemu");
  const grants = w.guest.grant(8);
  const { start } = qemu.mmapGrants(grants);
  qemu.munmap(start + page * PAGE, PAGE);
  return { w, qemu, grants, start };
}

Deno.test("seed2014: wrong pages after the split, then EFAULT at the page whose shifted slot is empty", () => {
  const { qemu, start } = cut("seed2014", 3);
  const io = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => qemu.directRead(start + i * PAGE, PAGE).pages[0]!);
  assertEquals(
    io.map(({ reached, verdict }) => [reached.kind === "frame" ? reached.frame : "EFAULT", verdict]),
    [
      [0x710, "ok"],
      [0x711, "ok"],
      [0x712, "ok"],
      ["EFAULT", "ok"],
      [0x710, "wrong-page"],
      [0x711, "wrong-page"],
      [0x712, "wrong-page"],
      ["EFAULT", "errno"],
    ],
  );
});

Deno.test("seed2014: the wrong pages are another granted page's memory, silently", () => {
  const { w, qemu, grants, start } = cut("seed2014", 3);
  assertEquals(qemu.directRead(start + 4 * PAGE, PAGE, 0).returned, "4096");
  // Sector 0 of the disk holds 1. It belongs in grant 4 and lands in grant 0.
  assertEquals([w.guest.read(grants, 4), w.guest.read(grants, 0)], [0x14, 1]);
  assertEquals([w.kernel.system.log, w.crash, w.hv.leaks], [[], null, []]);
});

Deno.test("seed2014: the program itself still sees the right pages", () => {
  const { qemu, start } = cut("seed2014", 3);
  const bytes = [0, 4, 7].map((i) => qemu.read(start + i * PAGE));
  assertEquals(bytes, [0x10, 0x14, 0x17].map((value) => ({ ok: true as const, value })));
});

Deno.test("seed2014: mprotect that cuts the head shifts what is left, too", () => {
  const w = world({ kernel: "seed2014" });
  const qemu = w.process("qemu");
  const { start } = qemu.mmapGrants(w.guest.grant(4));
  qemu.mprotect(start, PAGE, PROT_READ);
  assertEquals(qemu.directRead(start + 2 * PAGE, PAGE).pages[0]!.verdict, "wrong-page");
  assertEquals(qemu.directRead(start + PAGE, PAGE).pages[0]!.verdict, "errno");
});

for (const kernel of ["linux3_19", "vma_pages_v1", "linux4_0", "linux6_1"]) {
  Deno.test(`${kernel}: every page is right after the same split`, () => {
    const { qemu, start } = cut(kernel, 3);
    const verdicts = [0, 1, 2, 3, 4, 5, 6, 7].map((i) =>
      qemu.directRead(start + i * PAGE, PAGE).pages[0]!.verdict
    );
    assertEquals(verdicts, Array(8).fill("ok"));
  });
}

Deno.test("vma_pages_v1: pieces of pieces keep their own pages", () => {
  const w = world({ kernel: "vma_pages_v1" });
  const qemu = w.process("qemu");
  const { start } = qemu.mmapGrants(w.guest.grant(16));
  for (const page of [8, 4, 12, 0, 6, 15]) qemu.munmap(start + page * PAGE, PAGE);
  const verdicts = Array.from(
    { length: 16 },
    (_, i) => qemu.directRead(start + i * PAGE, PAGE).pages[0]!.verdict,
  );
  assertEquals(verdicts, Array(16).fill("ok"));
  assertEquals(qemu.vmas.map((vma) => vma.ext.pages!.first), [1, 5, 7, 9, 13]);
});
