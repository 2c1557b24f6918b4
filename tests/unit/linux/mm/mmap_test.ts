import {
  FileObject,
  fput,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_FIXED_NOREPLACE,
  MAP_GROWSDOWN,
  MAP_HUGETLB,
  MAP_LOCKED,
  MAP_NORESERVE,
  MAP_POPULATE,
  MAP_PRIVATE,
  MAP_SHARED,
  MAP_SHARED_VALIDATE,
  memfdCreate,
  mmap,
  MMAP_BASE,
  type MmapOptions,
  type MmStruct,
  nativeLinux,
  NO_PAGE,
  PROT_READ,
  PROT_WRITE,
  shmemFileOperations,
  TASK_SIZE_MAX,
  userAccess,
  type Vma,
  vmFlagsLetters,
} from "../../../../lib/linux/mm/mod.ts";
import { assertEquals, assertThrows } from "@std/assert";
import { assertSound, at, bytes, drawn, machine, map } from "./support.ts";

const PRIVATE = MAP_PRIVATE | MAP_ANONYMOUS;
const RW = PROT_READ | PROT_WRITE;

Deno.test("mmap checks its arguments in Linux's order", () => {
  const { linux } = machine();
  const readOnly = new FileObject({ name: "ro", ops: shmemFileOperations, writable: false });
  const writeOnly = new FileObject({ name: "wo", ops: shmemFileOperations, readable: false });
  const unmappable = new FileObject({ name: "pipe", ops: { name: "pipe" } });
  const file = memfdCreate(linux.system, "A", 4);
  const fixed = { address: at(8), length: bytes(2), prot: PROT_READ, flags: PRIVATE | MAP_FIXED };
  const table: [rule: string, options: MmapOptions, expected: string][] = [
    ["control", fixed, "ok"],
    ["length 0", { ...fixed, length: 0 }, "EINVAL"],
    ["length 0 before the type", { ...fixed, length: 0, flags: MAP_ANONYMOUS }, "EINVAL"],
    ["length overflows", { ...fixed, length: 0xffff_ffff_ffff_ffffn }, "ENOMEM"],
    ["2^40 pages", { ...fixed, length: 2 ** 52 }, "ENOMEM"],
    ["longer than user space", { ...fixed, address: 0, length: TASK_SIZE_MAX + 1, flags: PRIVATE }, "ENOMEM"],
    ["fixed beyond user space", { ...fixed, address: TASK_SIZE_MAX - 4096 }, "ENOMEM"],
    ["fixed beyond, before alignment", { ...fixed, address: 0xffff_8000_0000_0001n }, "ENOMEM"],
    ["fixed unaligned", { ...fixed, address: at(8) + 1 }, "EINVAL"],
    ["neither private nor shared", { ...fixed, flags: MAP_ANONYMOUS | MAP_FIXED }, "EINVAL"],
    ["noreplace on something", { ...fixed, address: at(0), flags: PRIVATE | MAP_FIXED_NOREPLACE }, "EEXIST"],
    [
      "noreplace before the type",
      { ...fixed, address: at(0), flags: MAP_ANONYMOUS | MAP_FIXED_NOREPLACE },
      "EEXIST",
    ],
    ["noreplace on nothing", { ...fixed, flags: PRIVATE | MAP_FIXED_NOREPLACE }, "ok"],
    ["shared memory does not grow", {
      ...fixed,
      flags: MAP_SHARED | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED,
    }, "EINVAL"],
    ["no file", { ...fixed, flags: MAP_PRIVATE | MAP_FIXED }, "EBADF"],
    ["no huge page is free", { ...fixed, flags: PRIVATE | MAP_HUGETLB }, "ENOMEM"],
    ["no huge pages of 1 GiB", { ...fixed, flags: PRIVATE | MAP_HUGETLB | 30 << 26 }, "EINVAL"],
    ["file", { ...fixed, flags: MAP_PRIVATE, file }, "ok"],
    ["file, unaligned offset", { ...fixed, flags: MAP_PRIVATE, file, offset: 1 }, "EINVAL"],
    ["file, offset beyond 2^63", { ...fixed, flags: MAP_PRIVATE, file, offset: 2 ** 63 }, "EOVERFLOW"],
    ["file mapping does not grow", { ...fixed, flags: MAP_PRIVATE | MAP_GROWSDOWN, file }, "EINVAL"],
    ["shared writable, file not", { ...fixed, prot: RW, flags: MAP_SHARED, file: readOnly }, "EACCES"],
    ["private writable, file not", { ...fixed, prot: RW, flags: MAP_PRIVATE, file: readOnly }, "ok"],
    ["file cannot be read", { ...fixed, flags: MAP_PRIVATE, file: writeOnly }, "EACCES"],
    ["file cannot be mapped", { ...fixed, flags: MAP_PRIVATE, file: unmappable }, "ENODEV"],
    ["validated unknown flag", { ...fixed, flags: MAP_SHARED_VALIDATE | 0x80000, file }, "EOPNOTSUPP"],
    ["same flag, not validated", { ...fixed, flags: MAP_SHARED | 0x80000, file }, "ok"],
  ];
  for (const [rule, options, expected] of table) {
    const mm = linux.process();
    map(mm, 0, 4);
    const result = mmap(mm, options);
    assertEquals(result.ok ? "ok" : result.errno, expected, rule);
    assertSound(linux, mm);
  }
});

Deno.test("mmap refuses a hopeless private writable wish after the old mappings went", () => {
  const { mm } = machine(); // 4096 pages of memory
  const wish = (pages: number, flags: number) => {
    const result = mmap(mm, { address: at(0), length: bytes(pages), prot: RW, flags: flags | MAP_FIXED });
    return result.ok ? "ok" : result.errno;
  };
  map(mm, 0, 4);
  assertEquals([wish(4097, PRIVATE), drawn(mm)], ["ENOMEM", ""]);
  assertEquals(wish(4096, PRIVATE), "ok");
  assertEquals(wish(4097, PRIVATE | MAP_NORESERVE), "ok");
  assertEquals(wish(4097, MAP_SHARED | MAP_ANONYMOUS), "ENOMEM");
});

Deno.test("mmap answers ENOMEM above the limit of VMAs", () => {
  const { mm } = machine();
  map(mm, 0, 1);
  map(mm, 2, 1);
  const one: MmapOptions = { address: at(8), length: bytes(1), prot: RW, flags: PRIVATE | MAP_FIXED };
  mm.maxMapCount = 1;
  assertEquals(mmap(mm, one), { ok: false, errno: "ENOMEM" });
  mm.maxMapCount = 2;
  assertEquals(mmap(mm, one).ok, true);
});

Deno.test("mmap chooses an address: the hint, else the highest hole below the stack's room", () => {
  const { mm } = machine();
  const ask = (address: number, pages = 1, flags = PRIVATE): number => {
    const result = mmap(mm, { address, length: bytes(pages), prot: PROT_READ, flags });
    if (!result.ok) throw new Error(result.errno);
    return result.value;
  };
  assertEquals(ask(at(4) + 5), at(4), "an unaligned hint is rounded down");
  assertEquals(ask(at(4)), MMAP_BASE - bytes(1), "a hint that is taken");
  assertEquals(ask(0, 2), MMAP_BASE - bytes(3), "no hint");
  assertEquals(ask(4096), 65536, "a hint below the lowest address");
  map(mm, 600, 1, "rw-", MAP_GROWSDOWN);
  assertEquals(ask(at(343)), at(343), "just below the guard gap of 256 pages");
  assertEquals(ask(at(345)) > at(600), true, "inside the guard gap");
});

Deno.test("mmap gives the flags that smaps shows", () => {
  const table: [flags: number, prot: number, expected: string][] = [
    [PRIVATE, RW, "rd wr mr mw me ac sd"],
    [PRIVATE, PROT_READ, "rd mr mw me sd"],
    [PRIVATE | MAP_NORESERVE, RW, "rd wr mr mw me nr sd"],
    [PRIVATE | MAP_GROWSDOWN, RW, "rd wr mr mw me gd ac sd"],
    [PRIVATE | MAP_LOCKED, RW, "rd wr mr mw me lo ac sd"],
    [MAP_SHARED | MAP_ANONYMOUS, RW, "rd wr sh mr mw me ms sd"],
  ];
  for (const [flags, prot, expected] of table) {
    const { mm } = machine();
    mmap(mm, { address: at(0), length: bytes(1), prot, flags: flags | MAP_FIXED });
    assertEquals(vmFlagsLetters(mm.vmas.lookup(at(0))!), expected);
  }
});

Deno.test("mmap populates: writes to private writable memory, reads the rest, nothing without rights", () => {
  const { linux, mm } = machine();
  map(mm, 0, 2, "rw-", MAP_POPULATE);
  map(mm, 2, 2, "r--", MAP_POPULATE);
  map(mm, 4, 2, "---", MAP_POPULATE);
  map(mm, 6, 2, "--x", MAP_LOCKED);
  assertEquals(drawn(mm), "0-2 rw-p AA|2-4 r--p zz|4-6 ---p ..|6-8 --xp ..");
  const withoutKeys = nativeLinux({ frames: 256, hasPkeys: false }).process();
  map(withoutKeys, 6, 2, "--x", MAP_LOCKED);
  assertEquals(drawn(withoutKeys), "6-8 --xp zz");
  assertSound(linux, mm);
  const huge = { length: 2 ** 33, prot: PROT_READ, flags: PRIVATE | MAP_POPULATE };
  assertThrows(() => mmap(mm, huge), RangeError, "the budget pagesPerCall");
  assertEquals(mm.vmas.size, 4);
});

/** A file whose driver refuses or accepts. */
function driver(mmapOp: (vma: Vma) => "EINVAL" | null): FileObject {
  return new FileObject({ name: "/dev/driver", ops: { name: "driver", mmap: mmapOp } });
}

Deno.test("mmap asks the driver when the old mappings are gone and the VMA is not yet in the tree", () => {
  const { linux, mm } = machine();
  map(mm, 0, 4);
  const seen: number[] = [];
  const refusing = driver(() => (seen.push(mm.vmas.size), "EINVAL"));
  const options: MmapOptions = { address: at(1), length: bytes(2), prot: RW, flags: MAP_SHARED | MAP_FIXED };
  assertEquals(mmap(mm, { ...options, file: refusing }), { ok: false, errno: "EINVAL" });
  assertEquals([seen, drawn(mm), refusing.count], [[2], "0-1 rw-p .|3-4 rw-p .", 1]);
  const word = {};
  const accepting = driver((vma) => {
    vma.ops = { name: "driver", findSpecialPage: () => NO_PAGE };
    vma.privateData = word;
    return null;
  });
  mmap(mm, { ...options, file: accepting });
  const vma = mm.vmas.lookup(at(1))!;
  assertEquals([vma.ops?.name, vma.privateData === word, accepting.count], ["driver", true, 2]);
  const r = userAccess(mm, 0, at(1), "r");
  assertEquals(!r.ok && [r.signal, r.code], ["SIGBUS", 2], "no fault operation");
  assertSound(linux, mm);
});

Deno.test("fput ends a file with its last reference and refuses one more", () => {
  const { linux } = machine();
  const free = linux.system.memMap.nrFree;
  const file = memfdCreate(linux.system, "A", 3);
  file.pageCache!.fill((page) => page);
  assertEquals(linux.system.memMap.nrFree, free - 3);
  fput(file);
  assertEquals(linux.system.memMap.nrFree, free);
  assertThrows(() => fput(file), RangeError, "Cannot give back a reference");
});

Deno.test("mmap takes only whole numbers", () => {
  const { mm } = machine();
  const ask = (mm: MmStruct, length: number) => mmap(mm, { length, prot: RW, flags: PRIVATE });
  assertThrows(() => ask(mm, 0.5), TypeError, "Cannot take as a length");
  assertThrows(() => ask(mm, NaN), TypeError, "Cannot take as a length");
});
