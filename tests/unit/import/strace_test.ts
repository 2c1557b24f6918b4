import { assertEquals, assertThrows } from "@std/assert";
import { readPagemap, readSmaps, replayStrace } from "../../../lib/import/mod.ts";

const LOG = `brk(NULL)                               = 0x55d0c4a8e000
[pid  77] mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f6f5c3fe000
mmap(NULL, 26635, PROT_READ, MAP_PRIVATE, 3</etc/ld.so.cache>, 0) = 0x7f6f5c3f7000
1234 12:00:01 munmap(0x7f6f5c3f7000, 26635) = 0
brk(0x55d0c4aaf000)                     = 0x55d0c4aaf000
mremap(0x7f6f5c3fe000, 8192, 65536, MREMAP_MAYMOVE) = 0x7f6f5c200000
mprotect(0x7f6f5c200000, 4096, PROT_NONE) = 0
madvise(0x7f6f5c200000, 65536, MADV_DONTNEED) = 0
mlockall(MCL_CURRENT|MCL_FUTURE)        = 0
mprotect(0x1000, 4096, PROT_READ)       = -1 ENOMEM (Cannot allocate memory)
--- SIGCHLD {si_signo=SIGCHLD} ---
+++ exited with 0 +++
`;

Deno.test("replayStrace() makes every call and finds the results of the log", () => {
  const { compared, differences, mm } = replayStrace(LOG);
  assertEquals([compared, differences, mm.vmas.size], [10, [], 3]);
});

Deno.test("replayStrace() lists what comes out otherwise", () => {
  const log = `mmap(NULL, 4096, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000000000
munmap(0x7f0000000000, 4096) = -1 EINVAL (Invalid argument)
mprotect(0x400000, 4096, PROT_READ) = 0`;
  assertEquals(replayStrace(log).differences, [
    {
      line: 2,
      call: "munmap(0x7f0000000000, 4096) = -1 EINVAL (Invalid argument)",
      logged: "EINVAL",
      modelled: "0",
    },
    { line: 3, call: "mprotect(0x400000, 4096, PROT_READ) = 0", logged: "0", modelled: "ENOMEM" },
  ]);
});

Deno.test("replayStrace() agrees with a real log but for memory that was there before it began", async () => {
  // strace 6.1 of a small C program on Linux 6.18: start-up by the loader, then every memory call, good and bad.
  const log = await Deno.readTextFile(new URL("data/strace_memory.log", import.meta.url));
  const { compared, differences } = replayStrace(log);
  assertEquals(compared, 51);
  // The loader protects its own data and the program's, both mapped by the kernel.
  assertEquals(differences.map(({ line, call, modelled }) => [line, call, modelled]), [
    [11, "mprotect(0x55e34f82a000, 4096, PROT_READ) = 0", "ENOMEM"],
    [12, "mprotect(0x7f688aff7000, 8192, PROT_READ) = 0", "ENOMEM"],
  ]);
});

Deno.test("replayStrace() reads comments, times and sizes of huge pages", () => {
  const log = `madvise(0x1000, 4096, 0x4d /* MADV_??? */) = -1 EINVAL (Invalid argument) <0.000010>
munmap(0x1000, 4096) = 0 <0.000012>
mmap(NULL, 2097152, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS|MAP_HUGETLB|21<<MAP_HUGE_SHIFT, -1, 0) = -1 ENOMEM (x)`;
  assertEquals(replayStrace(log).differences, []);
});

Deno.test("replayStrace() names the line it cannot read", () => {
  const table: [line: string, reason: string][] = [
    ["munmap(0x1000", "is not like call(arguments) = result"],
    ['openat(AT_FDCWD, "x", O_RDONLY) = 3', "openat is not a memory call that the model has"],
    ["munmap(0x1000, 4096 <unfinished ...>", "the call is interrupted by another thread"],
    ["munmap(0x1000, many) = 0", '"many" is not a number or a known word'],
    ["munmap(0x1000) = 0", "munmap lacks argument 2"],
  ];
  for (const [line, reason] of table) {
    const error = assertThrows(() => replayStrace(`munlockall() = 0\n${line}`), SyntaxError);
    assertEquals(error.message.startsWith("Cannot read line 2 of the strace log: "), true, error.message);
    assertEquals(error.message.includes(reason), true, error.message);
  }
});

Deno.test("readSmaps() reads mappings with their fields, and names a bad line", () => {
  const text = `55d0-66d0 r-xp 00001000 08:01 1234    /usr/bin/a b
Size:                  4 kB
Rss:                   8 kB
THPeligible:    0
VmFlags: rd ex mr mw me sd
77d0-88d0 rw-p 00000000 00:00 0
`;
  const [first, second] = readSmaps(text);
  assertEquals([first!.name, first!.offset, first!.kib, first!.vmFlags], [
    "/usr/bin/a b",
    4096,
    { Size: 4, Rss: 8 },
    "rd ex mr mw me sd",
  ]);
  assertEquals([second!.line, second!.name, second!.permissions], [6, "", "rw-p"]);
  assertThrows(() => readSmaps("Rss: 4 kB"), SyntaxError, "Cannot read line 1 of smaps");
  assertThrows(() => readSmaps(`${text}nonsense`), SyntaxError, "Cannot read line 7 of smaps");
});

Deno.test("readPagemap() takes entries apart", () => {
  const table: [entry: bigint, letter: string, pfn: number][] = [
    [0n, ".", 0],
    [1n << 63n | 1n << 56n | 7n, "A", 7],
    [1n << 63n | 7n, "a", 7],
    [1n << 63n | 1n << 61n | 1n << 56n, "F", 0],
    [1n << 63n | 1n << 61n, "f", 0],
    [1n << 62n | 5n, "s", 0],
  ];
  for (const [entry, letter, pfn] of table) {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, entry, true);
    const [row] = readPagemap(bytes);
    assertEquals([row!.letter, row!.pfn], [letter, pfn]);
  }
  assertThrows(() => readPagemap(new Uint8Array(9)), SyntaxError, "an entry has 8");
});
