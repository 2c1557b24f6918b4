/**
 * The ioctls of gntdev. Numbers as in gntdev_bench.ts.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { SysResult } from "../../../lib/core/errno.ts";
import { PAGE } from "../../../lib/core/geometry.ts";
import { gntdevIoctlGetOffsetForVaddr } from "../../../lib/drivers/gntdev/get_offset_for_vaddr.ts";
import { gntdevIoctlUnmapGrantRef } from "../../../lib/drivers/gntdev/unmap_grant_ref.ts";
import { MAP_ANONYMOUS, MAP_PRIVATE } from "../../../lib/linux/mm/prot.ts";

import { assertInOrder, bench, err, RW, value } from "./gntdev_bench.ts";
// --- MAP_GRANT_REF ---------------------------------------------------------------------------------------------

const WISHES: readonly { given: string; n: number; ballooned?: number; answer: unknown }[] = [
  { given: "control: 1 grant", n: 1, answer: { ok: true, value: 0 } },
  { given: "no grant", n: 0, answer: err("EINVAL") },
  { given: "65536 grants", n: 65536, ballooned: 65536, answer: { ok: true, value: 0 } },
  { given: "65537 grants", n: 65537, ballooned: 65537, answer: err("EINVAL") },
  { given: "as many as there are pages", n: 16, ballooned: 16, answer: { ok: true, value: 0 } },
  { given: "one more than there are pages", n: 17, ballooned: 16, answer: err("ENOMEM") },
];

for (const { given, n, ballooned, answer } of WISHES) {
  Deno.test(`gntdevIoctlMapGrantRef() answers: ${given}`, () => {
    const b = bench(ballooned === undefined ? {} : { ballooned });
    const free = b.w.kernel.frameSource.nrFree;
    const result = b.ioctl(n);
    assertEquals(result as unknown, answer);
    assertEquals(b.w.kernel.frameSource.nrFree, result.ok ? free - n : free);
  });
}

Deno.test("gntdevIoctlMapGrantRef() makes no hypercall and takes bad references", () => {
  const b = bench();
  const mark = b.w.trace.mark();
  assertEquals(b.ioctl(2, 3000), { ok: true, value: 0 });
  assertEquals(b.w.trace.since(mark).hypercall, undefined);
});

// Indices in pages. A gap of exactly the size is passed over.
const INDICES: readonly { given: string; take: number[]; drop: number[]; n: number; index: number }[] = [
  { given: "control: first map", take: [], drop: [], n: 4, index: 0 },
  { given: "behind the last", take: [4, 2], drop: [], n: 1, index: 6 },
  { given: "gap of 5 takes 4", take: [2, 5, 3], drop: [1], n: 4, index: 2 },
  { given: "gap of 5 refuses 5", take: [2, 5, 3], drop: [1], n: 5, index: 10 },
  { given: "gap of 1 refuses 1", take: [2, 1, 3], drop: [1], n: 1, index: 6 },
  { given: "gap of 3 at the start takes 2", take: [3, 2], drop: [0], n: 2, index: 0 },
  { given: "gap of 3 at the start refuses 3", take: [3, 2], drop: [0], n: 3, index: 5 },
  { given: "the first of two gaps that fit", take: [4, 1, 4, 1], drop: [0, 2], n: 3, index: 0 },
  { given: "the second gap where the first is too small", take: [2, 1, 4, 1], drop: [0, 2], n: 3, index: 3 },
];

for (const { given, take, drop, n, index } of INDICES) {
  Deno.test(`GntdevPriv.add() finds an index: ${given}`, () => {
    const b = bench();
    const offsets = take.map((count) => value(b.ioctl(count)));
    for (const i of drop) {
      assertEquals(gntdevIoctlUnmapGrantRef(b.dev.priv, offsets[i]!, take[i]!), { ok: true, value: 0 });
    }
    assertEquals(b.ioctl(n), { ok: true, value: index * PAGE });
  });
}

// --- UNMAP_GRANT_REF -------------------------------------------------------------------------------------------

for (
  const [given, offset, count, answer] of [
    ["control: exact", 2 * PAGE, 3, { ok: true, value: 0 }],
    ["shorter", 2 * PAGE, 2, err("ENOENT")],
    ["longer", 2 * PAGE, 4, err("ENOENT")],
    ["from its second page", 3 * PAGE, 2, err("ENOENT")],
    ["offset inside a page", 2 * PAGE + 1, 3, err("ENOENT")],
    ["two maps at once", 0, 5, err("ENOENT")],
  ] as const
) {
  Deno.test(`gntdevIoctlUnmapGrantRef() wants offset and count of one map: ${given}`, () => {
    const b = bench();
    b.ioctl(2);
    b.ioctl(3);
    assertEquals(gntdevIoctlUnmapGrantRef(b.dev.priv, offset, count) as unknown, answer);
  });
}

Deno.test("gntdevIoctlUnmapGrantRef() leaves a live mapping alone and its index free", () => {
  const b = bench();
  const start = value(b.mmap(4, value(b.ioctl(4))));
  assertEquals(gntdevIoctlUnmapGrantRef(b.dev.priv, 0, 4), { ok: true, value: 0 });
  assertEquals(gntdevIoctlUnmapGrantRef(b.dev.priv, 0, 4), err("ENOENT") as SysResult<0>);
  assertEquals([b.flags(4), b.p.read(start).ok], [[0x19, 0x19, 0x19, 0x19], true]);
  assertEquals(b.ioctl(2, 12), { ok: true, value: 0 });
  b.p.munmap(start, 4 * PAGE);
  assertEquals(b.flags(4), [1, 1, 1, 1]);
  assertInOrder(b);
});

// --- GET_OFFSET_FOR_VADDR --------------------------------------------------------------------------------------

Deno.test("gntdevIoctlGetOffsetForVaddr() answers the whole map for every piece and for the hole below", () => {
  const b = bench();
  b.ioctl(2);
  const start = value(b.mmap(6, value(b.ioctl(6))));
  b.p.munmap(start + 2 * PAGE, PAGE);
  const whole = { ok: true, value: { offset: 2 * PAGE, count: 6 } };
  const at = (address: number) => gntdevIoctlGetOffsetForVaddr(b.p.mm, address) as unknown;
  assertEquals(at(start), whole, "lower piece");
  assertEquals(at(start + 5 * PAGE + 7), whole, "upper piece");
  assertEquals(at(start + 2 * PAGE), whole, "the hole between");
  assertEquals(at(start - PAGE), whole, "below");
  assertEquals(at(start + 6 * PAGE), err("EINVAL"), "above");
});

Deno.test("gntdevIoctlGetOffsetForVaddr() answers EINVAL for other memory", () => {
  const b = bench();
  const start = value(b.p.mmap({ length: PAGE, prot: RW, flags: MAP_PRIVATE | MAP_ANONYMOUS }));
  assertEquals(gntdevIoctlGetOffsetForVaddr(b.p.mm, start), { ok: false, errno: "EINVAL" });
});
