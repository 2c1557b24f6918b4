/**
 * mmap of gntdev, and what happens to a mapping. Numbers as in gntdev_bench.ts.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { SysResult } from "../../../lib/core/errno.ts";
import { PAGE } from "../../../lib/core/geometry.ts";
import { gntdevIoctlGetOffsetForVaddr } from "../../../lib/drivers/gntdev/get_offset_for_vaddr.ts";
import { gntdevIoctlUnmapGrantRef } from "../../../lib/drivers/gntdev/unmap_grant_ref.ts";
import { fput } from "../../../lib/linux/mm/file.ts";
import { allocSlot, rawFlags } from "../../../lib/linux/mm/pgtable.ts";
import { vmFlagsLetters } from "../../../lib/linux/mm/proc.ts";
import { MAP_PRIVATE, PROT_EXEC, PROT_NONE, PROT_READ, PROT_WRITE } from "../../../lib/linux/mm/prot.ts";
import { describePin } from "../../../lib/xen/pin.ts";

import { assertInOrder, bench, err, RW, value } from "./gntdev_bench.ts";
// --- mmap ------------------------------------------------------------------------------------------------------

const MMAPS: readonly {
  given: string;
  map?: number;
  n?: number;
  page?: number;
  prot?: number;
  flags?: number;
  readonly?: boolean;
  first?: number;
  ok: boolean;
}[] = [
  { given: "control: shared, writable", ok: true },
  { given: "private, writable", flags: MAP_PRIVATE, ok: false },
  { given: "private, read-only", flags: MAP_PRIVATE, prot: PROT_READ, ok: true },
  { given: "shared, no rights", prot: PROT_NONE, ok: true },
  { given: "shared, only execute", prot: PROT_EXEC, ok: true },
  { given: "one page less", n: 3, ok: false },
  { given: "one page more", n: 5, ok: false },
  { given: "from the second page on", page: 1, n: 3, ok: false },
  { given: "nothing at this offset", page: 4, ok: false },
  { given: "read-only grant, writable", readonly: true, ok: false },
  { given: "read-only grant, read-only", readonly: true, prot: PROT_READ, ok: true },
  { given: "references that do not exist", first: 3000, ok: false },
  { given: "references that were never granted", first: 100, ok: false },
];

for (const { given, n = 4, page = 0, prot, flags, readonly, first, ok } of MMAPS) {
  Deno.test(`gntdevMmap() ${ok ? "maps" : "answers EINVAL"}: ${given}`, () => {
    const b = bench({ readonly: readonly === true });
    const offset = value(b.ioctl(4, first));
    const how = { ...(prot === undefined ? {} : { prot }), ...(flags === undefined ? {} : { flags }) };
    const result = b.mmap(n, offset + page * PAGE, how);
    const writable = ((prot ?? RW) & PROT_WRITE) !== 0;
    if (ok) assertEquals(result.ok, true);
    else assertEquals(result, err("EINVAL") as SysResult<number>);
    const entry = (readonly === true ? 5 : 1) | (ok ? (writable ? 0x18 : 0x08) : 0);
    assertEquals(b.flags(4), [entry, entry, entry, entry]);
    assertEquals(b.p.vmas.length, ok ? 1 : 0);
    assertInOrder(b);
  });
}

Deno.test("gntdevMmap() makes two handles and two pins a grant: device and user", () => {
  const b = bench();
  value(b.mmap(4, value(b.ioctl(4))));
  const pins = [8, 9, 10, 11, 12].map((ref) => describePin(b.w.guest.domain.grantTable.pin[ref]!));
  const two = { hstw: 2, hstr: 0, devw: 0, devr: 0 };
  assertEquals(pins, [two, two, two, two, { hstw: 0, hstr: 0, devw: 0, devr: 0 }]);
  assertEquals([b.w.dom0.maptrack.live, b.dev.priv.maps[0]!.liveGrants], [8, 8]);
  assertInOrder(b);
});

Deno.test("gntdevMmap() of a read-only mapping makes two reading pins", () => {
  const b = bench();
  value(b.mmap(1, value(b.ioctl(1)), { prot: PROT_READ }));
  const pin = describePin(b.w.guest.domain.grantTable.pin[8]!);
  assertEquals(pin, { hstw: 0, hstr: 2, devw: 0, devr: 0 });
});

for (
  const [name, prot, flags] of [
    ["rw", RW, 0x367 | 1 << 23],
    ["ro", PROT_READ, 0x365 | 1 << 23],
    ["none", PROT_NONE, 0x365 | 1 << 23],
  ] as const
) {
  Deno.test(`gntdevMmap() makes the entries that were recorded: ${name}`, () => {
    const b = bench();
    const start = value(b.mmap(1, value(b.ioctl(1)), { prot }));
    assertEquals(rawFlags(b.w.kernel.system, allocSlot(b.p.mm, start)), flags);
    // Readable at once, whatever the rights asked for.
    assertEquals(b.p.read(start), { ok: true, value: 0x10 });
  });
}

Deno.test("gntdevMmap() sets the flags that were recorded", () => {
  const b = bench();
  value(b.mmap(4, value(b.ioctl(4))));
  assertEquals(vmFlagsLetters(b.p.vmas[0]!), "rd wr sh mr mw me ms dc de dd sd mm");
});

Deno.test("gntdevMmap() maps a map once in its life", () => {
  const b = bench();
  const offset = value(b.ioctl(4));
  const start = value(b.mmap(4, offset));
  assertEquals(b.mmap(4, offset), err("EINVAL") as SysResult<number>, "while mapped");
  b.p.munmap(start, 4 * PAGE);
  assertEquals(b.mmap(4, offset), err("EINVAL") as SysResult<number>, "after munmap");
  assertEquals(b.flags(4), [1, 1, 1, 1]);
  assertInOrder(b);
});

Deno.test("gntdevMmap() with one bad reference of four unmaps the others", () => {
  const b = bench({ n: 3 });
  const offset = value(b.ioctl(4));
  const free = b.w.kernel.frameSource.nrFree;
  assertEquals(b.mmap(4, offset), err("EINVAL") as SysResult<number>);
  assertEquals(b.flags(3), [1, 1, 1]);
  assertEquals([b.w.dom0.maptrack.live, b.p.vmas.length, b.p.mm.nrTables], [0, 0, 0]);
  assertEquals(b.mmap(4, offset), err("EINVAL") as SysResult<number>, "a failed map stays failed");
  assertEquals(gntdevIoctlUnmapGrantRef(b.dev.priv, offset, 4), { ok: true, value: 0 });
  assertEquals(b.w.kernel.frameSource.nrFree, free + 4);
  assertInOrder(b);
});

Deno.test("gntdevMmap() read-only after a failed writable one of a read-only grant is EINVAL", () => {
  const b = bench({ readonly: true });
  const offset = value(b.ioctl(2));
  assertEquals(b.mmap(2, offset), err("EINVAL") as SysResult<number>);
  assertEquals(b.mmap(2, offset, { prot: PROT_READ }), err("EINVAL") as SysResult<number>);
});

Deno.test("gntdevMmap() can be made by another process from the inherited file, once", () => {
  const b = bench();
  const offset = value(b.ioctl(2));
  const child = b.w.process("child");
  assertEquals(b.mmap(2, offset, { by: child }).ok, true);
  assertEquals(b.mmap(2, offset), err("EINVAL") as SysResult<number>);
});

// --- what happens to a mapping ---------------------------------------------------------------------------------

const PIECES: readonly { given: string; from: number; pages: number; flags: number[]; vmas: number }[] = [
  { given: "head", from: 0, pages: 2, flags: [1, 1, 0x19, 0x19, 0x19, 0x19], vmas: 1 },
  { given: "middle", from: 2, pages: 2, flags: [0x19, 0x19, 1, 1, 0x19, 0x19], vmas: 2 },
  { given: "tail", from: 4, pages: 2, flags: [0x19, 0x19, 0x19, 0x19, 1, 1], vmas: 1 },
  { given: "all", from: 0, pages: 6, flags: [1, 1, 1, 1, 1, 1], vmas: 0 },
];

for (const { given, from, pages, flags, vmas } of PIECES) {
  Deno.test(`munmap frees exactly the grants of the range: ${given}`, () => {
    const b = bench();
    const start = value(b.mmap(6, value(b.ioctl(6))));
    assertEquals(b.p.munmap(start + from * PAGE, pages * PAGE), { ok: true, value: 0 });
    assertEquals([b.flags(6), b.p.vmas.length], [flags, vmas]);
    flags.forEach((flag, i) => {
      const access = b.p.read(start + i * PAGE);
      assertEquals(access.ok ? access.value : access.signal, flag === 1 ? "SIGSEGV" : 0x10 + i);
    });
    assertInOrder(b);
  });

  Deno.test(`mprotect removes exactly the grants of the range: ${given}`, () => {
    const b = bench();
    const start = value(b.mmap(6, value(b.ioctl(6))));
    assertEquals(b.p.mprotect(start + from * PAGE, pages * PAGE, PROT_READ), { ok: true, value: 0 });
    // The old rights do not bring them back.
    assertEquals(b.p.mprotect(start + from * PAGE, pages * PAGE, RW), { ok: true, value: 0 });
    assertEquals(b.flags(6), flags);
    flags.forEach((flag, i) => {
      const access = b.p.read(start + i * PAGE);
      assertEquals(
        access.ok ? access.value : [access.signal, access.code],
        flag === 1 ? ["SIGBUS", 2] : 0x10 + i,
      );
    });
    assertInOrder(b);
  });
}

Deno.test("mprotect with the rights there are keeps the grants", () => {
  const b = bench();
  const start = value(b.mmap(4, value(b.ioctl(4))));
  assertEquals(b.p.mprotect(start, 4 * PAGE, RW), { ok: true, value: 0 });
  assertEquals([b.flags(4), b.p.vmas.length], [[0x19, 0x19, 0x19, 0x19], 1]);
});

Deno.test("users of a map: its list, its VMAs, its unmaps in flight", () => {
  const b = bench();
  const start = value(b.mmap(6, value(b.ioctl(6))));
  const map = b.dev.priv.maps[0]!;
  const { memMap } = b.w.kernel.system;
  assertEquals(map.users, 2, "list and one VMA");
  b.p.munmap(start + 2 * PAGE, PAGE);
  assertEquals(map.users, 3, "list and two VMAs");
  gntdevIoctlUnmapGrantRef(b.dev.priv, 0, 6);
  assertEquals(map.users, 2, "two VMAs");
  memMap.getPage(map.pages[0]!);
  b.p.mprotect(start, PAGE, PROT_READ);
  assertEquals(map.users, 4, "three VMAs and an unmap in flight");
  memMap.putPage(map.pages[0]!);
  b.w.advance(5);
  assertEquals([map.users, map.liveGrants], [3, 8]);
  const free = b.w.kernel.frameSource.nrFree;
  b.p.munmap(start, 6 * PAGE);
  assertEquals([map.users, map.liveGrants, b.w.kernel.frameSource.nrFree], [0, 0, free + 6]);
  assertEquals(b.p.mm.notifiers.length, 0);
});

Deno.test("closing the file before munmap keeps the mapping, and the last munmap frees all", () => {
  const b = bench();
  const free = b.w.kernel.frameSource.nrFree;
  const start = value(b.mmap(4, value(b.ioctl(4))));
  b.ioctl(2, 12);
  fput(b.dev.file);
  assertEquals([b.flags(4), b.p.read(start).ok], [[0x19, 0x19, 0x19, 0x19], true]);
  assertEquals(gntdevIoctlGetOffsetForVaddr(b.p.mm, start).ok, true);
  b.p.munmap(start, 2 * PAGE);
  assertEquals([b.flags(4), b.dev.file.count], [[1, 1, 0x19, 0x19], 1]);
  b.p.munmap(start + 2 * PAGE, 2 * PAGE);
  assertEquals([b.flags(4), b.dev.file.count, b.w.kernel.frameSource.nrFree], [[1, 1, 1, 1], 0, free]);
  assertInOrder(b);
});

Deno.test("a file that is closed without mappings gives its pages back", () => {
  const b = bench();
  const free = b.w.kernel.frameSource.nrFree;
  b.ioctl(4);
  b.ioctl(3);
  fput(b.dev.file);
  assertEquals(b.w.kernel.frameSource.nrFree, free);
});

Deno.test("pieces of a grant mapping never merge again", () => {
  const b = bench();
  const start = value(b.mmap(6, value(b.ioctl(6))));
  b.p.mprotect(start + 2 * PAGE, 2 * PAGE, PROT_READ);
  b.p.mprotect(start + 2 * PAGE, 2 * PAGE, RW);
  assertEquals(b.p.vmas.map((vma) => vma.nrPages), [2, 2, 2]);
});
