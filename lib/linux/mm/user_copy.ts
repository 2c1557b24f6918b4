/**
 * Copies between the kernel and a program, page by page, with the faults that the program itself would take.
 *
 * @module
 */

import { withinBudget } from "../../core/budget.ts";
import { type Errno, fail, ok, type SysResult } from "../../core/errno.ts";
import type { Maddr } from "../../core/frames.ts";
import { PAGE_SIZE, pagesOf } from "../../core/geometry.ts";
import type { MmStruct } from "./mm_struct.ts";
import { translateForUser } from "./user_access.ts";

/**
 * Bytes of a program; EFAULT if one of them cannot be read.
 *
 * @throws {RangeError} above the budget `pagesPerCall`
 * @cite linux 6.1 include/linux/uaccess.h copy_from_user
 */
export function copyFromUser(
  mm: MmStruct,
  cpu: number,
  address: number,
  length: number,
): SysResult<Uint8Array> {
  withinBudget("copy pages", pagesOf(length), "pagesPerCall");
  const bytes = new Uint8Array(length);
  const errno = eachPage(mm, cpu, address, length, "r", (at, offset) => {
    bytes[offset] = mm.system.mem.read8(at);
  });
  return errno === null ? ok(bytes) : fail(errno);
}

/** Writes to a program; EFAULT if a byte cannot be written: those before it have been. @cite linux 6.1 include/linux/uaccess.h copy_to_user */
export function copyToUser(mm: MmStruct, cpu: number, address: number, bytes: Uint8Array): SysResult<0> {
  const errno = eachPage(mm, cpu, address, bytes.length, "w", (at, offset) => {
    mm.system.mem.write8(at, bytes[offset]!);
  });
  return errno === null ? ok(0) : fail(errno);
}

function eachPage(
  mm: MmStruct,
  cpu: number,
  address: number,
  length: number,
  kind: "r" | "w",
  visit: (at: Maddr, offset: number) => void,
): Errno | null {
  for (let done = 0; done < length;) {
    const where = translateForUser(mm, cpu, address + done, kind);
    if (typeof where !== "number") return "EFAULT";
    const n = Math.min(length - done, PAGE_SIZE - (address + done) % PAGE_SIZE);
    for (let i = 0; i < n; i++) visit(where + i as Maddr, done + i);
    done += n;
  }
  return null;
}
