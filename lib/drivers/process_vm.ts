/**
 * process_vm_readv and process_vm_writev: the pages of the other process are pinned and copied through the kernel's
 * own mapping of them.
 *
 * @cite linux 6.1 mm/process_vm_access.c process_vm_rw_pages
 * @module
 */

import { fail, ok, type SysResult } from "../core/errno.ts";
import { maddrOf, type Mfn } from "../core/frames.ts";
import { PAGE_SIZE } from "../core/geometry.ts";
import { getUserPagesRemote, releaseUserPages } from "../linux/mm/gup.ts";
import { FOLL_PIN, FOLL_WRITE } from "../linux/mm/gup_flags.ts";
import type { MmStruct } from "../linux/mm/mm_struct.ts";

/** Bytes of another process, fewer where its memory ends; EFAULT without any. @cite linux 6.1 mm/process_vm_access.c process_vm_rw_single_vec */
export function processVmReadv(remote: MmStruct, address: number, length: number): SysResult<Uint8Array> {
  const bytes = new Uint8Array(length);
  const { mem } = remote.system;
  const done = eachPage(remote, address, length, FOLL_PIN, (frame, offset, n, at) => {
    for (let i = 0; i < n; i++) bytes[at + i] = mem.read8(maddrOf(frame, offset + i));
  });
  return done === 0 && length > 0 ? fail("EFAULT") : ok(bytes.subarray(0, done));
}

/** Stores bytes in another process: how many. */
export function processVmWritev(remote: MmStruct, address: number, bytes: Uint8Array): SysResult<number> {
  const { mem } = remote.system;
  const done = eachPage(remote, address, bytes.length, FOLL_PIN | FOLL_WRITE, (frame, offset, n, at) => {
    for (let i = 0; i < n; i++) mem.write8(maddrOf(frame, offset + i), bytes[at + i]!);
  });
  return done === 0 && bytes.length > 0 ? fail("EFAULT") : ok(done);
}

/** Pages held at a time: pointers to them fill two pages. @cite linux 6.1 mm/process_vm_access.c PVM_MAX_KMALLOC_PAGES */
const PVM_MAX_PAGES = 2 * PAGE_SIZE / 8;

/** Visits the part of each page; answers the bytes visited. */
function eachPage(
  mm: MmStruct,
  address: number,
  length: number,
  gupFlags: number,
  visit: (frame: Mfn, offset: number, n: number, at: number) => void,
): number {
  let done = 0;
  while (done < length) {
    const first = address + done - (address + done) % PAGE_SIZE;
    const wanted = Math.min(Math.ceil((address + length - first) / PAGE_SIZE), PVM_MAX_PAGES);
    const got = getUserPagesRemote(mm, first, wanted, gupFlags);
    if (!got.ok) break;
    for (const page of got.value) {
      const offset = (address + done) % PAGE_SIZE;
      const n = Math.min(length - done, PAGE_SIZE - offset);
      visit(mm.system.frameOf(page, (gupFlags & FOLL_WRITE) !== 0), offset, n, done);
      done += n;
    }
    releaseUserPages(mm, got.value, gupFlags);
    if (got.value.length < wanted) break;
  }
  return done;
}
