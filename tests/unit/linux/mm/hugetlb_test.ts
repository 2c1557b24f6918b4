import { assertEquals } from "@std/assert";
import {
  exitMmap,
  FOLL_GET,
  forkMm,
  getUserPagesFast,
  MADV,
  madvise,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_HUGETLB,
  MAP_NORESERVE,
  MAP_PRIVATE,
  MAP_SHARED,
  mmap,
  mprotect,
  mremap,
  munmap,
  nativeLinux,
  releaseUserPages,
  smaps,
  userAccess,
} from "../../../../lib/linux/mm/mod.ts";
import { assertSound } from "./support.ts";

const MIB2 = 2 ** 21;
const BASE = 0x1300_0000_0000;
const HUGE = MAP_ANONYMOUS | MAP_HUGETLB | MAP_FIXED;

function machine(hugePages = 2) {
  const linux = nativeLinux({ frames: 8192, hugePages });
  return { linux, mm: linux.process(), pool: linux.system.hugetlb! };
}

function huge(mm: ReturnType<typeof machine>["mm"], length: number, flags = MAP_PRIVATE, address = BASE) {
  const result = mmap(mm, { address, length, prot: 3, flags: HUGE | flags });
  return result.ok ? "0" : result.errno;
}

Deno.test("mmap promises huge pages and takes them at the first touch", () => {
  const { linux, mm, pool } = machine();
  assertEquals([huge(mm, 3 * MIB2), huge(mm, MIB2, MAP_PRIVATE, BASE + 4096)], ["ENOMEM", "EINVAL"]);
  assertEquals([huge(mm, 5000), pool.nrFree, pool.reserved], ["0", 2, 1]);
  assertEquals(smaps(mm)[0]!.vmFlags, "rd wr mr mw me de ht sd");
  assertEquals(userAccess(mm, 0, BASE + MIB2 - 1, "w", 5), { ok: true, value: 5 });
  assertEquals([pool.nrFree, pool.reserved, mm.nrTables], [1, 0, 2]);
  assertEquals([smaps(mm)[0]!.rss, smaps(mm)[0]!.pages.slice(0, 3)], [0, "AAA"]);
  assertSound(linux, mm);
  exitMmap(mm);
  assertEquals([pool.nrFree, pool.reserved], [2, 0]);
});

Deno.test("a huge page that nobody promised is SIGBUS when the pool is empty", () => {
  const { mm, pool } = machine(1);
  assertEquals(huge(mm, 2 * MIB2, MAP_PRIVATE | MAP_NORESERVE), "0");
  assertEquals([pool.reserved, userAccess(mm, 0, BASE, "w", 1).ok], [0, true]);
  const second = userAccess(mm, 0, BASE + MIB2, "r");
  assertEquals(!second.ok && second.signal, "SIGBUS");
});

Deno.test("huge mappings are cut between huge pages only", () => {
  const { linux, mm } = machine();
  huge(mm, 2 * MIB2);
  for (const at of [BASE, BASE + MIB2]) userAccess(mm, 0, at, "w", 1);
  assertEquals(munmap(mm, BASE + 4096, 4096), { ok: false, errno: "EINVAL" });
  assertEquals(mprotect(mm, BASE, 4096, 1), { ok: false, errno: "EINVAL" });
  assertEquals(mprotect(mm, BASE, MIB2, 1), { ok: true, value: 0 });
  assertEquals(userAccess(mm, 0, BASE, "w", 1).ok, false);
  assertEquals(munmap(mm, BASE + MIB2, MIB2), { ok: true, value: 0 });
  assertEquals(linux.system.hugetlb!.nrFree, 1);
  assertSound(linux, mm);
});

Deno.test("mremap moves huge pages and does not grow them", () => {
  const { linux, mm } = machine();
  huge(mm, MIB2);
  userAccess(mm, 0, BASE + 7, "w", 9);
  const to = BASE + 8 * MIB2;
  const grow = { address: BASE, oldLength: MIB2, newLength: 2 * MIB2, flags: 1 };
  assertEquals(mremap(mm, grow), { ok: false, errno: "EINVAL" });
  const move = { address: BASE, oldLength: 1, newLength: 1, flags: 3 };
  assertEquals(mremap(mm, { ...move, newAddress: to + 4096 }), { ok: false, errno: "EINVAL" });
  assertEquals(mremap(mm, { ...move, newAddress: to }), { ok: true, value: to });
  assertEquals(userAccess(mm, 0, to + 7, "r"), { ok: true, value: 9 });
  assertSound(linux, mm);
});

Deno.test("a forked child copies huge pages, or gets SIGBUS without one", () => {
  const { linux, mm } = machine();
  huge(mm, MIB2);
  userAccess(mm, 0, BASE, "w", 1);
  const [one, two] = [forkMm(mm), forkMm(mm)];
  assertEquals(userAccess(one, 0, BASE, "w", 2), { ok: true, value: 2 });
  assertEquals(userAccess(two, 0, BASE, "r"), { ok: true, value: 1 });
  const third = userAccess(two, 0, BASE, "w", 3);
  assertEquals(!third.ok && third.signal, "SIGBUS");
  assertSound(linux, mm, one, two);
});

Deno.test("shared huge memory is one for parent and child", () => {
  const { linux, mm } = machine();
  huge(mm, MIB2, MAP_SHARED);
  const child = forkMm(mm);
  userAccess(child, 0, BASE, "w", 4);
  assertEquals(userAccess(mm, 0, BASE, "r"), { ok: true, value: 4 });
  assertSound(linux, mm, child);
  for (const each of [mm, child]) exitMmap(each);
  assertEquals(linux.system.hugetlb!.nrFree, 2);
});

Deno.test("DONTNEED of a part of a huge page keeps it", () => {
  const { mm } = machine();
  huge(mm, MIB2);
  userAccess(mm, 0, BASE, "w", 1);
  assertEquals(madvise(mm, BASE + 4096, 4096, MADV.DONTNEED), { ok: false, errno: "EINVAL" });
  assertEquals(madvise(mm, BASE, 4096, MADV.DONTNEED), { ok: true, value: 0 });
  assertEquals(smaps(mm)[0]!.pages[0], "A");
  assertEquals(madvise(mm, BASE, MIB2, MADV.DONTNEED), { ok: true, value: 0 });
  assertEquals(smaps(mm)[0]!.pages[0], ".");
});

Deno.test("a reference on one small page of it keeps the huge page", () => {
  const { linux, mm, pool } = machine();
  huge(mm, MIB2);
  userAccess(mm, 0, BASE, "w", 1);
  const got = getUserPagesFast(mm, BASE + 5 * 4096, 2, FOLL_GET);
  if (!got.ok) throw new Error(got.errno);
  const head = linux.system.memMap.compoundHead(got.value.pages[0]!);
  assertEquals(got.value.pages, [head + 5, head + 6]);
  assertEquals([got.value.nrFast, linux.system.memMap.refcount[head]], [2, 3]);
  exitMmap(mm);
  assertEquals(pool.nrFree, 1);
  releaseUserPages(mm, got.value.pages, FOLL_GET);
  assertEquals(pool.nrFree, 2);
});
