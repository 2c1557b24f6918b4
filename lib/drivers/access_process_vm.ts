/**
 * The debugger's way into a process: /proc/PID/mem and ptrace. It gets past rights (FOLL_FORCE), but not past a VMA
 * without pages.
 *
 * @cite linux 6.1 mm/memory.c __access_remote_vm
 * @module
 */

import { fail, ok, type SysResult } from "../core/errno.ts";
import { maddrOf } from "../core/frames.ts";
import { PAGE_SIZE } from "../core/geometry.ts";
import { getUserPagesRemote, releaseUserPages } from "../linux/mm/gup.ts";
import { FOLL_FORCE, FOLL_GET, FOLL_WRITE } from "../linux/mm/gup_flags.ts";
import type { MmStruct } from "../linux/mm/mm_struct.ts";

/** Bytes read or written, page by page up to the first that cannot be had. */
function accessRemoteVm(mm: MmStruct, address: number, bytes: Uint8Array, write: boolean): number {
  const { mem } = mm.system;
  const gupFlags = FOLL_GET | FOLL_FORCE | (write ? FOLL_WRITE : 0);
  let done = 0;
  while (done < bytes.length) {
    const offset = (address + done) % PAGE_SIZE;
    const n = Math.min(bytes.length - done, PAGE_SIZE - offset);
    const got = getUserPagesRemote(mm, address + done - offset, 1, gupFlags);
    if (!got.ok) break;
    const frame = mm.system.frameOf(got.value[0]!, write);
    for (let i = 0; i < n; i++) {
      if (write) mem.write8(maddrOf(frame, offset + i), bytes[done + i]!);
      else bytes[done + i] = mem.read8(maddrOf(frame, offset + i));
    }
    releaseUserPages(mm, got.value, gupFlags);
    done += n;
  }
  return done;
}

/** read(2) of /proc/PID/mem: bytes, fewer at a hole; EIO without any. @cite linux 6.1 fs/proc/base.c mem_rw */
export function procMemRead(mm: MmStruct, address: number, length: number): SysResult<Uint8Array> {
  const bytes = new Uint8Array(length);
  const done = accessRemoteVm(mm, address, bytes, false);
  return done === 0 && length > 0 ? fail("EIO") : ok(bytes.subarray(0, done));
}

/** write(2) to /proc/PID/mem. @cite linux 6.1 fs/proc/base.c mem_rw */
export function procMemWrite(mm: MmStruct, address: number, bytes: Uint8Array): SysResult<number> {
  const done = accessRemoteVm(mm, address, bytes, true);
  return done === 0 && bytes.length > 0 ? fail("EIO") : ok(done);
}

/** Bytes of a word. */
const WORD = 8;

/** PTRACE_PEEKDATA: the word's bytes; EIO unless all of them can be had. @cite linux 6.1 kernel/ptrace.c generic_ptrace_peekdata */
export function ptracePeek(mm: MmStruct, address: number): SysResult<Uint8Array> {
  const bytes = new Uint8Array(WORD);
  return accessRemoteVm(mm, address, bytes, false) === WORD ? ok(bytes) : fail("EIO");
}

/** PTRACE_POKEDATA. @cite linux 6.1 kernel/ptrace.c generic_ptrace_pokedata */
export function ptracePoke(mm: MmStruct, address: number, bytes: Uint8Array): SysResult<0> {
  return accessRemoteVm(mm, address, bytes, true) === WORD ? ok(0) : fail("EIO");
}
