import {
  FileObject,
  gupFastGeneric,
  MAP_FIXED,
  MAP_SHARED,
  mm6_1,
  mmap,
  mmuIntervalNotifierInsert,
  mprotect,
  nativeLinux,
  noForeignPages,
  PageCache,
  PROT_GROWSDOWN,
  PROT_GROWSUP,
  PROT_READ,
  PROT_WRITE,
  shmemFileOperations,
  userAccess,
  vmFlagsLetters,
} from "../../../../lib/linux/mm/mod.ts";
import { assertEquals } from "@std/assert";
import { VM_ACCOUNT } from "../../../../lib/linux/mm/vm_flags.ts";
import { assertSound, at, bytes, drawn, machine, map, prot } from "./support.ts";

Deno.test("mprotect checks its arguments in Linux's order", () => {
  const table: [
    rule: string,
    address: number | bigint,
    length: number | bigint,
    prot: number,
    expected: string,
  ][] = [
    ["control", at(0), bytes(1), PROT_READ, "ok"],
    ["length 0 before anything is looked up", at(100), 0, PROT_READ, "ok"],
    ["unaligned", at(0) + 1, bytes(1), PROT_READ, "EINVAL"],
    ["unaligned wins over length 0", at(0) + 1, 0, PROT_READ, "EINVAL"],
    ["both grow flags", at(0), bytes(1), PROT_READ | PROT_GROWSDOWN | PROT_GROWSUP, "EINVAL"],
    ["grows down, VMA does not", at(0), bytes(1), PROT_READ | PROT_GROWSDOWN, "EINVAL"],
    ["grows up", at(0), bytes(1), PROT_READ | PROT_GROWSUP, "EINVAL"],
    ["unknown bit", at(0), bytes(1), 0x10, "EINVAL"],
    ["end wraps, before unknown bits", at(0), 0xffff_ffff_ffff_0000n, 0x10, "ENOMEM"],
    ["nothing mapped", at(100), bytes(1), PROT_READ, "ENOMEM"],
    ["starts in a gap", at(4), bytes(4), PROT_READ, "ENOMEM"],
  ];
  for (const [rule, address, length, wanted, expected] of table) {
    const { mm } = machine();
    map(mm, 0, 4);
    map(mm, 6, 2);
    const result = mprotect(mm, address, length, wanted);
    assertEquals(result.ok ? "ok" : result.errno, expected, rule);
  }
});

Deno.test("mprotect over a gap changes what lies before it", () => {
  const { mm } = machine();
  map(mm, 0, 4);
  map(mm, 6, 2);
  assertEquals(mprotect(mm, at(2), bytes(6), PROT_READ), { ok: false, errno: "ENOMEM" });
  assertEquals(drawn(mm), "0-2 rw-p ..|2-4 r--p ..|6-8 rw-p ..");
});

Deno.test("mprotect refuses what the file was not opened for", () => {
  const { linux, mm } = machine();
  const pageCache = new PageCache(linux.system, 4);
  const file = new FileObject({ name: "ro", ops: shmemFileOperations, writable: false, pageCache });
  mmap(mm, { address: at(0), length: bytes(4), prot: PROT_READ, flags: MAP_SHARED | MAP_FIXED, file });
  assertEquals(mprotect(mm, at(0), bytes(4), PROT_READ | PROT_WRITE), { ok: false, errno: "EACCES" });
  assertEquals(mprotect(mm, at(0), bytes(4), PROT_READ), { ok: true, value: 0 });
});

Deno.test("mprotect charges private memory that becomes writable and keeps the charge", () => {
  const { mm } = machine();
  const letters = () => vmFlagsLetters(mm.vmas.lookup(at(0))!);
  map(mm, 0, 1, "r--");
  assertEquals(letters(), "rd mr mw me sd");
  mprotect(mm, at(0), bytes(1), prot("rw-"));
  assertEquals(letters(), "rd wr mr mw me ac sd");
  mprotect(mm, at(0), bytes(1), prot("r--"));
  assertEquals(letters(), "rd mr mw me ac sd");
});

Deno.test("mprotect changes what programs may do at once, in the TLB as well", () => {
  const table: [rights: string, access: "r" | "w" | "x", expected: string][] = [
    ["rw-", "w", "ok"],
    ["r--", "r", "ok"],
    ["r--", "w", "SIGSEGV 2 7"],
    ["---", "r", "SIGSEGV 2 4"],
    ["r-x", "x", "ok"],
    ["rw-", "x", "SIGSEGV 2 21"],
    ["--x", "r", "SIGSEGV 4 37"],
    ["--x", "x", "ok"],
  ];
  for (const [rights, access, expected] of table) {
    const { linux, mm } = machine();
    map(mm, 0, 1, "rwx");
    userAccess(mm, 0, at(0), "w", 0xc3);
    mprotect(mm, at(0), bytes(1), prot(rights));
    const r = userAccess(mm, 0, at(0), access, 1);
    assertEquals(r.ok ? "ok" : `${r.signal} ${r.code} ${r.errorCode}`, expected, `${rights} ${access}`);
    mprotect(mm, at(0), bytes(1), prot("rwx"));
    assertEquals(userAccess(mm, 0, at(0), "w", 2), { ok: true, value: 2 }, "and back");
    assertSound(linux, mm);
  }
});

Deno.test("mprotect tells notifiers only where there are page tables", () => {
  const { mm } = machine();
  const seen: string[] = [];
  map(mm, 0, 4);
  mmuIntervalNotifierInsert(mm, {
    start: at(0),
    end: at(4),
    invalidate: (_s, _e, event) => void seen.push(event),
  });
  mprotect(mm, at(0), bytes(4), prot("r--"));
  assertEquals(seen, []);
  userAccess(mm, 0, at(0), "r");
  mprotect(mm, at(0), bytes(4), prot("rw-"));
  assertEquals(seen, ["MMU_NOTIFY_PROTECTION_VMA"]);
});

Deno.test("mprotect answers ENOMEM at the limit of VMAs and leaves the first cut", () => {
  const { linux, mm } = machine();
  map(mm, 0, 8);
  mm.maxMapCount = 2;
  assertEquals(mprotect(mm, at(2), bytes(2), prot("r--")), { ok: false, errno: "ENOMEM" });
  assertEquals(drawn(mm), "0-2 rw-p ..|2-8 rw-p ......");
  assertSound(linux, mm);
});

Deno.test("mprotect gives the account of unused memory back where the release does", () => {
  type Step = "write" | "r--" | "rw-";
  const table: [rule: string, keepsAccount: boolean, steps: Step[], isAccounted: boolean][] = [
    ["control: writable memory is accounted for", false, [], true],
    ["6.1 keeps the account", true, ["r--"], true],
    ["later releases give it back", false, ["r--"], false],
    ["written to: it stays", false, ["write", "r--"], true],
    ["6.1, written to", true, ["write", "r--"], true],
    ["writable again: accounted for again", false, ["r--", "rw-"], true],
  ];
  for (const [rule, keepsAccount, steps, isAccounted] of table) {
    const flavour = { ...mm6_1, keepsAccount, gupFast: gupFastGeneric, foreign: noForeignPages };
    const linux = nativeLinux({ frames: 4096, flavour });
    const mm = linux.process();
    map(mm, 0, 4);
    for (const step of steps) {
      if (step === "write") assertEquals(userAccess(mm, 0, at(1), "w", 1).ok, true);
      else assertEquals(mprotect(mm, at(0), bytes(4), prot(step)), { ok: true, value: 0 });
    }
    assertEquals((mm.vmas.lookup(at(0))!.flags & VM_ACCOUNT) !== 0, isAccounted, rule);
    assertSound(linux, mm);
  }
});
