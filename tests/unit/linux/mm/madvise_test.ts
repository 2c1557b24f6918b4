import { assertEquals } from "@std/assert";
import {
  dupMm,
  fput,
  MADV,
  madvise,
  type MadviseName,
  MAP_FIXED,
  MAP_SHARED,
  memfdCreate,
  mincore,
  mlock,
  mmap,
  MS_SYNC,
  msync,
  smaps,
  userAccess,
} from "../../../../lib/linux/mm/mod.ts";
import { assertSound, at, bytes, drawn, machine, map, prot } from "./support.ts";

function memory(linux: ReturnType<typeof machine>["linux"]) {
  const file = memfdCreate(linux.system, "A", 8);
  file.pageCache!.fill((page) => 97 + page);
  return file;
}

Deno.test("madvise answers every advice on memory that takes it or not", () => {
  type Row = [advice: MadviseName, plain: string, locked: string, shared: string, readonlyShared: string];
  const table: Row[] = [
    ["NORMAL", "0", "0", "0", "0"],
    ["WILLNEED", "0", "0", "0", "0"],
    ["DONTNEED", "0", "EINVAL", "0", "0"],
    ["DONTNEED_LOCKED", "0", "0", "0", "0"],
    ["FREE", "0", "EINVAL", "EINVAL", "EINVAL"],
    ["COLD", "0", "EINVAL", "0", "0"],
    ["PAGEOUT", "0", "EINVAL", "0", "0"],
    ["REMOVE", "EINVAL", "EINVAL", "0", "EACCES"],
    ["WIPEONFORK", "0", "0", "EINVAL", "EINVAL"],
    ["MERGEABLE", "0", "0", "0", "0"],
    ["UNMERGEABLE", "0", "0", "0", "0"],
    ["COLLAPSE", "EINVAL", "EINVAL", "EINVAL", "EINVAL"],
    ["POPULATE_READ", "0", "0", "0", "0"],
    ["POPULATE_WRITE", "0", "0", "0", "EINVAL"],
    ["HWPOISON", "EPERM", "EPERM", "EPERM", "EPERM"],
    ["SOFT_OFFLINE", "EPERM", "EPERM", "EPERM", "EPERM"],
  ];
  for (const [advice, ...expected] of table) {
    const { linux, mm } = machine();
    const file = memory(linux);
    map(mm, 0, 2);
    map(mm, 10, 2);
    mlock(mm, at(10), bytes(2));
    for (const [page, rights] of [[20, "rw-"], [30, "r--"]] as const) {
      mmap(mm, {
        address: at(page),
        length: bytes(2),
        prot: prot(rights),
        flags: MAP_SHARED | MAP_FIXED,
        file,
      });
    }
    const got = [0, 10, 20, 30].map((page) => {
      const result = madvise(mm, at(page), bytes(2), MADV[advice]);
      return result.ok ? "0" : result.errno;
    });
    assertEquals<string[]>(got, expected, advice);
    assertSound(linux, mm);
  }
});

Deno.test("madvise drops and keeps pages without swap as reclaim does", () => {
  type Row = [advice: MadviseName, anonymous: string, memoryFile: string];
  const table: Row[] = [
    ["COLD", "AA", "FF"],
    ["PAGEOUT", "AA", ".."],
    ["DONTNEED", "..", ".."],
    ["REMOVE", "AA", ".."],
  ];
  for (const [advice, anonymous, memoryFile] of table) {
    const { linux, mm } = machine();
    const file = memory(linux);
    map(mm, 0, 2);
    mmap(mm, { address: at(8), length: bytes(2), prot: prot("rw-"), flags: MAP_SHARED | MAP_FIXED, file });
    for (const page of [0, 1, 8, 9]) userAccess(mm, 0, at(page), "w", 1);
    for (const page of [0, 8]) madvise(mm, at(page), bytes(2), MADV[advice]);
    assertEquals(smaps(mm).map((row) => row.pages), [anonymous, memoryFile], advice);
    assertSound(linux, mm);
  }
});

Deno.test("madvise PAGEOUT takes what FREE gave up, unless it was written again", () => {
  const { linux, mm } = machine();
  map(mm, 0, 3);
  for (const page of [0, 1, 2]) userAccess(mm, 0, at(page), "w", 7);
  madvise(mm, at(0), bytes(2), MADV.FREE);
  assertEquals(drawn(mm), "0-3 rw-p AAA");
  userAccess(mm, 0, at(1), "w", 8);
  madvise(mm, at(0), bytes(3), MADV.PAGEOUT);
  assertEquals(drawn(mm), "0-3 rw-p .AA");
  assertEquals(userAccess(mm, 0, at(0), "r"), { ok: true, value: 0 });
  assertEquals(userAccess(mm, 0, at(1), "r"), { ok: true, value: 8 });
  assertSound(linux, mm);
});

Deno.test("madvise PAGEOUT leaves pages that somebody else maps", () => {
  const { linux, mm } = machine();
  const file = memory(linux);
  const shared = { length: bytes(2), prot: prot("rw-"), flags: MAP_SHARED | MAP_FIXED, file };
  mmap(mm, { address: at(0), ...shared });
  mmap(mm, { address: at(8), ...shared });
  for (const page of [0, 1, 8]) userAccess(mm, 0, at(page), "w", 1);
  madvise(mm, at(0), bytes(2), MADV.PAGEOUT);
  assertEquals(drawn(mm), "0-2 rw-s f.|8-10 rw-s f.");
});

Deno.test("madvise REMOVE punches the hole for everybody but private copies", () => {
  const { linux, mm } = machine();
  const other = linux.process();
  const file = memory(linux);
  const wish = { length: bytes(4), prot: prot("rw-"), file };
  mmap(mm, { address: at(0), ...wish, flags: MAP_SHARED | MAP_FIXED });
  mmap(other, { address: at(0), ...wish, flags: 2 | MAP_FIXED });
  for (const page of [0, 1, 2, 3]) userAccess(mm, 0, at(page), "r");
  userAccess(other, 0, at(1), "w", 9);
  userAccess(other, 0, at(2), "r");
  assertEquals(madvise(mm, at(1), bytes(2), MADV.REMOVE), { ok: true, value: 0 });
  assertEquals(drawn(mm), "0-4 rw-s f..f");
  assertEquals(smaps(other)[0]!.pages, "fA.f");
  assertEquals(mincore(mm, at(0), bytes(4)), { ok: true, value: [1, 0, 0, 1] });
  assertEquals(userAccess(mm, 0, at(1), "r"), { ok: true, value: 0 });
  assertEquals(userAccess(other, 0, at(1), "r"), { ok: true, value: 9 });
  assertSound(linux, mm, other);
  fput(file);
});

Deno.test("madvise COLLAPSE wants written anonymous memory with room for a huge page", () => {
  const { mm } = machine();
  const MIB2 = 2 ** 21;
  const start = 0x1000_0000_0000;
  const table: [rule: string, length: number, write: boolean, advice: MadviseName | null, errno: string][] = [
    ["control: no huge page is free", MIB2, true, null, "ENOMEM"],
    ["one page short", MIB2 - 4096, true, null, "EINVAL"],
    ["never written", MIB2, false, null, "EINVAL"],
    ["refused by advice", MIB2, true, "NOHUGEPAGE", "EINVAL"],
  ];
  for (const [rule, length, write, advice, errno] of table) {
    mmap(mm, { address: start, length, prot: prot("rw-"), flags: 0x32 });
    if (write) userAccess(mm, 0, start, "w", 1);
    if (advice !== null) madvise(mm, start, length, MADV[advice]);
    assertEquals(madvise(mm, start, length, MADV.COLLAPSE), { ok: false, errno: errno as "EINVAL" }, rule);
    mmap(mm, { address: start, length: MIB2, prot: 0, flags: 0x32 });
  }
  mmap(mm, { address: start, length: 2 * MIB2, prot: prot("rw-"), flags: 0x32 });
  userAccess(mm, 0, start, "w", 1);
  assertEquals(
    madvise(mm, start + 4096, MIB2, MADV.COLLAPSE),
    { ok: true, value: 0 },
    "no aligned huge page",
  );
});

Deno.test("msync refuses MS_SYNC of a shared file that cannot be synchronized", () => {
  const { linux, mm } = machine();
  const table: [what: string, flags: number, errno: string | null][] = [
    ["shared", MAP_SHARED, "EINVAL"],
    ["private", 2, null],
  ];
  for (const [what, flags, errno] of table) {
    const file = memory(linux);
    Object.defineProperty(file, "ops", { value: { name: "driver", mmap: file.ops.mmap } });
    mmap(mm, { address: at(0), length: bytes(1), prot: prot("r--"), flags: flags | MAP_FIXED, file });
    const got = msync(mm, at(0), bytes(1), MS_SYNC);
    assertEquals(got.ok ? null : got.errno, errno, what);
  }
});

Deno.test("WIPEONFORK and DONTFORK decide what a child has", () => {
  const { linux, mm } = machine();
  map(mm, 0, 3);
  for (const page of [0, 1, 2]) userAccess(mm, 0, at(page), "w", 5);
  madvise(mm, at(1), bytes(1), MADV.WIPEONFORK);
  madvise(mm, at(2), bytes(1), MADV.DONTFORK);
  const child = dupMm(mm);
  if (!child.ok) throw new Error();
  assertEquals(drawn(child.value), "0-1 rw-p a|1-2 rw-p .");
  assertSound(linux, mm, child.value);
});
