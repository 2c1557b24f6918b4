import {
  exitMmap,
  MAP_FIXED,
  MAP_SHARED,
  memfdCreate,
  mmap,
  mmuIntervalNotifierInsert,
  munmap,
  PROT_READ,
  TASK_SIZE_MAX,
  userAccess,
} from "../../../../lib/linux/mm/mod.ts";
import { assertEquals } from "@std/assert";
import { assertSound, at, bytes, drawn, machine, map } from "./support.ts";

Deno.test("munmap checks its arguments", () => {
  const table: [rule: string, address: number | bigint, length: number | bigint, expected: string][] = [
    ["control", at(2), bytes(1), "ok"],
    ["length is rounded up", at(2), 1, "ok"],
    ["nothing mapped", at(100), bytes(1), "ok"],
    ["up to the end of user space", at(0), TASK_SIZE_MAX - at(0), "ok"],
    ["unaligned address", at(2) + 1, bytes(1), "EINVAL"],
    ["length 0", at(2), 0, "EINVAL"],
    ["beyond user space", at(0), TASK_SIZE_MAX - at(0) + 1, "EINVAL"],
    ["address above user space", 0xffff_8000_0000_0000n, 4096, "EINVAL"],
    ["length wraps", at(2), 0xffff_ffff_ffff_ffffn, "EINVAL"],
  ];
  for (const [rule, address, length, expected] of table) {
    const { mm } = machine();
    map(mm, 0, 4);
    const result = munmap(mm, address, length);
    assertEquals(result.ok ? "ok" : result.errno, expected, rule);
  }
});

Deno.test("munmap leaves the pieces outside the range", () => {
  const table: [rule: string, page: number, pages: number, left: string][] = [
    ["head", 0, 2, "2-4 rw-p ..|6-8 r--p .."],
    ["tail and head over a gap", 3, 4, "0-3 rw-p ...|7-8 r--p ."],
    ["middle", 1, 2, "0-1 rw-p .|3-4 rw-p .|6-8 r--p .."],
    ["gap only", 4, 2, "0-4 rw-p ....|6-8 r--p .."],
    ["all", 0, 8, ""],
  ];
  for (const [rule, page, pages, left] of table) {
    const { mm } = machine();
    map(mm, 0, 4);
    map(mm, 6, 2, "r--");
    munmap(mm, at(page), bytes(pages));
    assertEquals(drawn(mm), left, rule);
  }
});

Deno.test("munmap of a hole needs room for one more VMA, of an end it does not", () => {
  const { mm } = machine();
  map(mm, 0, 8);
  mm.maxMapCount = 1;
  assertEquals(munmap(mm, at(3), bytes(1)), { ok: false, errno: "ENOMEM" });
  assertEquals(munmap(mm, at(7), bytes(1)), { ok: true, value: 0 });
  assertEquals(drawn(mm), "0-7 rw-p .......");
});

Deno.test("munmap tells notifiers before entries go, closes after the tree has changed", () => {
  const { linux, mm } = machine();
  const seen: string[] = [];
  map(mm, 0, 4);
  userAccess(mm, 0, at(1), "w", 1);
  const vma = mm.vmas.lookup(at(0))!;
  vma.ops = { name: "driver", close: (v) => void seen.push(`close ${v.nrPages} of ${mm.vmas.size}`) };
  mmuIntervalNotifierInsert(mm, {
    start: at(1),
    end: at(2),
    invalidate: (start, end, event) => {
      const free = linux.system.memMap.nrFree;
      seen.push(
        `${event} ${(start - at(0)) / 4096}-${(end - at(0)) / 4096} tree ${mm.vmas.size}`,
        `free ${free}`,
      );
    },
  });
  const free = linux.system.memMap.nrFree;
  munmap(mm, at(0), bytes(2));
  assertEquals(seen, ["MMU_NOTIFY_UNMAP 0-2 tree 1", `free ${free}`, "close 2 of 1"]);
  assertEquals(linux.system.memMap.nrFree, free + 1);
});

Deno.test("munmap flushes page by page up to 33 pages, and nothing where nothing was touched", () => {
  const table: [touched: number, invlpg: number, cr3: number][] = [[0, 0, 0], [1, 1, 0], [33, 33, 0], [
    34,
    0,
    1,
  ]];
  for (const [touched, invlpg, cr3] of table) {
    const { linux, mm } = machine();
    map(mm, 0, 64);
    map(mm, 64, 1, "r--");
    userAccess(mm, 0, at(64), "r"); // keeps the tables
    for (let page = 0; page < touched; page++) userAccess(mm, 0, at(page), "w", 1);
    const before = linux.trace.mark();
    munmap(mm, at(0), bytes(64));
    const counts = linux.trace.since(before);
    assertEquals([counts.invlpg ?? 0, counts.cr3_write ?? 0], [invlpg, cr3], `${touched} touched`);
  }
});

Deno.test("munmap leaves no stale translation", () => {
  const { mm } = machine();
  map(mm, 0, 2);
  userAccess(mm, 0, at(0), "w", 7);
  munmap(mm, at(0), bytes(1));
  const r = userAccess(mm, 0, at(0), "r");
  assertEquals(!r.ok && [r.signal, r.code, r.errorCode], ["SIGSEGV", 1, 4]);
});

Deno.test("exitMmap gives every page back", () => {
  const { linux, mm } = machine();
  const other = linux.process();
  const free = linux.system.memMap.nrFree;
  const file = memfdCreate(linux.system, "A", 4);
  file.pageCache!.fill(() => 1);
  for (const process of [mm, other]) {
    map(process, 0, 4);
    mmap(process, { address: at(8), length: bytes(4), prot: PROT_READ, flags: MAP_SHARED | MAP_FIXED, file });
    for (const page of [0, 1, 8, 11]) userAccess(process, 0, at(page), "r");
    userAccess(process, 0, at(2), "w", 9);
  }
  assertSound(linux, mm, other);
  exitMmap(other);
  assertSound(linux, mm);
  munmap(mm, at(0), bytes(16));
  file.pageCache!.drop();
  assertEquals(linux.system.memMap.nrFree, free + 1, "the top table of the process that ended");
});
