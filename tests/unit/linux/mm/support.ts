/** What the tests of this folder share: a small machine, and address spaces written and read as letters. */

import { PAGE_SIZE } from "../../../../lib/core/geometry.ts";
import {
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  mmap,
  type MmStruct,
  type NativeLinux,
  nativeLinux,
  PROT_EXEC,
  PROT_READ,
  PROT_WRITE,
  smaps,
  validateMm,
  validatePages,
} from "../../../../lib/linux/mm/mod.ts";
import { assertEquals } from "@std/assert";

/** Where page 0 of a drawing lies. */
export const BASE = 0x1000_0000_0000;

export function at(page: number): number {
  return BASE + page * PAGE_SIZE;
}

export function bytes(pages: number): number {
  return pages * PAGE_SIZE;
}

export function machine(): { linux: NativeLinux; mm: MmStruct } {
  const linux = nativeLinux({ frames: 4096 });
  return { linux, mm: linux.process() };
}

export function prot(text: string): number {
  return (text[0] === "r" ? PROT_READ : 0) | (text[1] === "w" ? PROT_WRITE : 0) |
    (text[2] === "x" ? PROT_EXEC : 0);
}

/** Maps private anonymous pages at a place. */
export function map(mm: MmStruct, page: number, pages: number, rights = "rw-", flags = 0): void {
  const result = mmap(mm, {
    address: at(page),
    length: bytes(pages),
    prot: prot(rights),
    flags: MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | flags,
  });
  assertEquals(result, { ok: true, value: at(page) });
}

/** `0-4 rw-p A...` for every VMA, joined by `|`. */
export function drawn(mm: MmStruct): string {
  return smaps(mm).map((row) =>
    `${(row.start - BASE) / PAGE_SIZE}-${(row.end - BASE) / PAGE_SIZE} ${row.perms} ${row.pages}`
  ).join("|");
}

/** Nothing contradicts anything. */
export function assertSound(linux: NativeLinux, ...mms: MmStruct[]): void {
  for (const mm of mms) assertEquals(validateMm(mm), []);
  assertEquals(validatePages(linux.system, mms), []);
}
