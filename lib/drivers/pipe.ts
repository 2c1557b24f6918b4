/**
 * A pipe: write(2) copies into pages of its own, vmsplice(2) puts *the program's pages* in and holds them until they
 * are read. A page of a grant mapping that waits in a pipe is what keeps its grant from being unmapped.
 *
 * @cite linux 6.1 fs/splice.c vmsplice_to_pipe
 * @module
 */

import { fail, ok, type SysResult } from "../core/errno.ts";
import { maddrOf } from "../core/frames.ts";
import { PAGE_SIZE } from "../core/geometry.ts";
import { getUserPagesFast } from "../linux/mm/gup.ts";
import { FOLL_GET } from "../linux/mm/gup_flags.ts";
import type { MmStruct } from "../linux/mm/mm_struct.ts";
import type { MmSystem } from "../linux/mm/mm_system.ts";
import { readUserBytes, writeUserBytes } from "./user_bytes.ts";

/** Slots of a pipe. @cite linux 6.1 include/linux/pipe_fs_i.h PIPE_DEF_BUFFERS */
export const PIPE_DEF_BUFFERS = 16;

/** A part of a page that waits to be read. */
interface PipeBuffer {
  readonly page: number;
  offset: number;
  length: number;
}

/** A pipe, both ends. */
export class Pipe {
  readonly #buffers: PipeBuffer[] = [];

  constructor(readonly system: MmSystem, readonly slots: number = PIPE_DEF_BUFFERS) {}

  /** Slots in use. */
  get nrBuffers(): number {
    return this.#buffers.length;
  }

  /** The page of each slot in use, oldest first. */
  get pages(): readonly number[] {
    return this.#buffers.map(({ page }) => page);
  }

  get #room(): number {
    return this.slots - this.#buffers.length;
  }

  /** write(2): a copy. A full pipe ends the write (it does not block here): EAGAIN if nothing went in. */
  write(mm: MmStruct, address: number, length: number): SysResult<number> {
    const bytes = readUserBytes(mm, address, Math.min(length, this.#room * PAGE_SIZE));
    if (!bytes.ok) return bytes;
    const { memMap, mem } = this.system;
    for (let done = 0; done < bytes.value.length; done += PAGE_SIZE) {
      const page = memMap.allocPage();
      if (page < 0) return done > 0 ? ok(done) : fail("ENOMEM");
      const part = bytes.value.subarray(done, done + PAGE_SIZE);
      part.forEach((byte, i) => mem.write8(maddrOf(this.system.frameOf(page), i), byte));
      this.#buffers.push({ page, offset: 0, length: part.length });
    }
    return length > 0 && bytes.value.length === 0 ? fail("EAGAIN") : ok(bytes.value.length);
  }

  /** vmsplice(2) of one range into the pipe: the pages are held from now on. A gift changes nothing for them. */
  vmsplice(mm: MmStruct, address: number, length: number): SysResult<number> {
    const first = address - address % PAGE_SIZE;
    const nrPages = Math.min(this.#room, Math.ceil((address + length - first) / PAGE_SIZE));
    if (nrPages === 0) return length > 0 ? fail("EAGAIN") : ok(0);
    const got = getUserPagesFast(mm, first, nrPages, FOLL_GET);
    if (!got.ok) return got;
    let done = 0;
    for (const page of got.value.pages) {
      const offset = (address + done) % PAGE_SIZE;
      const n = Math.min(length - done, PAGE_SIZE - offset);
      this.#buffers.push({ page, offset, length: n });
      done += n;
    }
    return ok(done);
  }

  /** read(2) into a program's memory: bytes; EAGAIN when the pipe is empty (it does not block here). */
  read(mm: MmStruct, address: number, length: number): SysResult<number> {
    const bytes = this.readBytes(length);
    return bytes.ok ? writeUserBytes(mm, address, bytes.value) : bytes;
  }

  /**
   * Takes bytes out; EFAULT where the kernel cannot reach a page any more: the copy stops at the fault, the slot stays.
   *
   * @cite linux 6.1 fs/pipe.c pipe_read
   */
  readBytes(length: number): SysResult<Uint8Array> {
    const { mem, memMap } = this.system;
    const bytes: number[] = [];
    while (bytes.length < length && this.#buffers.length > 0) {
      const buffer = this.#buffers[0]!;
      const frame = this.system.frameOf(buffer.page);
      if (frame < 0) return bytes.length > 0 ? ok(Uint8Array.from(bytes)) : fail("EFAULT");
      const n = Math.min(length - bytes.length, buffer.length);
      for (let i = 0; i < n; i++) bytes.push(mem.read8(maddrOf(frame, buffer.offset + i)));
      buffer.offset += n;
      buffer.length -= n;
      if (buffer.length > 0) break;
      this.#buffers.shift();
      memMap.putPage(buffer.page);
    }
    return bytes.length === 0 && length > 0 ? fail("EAGAIN") : ok(Uint8Array.from(bytes));
  }

  /** The last end is closed: pages that wait are let go. */
  release(): void {
    for (const { page } of this.#buffers.splice(0)) this.system.memMap.putPage(page);
  }
}
