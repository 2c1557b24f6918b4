/**
 * O_DIRECT. The disk's byte at offset o is ((o >> 9) * 7 + 1) mod 256; grant i holds byte 0x10 + i.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { PAGE } from "../../../lib/core/geometry.ts";
import { directIo } from "../../../lib/drivers/direct_io.ts";
import { RamDisk } from "../../../lib/drivers/ram_disk.ts";
import type { Process } from "../../../lib/experiments/process.ts";
import { type Grants, type World, world } from "../../../lib/experiments/world.ts";
import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE } from "../../../lib/linux/mm/prot.ts";

interface Bench {
  readonly w: World;
  readonly p: Process;
  readonly grants: Grants;
  readonly start: number;
}

function bench(n = 4, options: { readonly?: boolean; kernel?: string } = {}): Bench {
  const w = world({ kernel: options.kernel ?? "linux6_1" });
  const p = w.process();
  const grants = w.guest.grant(n, { readonly: options.readonly === true });
  return { w, p, grants, start: p.mmapGrants(grants).start };
}

const REQUESTS: readonly {
  given: string;
  address?: number;
  length?: number;
  offset?: number;
  returned: string;
}[] = [
  { given: "control: one page", returned: "4096" },
  { given: "one sector", length: 512, returned: "512" },
  { given: "less than a sector", length: 511, returned: "-EINVAL" },
  { given: "address inside a page, sector aligned", address: 512, length: 1024, returned: "1024" },
  { given: "address not sector aligned", address: 256, returned: "-EINVAL" },
  { given: "disk offset not sector aligned", offset: 100, returned: "-EINVAL" },
  { given: "nothing", length: 0, returned: "0" },
  { given: "last sector of the disk", length: 512, offset: 2 ** 26 - 512, returned: "512" },
  { given: "one sector beyond the disk", length: 1024, offset: 2 ** 26 - 512, returned: "-EINVAL" },
  { given: "all four pages", length: 4 * PAGE, returned: "16384" },
  { given: "across page boundaries", address: PAGE - 512, length: PAGE + 1024, returned: "5120" },
  { given: "beyond the mapping: a short count", length: 5 * PAGE, returned: "16384" },
  { given: "address far below any mapping", address: -(2 ** 40), returned: "-EFAULT" },
];

for (const { given, address = 0, length = PAGE, offset = 0, returned } of REQUESTS) {
  Deno.test(`directIo() answers ${returned}: ${given}`, () => {
    const { p, start } = bench();
    const io = p.directRead(start + address, length, offset);
    assertEquals(io.returned, returned);
    assertEquals(io.pages.map(({ verdict }) => verdict).filter((verdict) => verdict !== "ok"), []);
  });
}

Deno.test("directIo() read writes the disk's bytes into the granted frames", () => {
  const { w, p, grants, start } = bench();
  assertEquals(p.directRead(start + PAGE - 512, 1024, 5 * 512).returned, "1024");
  const bytes = [[0, PAGE - 513], [0, PAGE - 512], [0, PAGE - 1], [1, 0], [1, 511], [1, 512]] as const;
  const expected = [0x10, 5 * 7 + 1, 5 * 7 + 1, 6 * 7 + 1, 6 * 7 + 1, 0x11];
  assertEquals(bytes.map(([i, offset]) => w.guest.read(grants, i, offset)), expected);
});

Deno.test("directIo() write brings the granted bytes to the disk", () => {
  const { w, p, start } = bench();
  assertEquals(p.directWrite(start + 2 * PAGE, 2 * PAGE, 8192).returned, "8192");
  const at = [8191, 8192, 12287, 12288, 16383, 16384];
  assertEquals(at.map((offset) => w.disk.read8(offset)), [106, 0x12, 0x12, 0x13, 0x13, 225]);
});

Deno.test("directIo() across a hole returns the short count and judges the page where it ended", () => {
  const { w, p, grants, start } = bench(8);
  p.munmap(start + 2 * PAGE, PAGE);
  const io = p.directRead(start, 8 * PAGE);
  assertEquals([io.returned, io.pages.map(({ verdict }) => verdict)], ["8192", ["ok", "ok", "ok"]]);
  assertEquals([2, 3].map((i) => w.guest.read(grants, i)), [0x12, 0x13], "nothing behind the hole");
  const behind = p.directRead(start + 2 * PAGE, 2 * PAGE);
  assertEquals([behind.returned, behind.pages.length], ["-EFAULT", 1]);
});

Deno.test("directIo() on a read-only mapping: EFAULT to read into, fine to write from", () => {
  const { w, p, start } = bench(2, { readonly: true });
  const read = p.directRead(start, 2 * PAGE);
  const write = p.directWrite(start, 2 * PAGE);
  assertEquals([read.returned, read.pages.map(({ verdict }) => verdict)], ["-EFAULT", ["ok"]]);
  assertEquals([write.returned, write.pages.map(({ verdict }) => verdict)], ["8192", ["ok", "ok"]]);
  assertEquals([w.disk.read8(0), w.disk.read8(4096)], [0x10, 0x11]);
});

for (const kernel of ["linux3_19", "seed2014", "vma_pages_v1", "linux4_0", "linux6_1"]) {
  Deno.test(`${kernel}: directIo() gives every reference back`, () => {
    const { w, p, start } = bench(4, { kernel });
    const { refcount } = w.kernel.system.memMap;
    const before = refcount.slice();
    assertEquals(p.directRead(start, 4 * PAGE).returned, "16384");
    p.munmap(start + 2 * PAGE, PAGE);
    const freed = refcount.slice();
    assertEquals(p.directRead(start, 4 * PAGE).returned, "8192");
    assertEquals(refcount, freed, "short");
    assertEquals(p.directRead(start + 2 * PAGE, PAGE).returned, "-EFAULT");
    assertEquals(refcount, freed, "none");
    // Pages of foreign mappings; munmap may have taken pages for tables of the kernel.
    assertEquals(freed.slice(0x400), before.slice(0x400));
  });
}

Deno.test("directIo() takes grants by the slow path and anonymous memory by the fast one", () => {
  const { w, p, start } = bench();
  const flags = MAP_PRIVATE | MAP_ANONYMOUS;
  const anon = p.mmap({ length: 2 * PAGE, prot: PROT_READ | PROT_WRITE, flags });
  if (!anon.ok) throw new Error(anon.errno);
  p.write(anon.value, 0x42);
  const io = (address: number) =>
    directIo(p.mm, w.disk, { direction: "write", address, length: PAGE, diskOffset: 0 });
  const paths = [start, anon.value, anon.value + PAGE].map((address) => {
    const result = io(address);
    return result.ok ? result.value.pages.map(({ path }) => path) : result.errno;
  });
  // The second anonymous page was never touched: the fast walk finds nothing there.
  assertEquals(paths, [["slow"], ["fast"], ["slow"]]);
  assertEquals(w.disk.read8(0), 0, "the page of zeros");
});

Deno.test("directIo() counts one page of DMA per page and one system call", () => {
  const { p, start } = bench();
  const { dma_page, syscall, gup_slow_page, mmap_lock, vma_find } = p.directRead(start, 4 * PAGE).events;
  assertEquals({ dma_page, syscall, gup_slow_page, mmap_lock, vma_find }, {
    dma_page: 4,
    syscall: 1,
    gup_slow_page: 4,
    mmap_lock: 1,
    vma_find: 1,
  });
});

Deno.test("RamDisk keeps what was written and fills the rest", () => {
  const disk = new RamDisk(4096, (sector) => sector + 1);
  assertEquals([disk.read8(0), disk.read8(511), disk.read8(512)], [1, 1, 2]);
  disk.write8(513, 0x1ff);
  assertEquals([disk.read8(512), disk.read8(513), disk.read8(514)], [2, 0xff, 2]);
  assertThrows(() => new RamDisk(511), RangeError, "Cannot make a disk of bytes 511");
});
