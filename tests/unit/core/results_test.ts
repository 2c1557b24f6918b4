import { assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { DomainCrash, KernelBug } from "../../../lib/core/crash.ts";
import { ERRNO, fail, ok } from "../../../lib/core/errno.ts";
import { isPageAligned, PAGE, PAGE_SHIFT, PAGE_SIZE, pagesOf } from "../../../lib/core/geometry.ts";

Deno.test("ok() and fail() make results", () => {
  assertEquals(ok(4), { ok: true, value: 4 });
  assertEquals(fail("EFAULT"), { ok: false, errno: "EFAULT" });
});

Deno.test("ERRNO has Linux's numbers", () => {
  const expected: [keyof typeof ERRNO, number][] = [
    ["EPERM", 1],
    ["ENOENT", 2],
    ["ENOMEM", 12],
    ["EACCES", 13],
    ["EFAULT", 14],
    ["EEXIST", 17],
    ["ENODEV", 19],
    ["EINVAL", 22],
    ["ENOSPC", 28],
    ["ENOSYS", 38],
    ["EOPNOTSUPP", 95],
  ];
  for (const [name, number] of expected) assertStrictEquals<number>(ERRNO[name], number, name);
  const numbers = Object.values(ERRNO);
  assertStrictEquals(new Set(numbers).size, numbers.length);
});

Deno.test("KernelBug and DomainCrash say where, what and why", () => {
  const bug = new KernelBug("gup_pte_range", "VM_BUG_ON(!pfn_valid(pfn))", "the entry is foreign");
  assertInstanceOf(bug, Error);
  assertStrictEquals(bug.name, "KernelBug");
  assertStrictEquals(
    bug.message,
    "kernel BUG in gup_pte_range: VM_BUG_ON(!pfn_valid(pfn)): the entry is foreign",
  );
  const crash = new DomainCrash(3, "map_grant_ref", "the frame is gone");
  assertStrictEquals(crash.name, "DomainCrash");
  assertStrictEquals(crash.domid, 3);
  assertStrictEquals(crash.message, "domain 3 crashed in map_grant_ref: the frame is gone");
});

Deno.test("pages are of 4096 bytes", () => {
  assertStrictEquals<number>(PAGE_SIZE, 4096);
  assertStrictEquals<number>(PAGE, 4096);
  assertStrictEquals<number>(1 << PAGE_SHIFT, 4096);
  const aligned: [number, boolean][] = [[0, true], [1, false], [4095, false], [4096, true], [2 ** 52, true]];
  for (const [address, is] of aligned) assertStrictEquals(isPageAligned(address), is);
  const pages: [number, number][] = [[0, 0], [1, 1], [4096, 1], [4097, 2]];
  for (const [bytes, n] of pages) assertStrictEquals(pagesOf(bytes), n);
});
