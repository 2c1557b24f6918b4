import { assertEquals } from "@std/assert";
import {
  brk,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  MCL_CURRENT,
  MCL_FUTURE,
  MCL_ONFAULT,
  mlockall,
  mmap,
  munlockall,
  pkeyAlloc,
  pkeyFree,
  pkeyMprotect,
  smaps,
  START_BRK,
  userAccess,
  wrpkru,
} from "../../../../lib/linux/mm/mod.ts";
import { assertSound, at, bytes, drawn, machine, map } from "./support.ts";

Deno.test("brk() moves the end of the heap, or leaves it", () => {
  const { linux, mm } = machine();
  const guard = 256 * 4096;
  const table: [rule: string, wanted: number, answer: number, vmas: number][] = [
    ["below the start", 0, START_BRK, 0],
    ["inside a page", START_BRK + 5, START_BRK + 5, 1],
    ["the same page", START_BRK + 4096, START_BRK + 4096, 1],
    ["grows the VMA", START_BRK + 5 * 4096, START_BRK + 5 * 4096, 1],
    ["shrinks", START_BRK + 4097, START_BRK + 4097, 1],
    ["all of it goes", START_BRK, START_BRK, 0],
    ["outside user space", 2 ** 47, START_BRK, 0],
  ];
  for (const [rule, wanted, answer, vmas] of table) {
    assertEquals([brk(mm, wanted), mm.vmas.size], [answer, vmas], rule);
  }
  brk(mm, START_BRK + 4096);
  assertEquals(smaps(mm)[0]!.vmFlags, "rd wr mr mw me ac sd");
  const wall = START_BRK + 2 ** 24;
  mmap(mm, { address: wall, length: 4096, prot: 0, flags: MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED });
  assertEquals(brk(mm, wall - 4096 + 1), START_BRK + 4096, "no page between heap and neighbour");
  assertEquals(brk(mm, wall - 4096), wall - 4096);
  brk(mm, START_BRK + 4096);
  mmap(mm, { address: wall, length: 4096, prot: 3, flags: MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | 0x100 });
  assertEquals(brk(mm, wall - guard), START_BRK + 4096, "the gap below a stack");
  assertEquals(brk(mm, wall - guard - 4096), wall - guard - 4096);
  assertSound(linux, mm);
});

Deno.test("brk() refuses at the limit of VMAs and without memory", () => {
  const { linux, mm } = machine();
  linux.system.failVmaAllocation = () => true;
  assertEquals(brk(mm, START_BRK + 4096), START_BRK);
  linux.system.failVmaAllocation = null;
  map(mm, 0, 1);
  mm.maxMapCount = 0;
  assertEquals(brk(mm, START_BRK + 4096), START_BRK);
  assertSound(linux, mm);
});

Deno.test("mlockall() locks what is there, what comes, or both", () => {
  const table: [flags: number, errno: string | null, there: string, comes: string][] = [
    [0, "EINVAL", "..", ".."],
    [8, "EINVAL", "..", ".."],
    [MCL_ONFAULT, "EINVAL", "..", ".."],
    [MCL_CURRENT, null, "AA", ".."],
    [MCL_FUTURE, null, "..", "AA"],
    [MCL_CURRENT | MCL_FUTURE, null, "AA", "AA"],
    [MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT, null, "..", ".."],
  ];
  for (const [flags, errno, there, comes] of table) {
    const { mm } = machine();
    map(mm, 0, 2);
    map(mm, 4, 1, "---");
    const result = mlockall(mm, flags);
    assertEquals(result.ok ? null : result.errno, errno);
    map(mm, 8, 2);
    assertEquals(drawn(mm), `0-2 rw-p ${there}|4-5 ---p .|8-10 rw-p ${comes}`, String(flags));
    munlockall(mm);
    map(mm, 12, 1);
    assertEquals(smaps(mm).some((row) => row.vmFlags.includes("lo")), false);
    assertEquals(smaps(mm).at(-1)!.pages, ".");
  }
});

Deno.test("pkey_alloc, pkey_mprotect and pkey_free hand out keys that deny", () => {
  const { mm } = machine();
  map(mm, 0, 2);
  userAccess(mm, 0, at(0), "w", 1);
  assertEquals(pkeyAlloc(mm, 1, 0), { ok: false, errno: "EINVAL" });
  assertEquals(pkeyAlloc(mm, 0, 4), { ok: false, errno: "EINVAL" });
  assertEquals(pkeyMprotect(mm, at(0), bytes(1), 3, 1), { ok: false, errno: "EINVAL" });
  assertEquals(pkeyAlloc(mm, 0, 2), { ok: true, value: 1 });
  assertEquals(pkeyMprotect(mm, at(0), bytes(1), 3, 1), { ok: true, value: 0 });
  assertEquals(mm.vmas.size, 2);
  assertEquals(userAccess(mm, 0, at(0), "r"), { ok: true, value: 1 });
  const denied = userAccess(mm, 0, at(0), "w", 2);
  assertEquals(!denied.ok && [denied.signal, denied.code, denied.errorCode], ["SIGSEGV", 4, 39]);
  wrpkru(mm, 0);
  assertEquals(userAccess(mm, 0, at(0), "w", 2), { ok: true, value: 2 });
  for (let key = 2; key < 16; key++) assertEquals(pkeyAlloc(mm, 0, 0), { ok: true, value: key });
  assertEquals(pkeyAlloc(mm, 0, 0), { ok: false, errno: "ENOSPC" });
  assertEquals(pkeyFree(mm, 3), { ok: true, value: 0 });
  assertEquals(pkeyFree(mm, 3), { ok: false, errno: "EINVAL" });
  assertEquals(pkeyAlloc(mm, 0, 0), { ok: true, value: 3 });
});
