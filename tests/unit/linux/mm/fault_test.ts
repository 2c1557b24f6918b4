import {
  handleMmFault,
  MAP_FIXED,
  MAP_GROWSDOWN,
  MAP_PRIVATE,
  MAP_SHARED,
  memfdCreate,
  mmap,
  type MmStruct,
  mprotect,
  type NativeLinux,
  nativeLinux,
  userAccess,
} from "../../../../lib/linux/mm/mod.ts";
import { assertEquals } from "@std/assert";
import { assertSound, at, bytes, drawn, machine, map, prot } from "./support.ts";

function mapFile(
  linux: NativeLinux,
  mm: MmStruct,
  size: number,
  page: number,
  pages: number,
  flags: number,
): void {
  const file = memfdCreate(linux.system, "A", size);
  file.pageCache!.fill((pgoff) => 97 + pgoff);
  mmap(mm, { address: at(page), length: bytes(pages), prot: prot("rw-"), flags: flags | MAP_FIXED, file });
}

Deno.test("userAccess reads the page of zeros, then writes to a page of its own", () => {
  const { linux, mm } = machine();
  map(mm, 0, 2);
  const free = linux.system.memMap.nrFree;
  assertEquals(userAccess(mm, 0, at(0), "r"), { ok: true, value: 0 });
  assertEquals(drawn(mm), "0-2 rw-p z.");
  assertEquals(userAccess(mm, 0, at(0) + 5, "w", 7), { ok: true, value: 7 });
  assertEquals(userAccess(mm, 0, at(0) + 5, "r"), { ok: true, value: 7 });
  assertEquals(drawn(mm), "0-2 rw-p A.");
  assertEquals(linux.system.memMap.nrFree, free - 4, "three tables and the page");
  assertSound(linux, mm);
});

Deno.test("userAccess copies a private file page on write and leaves the file alone", () => {
  const { linux, mm } = machine();
  mapFile(linux, mm, 8, 0, 4, MAP_PRIVATE);
  assertEquals(userAccess(mm, 0, at(1), "r"), { ok: true, value: 98 });
  assertEquals(drawn(mm), "0-4 rw-p FFFF", "fault-around stops at the VMA");
  userAccess(mm, 0, at(1), "w", 1);
  assertEquals(drawn(mm), "0-4 rw-p FAFF");
  assertEquals(mm.vmas.lookup(at(0))!.file!.pageCache!.read8(1, 0), 98);
  assertSound(linux, mm);
});

Deno.test("fault-around maps 16 pages from the aligned block or the start of the VMA", () => {
  const table: [vma: [number, number], touched: number, mapped: [number, number]][] = [
    [[0, 40], 20, [16, 32]],
    [[0, 40], 15, [0, 16]],
    [[0, 40], 39, [32, 40]],
    [[5, 40], 12, [5, 21]],
    [[5, 40], 16, [16, 32]],
    [[505, 530], 506, [505, 512]],
  ];
  for (const [[start, end], touched, [from, to]] of table) {
    const { linux, mm } = machine();
    mapFile(linux, mm, 64, start, end - start, MAP_SHARED);
    userAccess(mm, 0, at(touched), "r");
    const expected = ".".repeat(from - start) + "F".repeat(to - from) + ".".repeat(end - to);
    assertEquals(drawn(mm), `${start}-${end} rw-s ${expected}`, `page ${touched}`);
  }
});

Deno.test("a shared write reaches the file and maps one page", () => {
  const { linux, mm } = machine();
  mapFile(linux, mm, 8, 0, 8, MAP_SHARED);
  userAccess(mm, 0, at(2) + 1, "w", 1);
  assertEquals(drawn(mm), "0-8 rw-s ..F.....");
  assertEquals(mm.vmas.lookup(at(0))!.file!.pageCache!.read8(2, 1), 1);
});

Deno.test("userAccess beyond the end of the file is SIGBUS, below it is not", () => {
  const { linux, mm } = machine();
  mapFile(linux, mm, 2, 0, 4, MAP_SHARED);
  assertEquals(userAccess(mm, 0, at(1), "r").ok, true);
  const r = userAccess(mm, 0, at(2), "w");
  assertEquals(r, { ok: false, signal: "SIGBUS", code: 2, trap: 14, errorCode: 6, address: at(2) });
});

Deno.test("userAccess at addresses that are nobody's", () => {
  const { mm } = machine();
  const table: [address: bigint, code: number, trap: number, errorCode: number][] = [
    [0n, 1, 14, 4],
    [0x7fff_ffff_efffn, 1, 14, 4],
    [0x7fff_ffff_f000n, 1, 14, 5],
    [0x7fff_ffff_ffffn, 1, 14, 5],
    [0x8000_0000_0000n, 128, 13, 0],
    [0xffff_7fff_ffff_ffffn, 128, 13, 0],
    [0xffff_8000_0000_0000n, 1, 14, 5],
  ];
  for (const [address, code, trap, errorCode] of table) {
    const r = userAccess(mm, 0, address, "r");
    assertEquals(!r.ok && [r.code, r.trap, r.errorCode], [code, trap, errorCode], address.toString(16));
  }
});

Deno.test("a VMA grows down to a touch, but not into the guard gap or beyond RLIMIT_STACK", () => {
  const table: [rule: string, below: string | null, touched: number, expected: string][] = [
    ["next page", null, 999, "999-1002"],
    ["far", null, 500, "500-1002"],
    ["an accessible mapping 256 pages below", "rw-", 258, "258-1002"],
    ["255 pages below", "rw-", 257, "SIGSEGV 1"],
    ["one without rights does not count", "---", 257, "257-1002"],
  ];
  for (const [rule, below, touched, expected] of table) {
    const { mm } = machine();
    if (below !== null) map(mm, 0, 2, below);
    map(mm, 1000, 2, "rw-", MAP_GROWSDOWN);
    const r = userAccess(mm, 0, at(touched), "r");
    const grown = mm.vmas.lookup(at(1000))!;
    const page = (a: number) => (a - at(0)) / 4096;
    assertEquals(r.ok ? `${page(grown.start)}-${page(grown.end)}` : `${r.signal} ${r.code}`, expected, rule);
  }
  const { mm } = machine();
  map(mm, 4000, 1, "rw-", MAP_GROWSDOWN);
  assertEquals(userAccess(mm, 0, at(4001 - 2049), "w").ok, false, "2048 pages are 8 MiB");
  assertEquals(userAccess(mm, 0, at(4001 - 2048), "w").ok, true);
});

Deno.test("exec-only memory is readable where there are no protection keys", () => {
  const mm = nativeLinux({ frames: 256, hasPkeys: false }).process();
  map(mm, 0, 1, "--x");
  assertEquals(userAccess(mm, 0, at(0), "r"), { ok: true, value: 0 });
});

Deno.test("handleMmFault answers OOM when no page is left, and the process is killed", () => {
  const linux = nativeLinux({ frames: 16 });
  const mm = linux.process();
  map(mm, 0, 16);
  let last = userAccess(mm, 0, at(0), "w", 1);
  for (let page = 1; page < 16 && last.ok; page++) last = userAccess(mm, 0, at(page), "w", 1);
  assertEquals(!last.ok && last.signal, "SIGKILL");
  assertEquals(handleMmFault(mm.vmas.lookup(at(0))!, at(15), true), "OOM");
  assertSound(linux, mm);
});

Deno.test("a write after mprotect finds the page that was written before", () => {
  const { linux, mm } = machine();
  map(mm, 0, 1);
  userAccess(mm, 0, at(0), "w", 5);
  mprotect(mm, at(0), bytes(1), prot("r--"));
  mprotect(mm, at(0), bytes(1), prot("rw-"));
  const before = linux.trace.mark();
  userAccess(mm, 0, at(0), "w", 6);
  assertEquals(linux.trace.since(before).page_fault, undefined, "made writable at once");
  assertEquals(drawn(mm), "0-1 rw-p A");
});

Deno.test("two processors: one must not keep what the other unmapped", () => {
  const linux = nativeLinux({ frames: 1024, nrCpus: 2 });
  const mm = linux.process();
  map(mm, 0, 1);
  userAccess(mm, 0, at(0), "w", 5);
  assertEquals(userAccess(mm, 1, at(0), "r"), { ok: true, value: 5 });
  mprotect(mm, at(0), bytes(1), prot("---"));
  for (const cpu of [0, 1]) assertEquals(userAccess(mm, cpu, at(0), "r").ok, false, `cpu ${cpu}`);
});
