/**
 * O_DIRECT read and write of user memory: pin the pages, tell the device their frames, let it transfer, let go. The
 * device knows nothing of page tables; whatever frame it is told, it reaches. That is how a wrong page becomes wrong
 * data without any error.
 *
 * The transfer is complete when the call returns. References are taken as Linux before 6.3 takes them (FOLL_GET).
 *
 * @cite linux 6.1 block/bio.c bio_iov_iter_get_pages
 * @cite linux 6.1 block/fops.c __blkdev_direct_IO
 * @module
 */

import { fail, ok, type SysResult } from "../core/errno.ts";
import type { Maddr, Mfn } from "../core/frames.ts";
import { PAGE_SIZE } from "../core/geometry.ts";
import { getUserPagesFast, type GupDecision, releaseUserPages } from "../linux/mm/gup.ts";
import { FOLL_GET, FOLL_WRITE } from "../linux/mm/gup_flags.ts";
import type { MmStruct } from "../linux/mm/mm_struct.ts";
import { EV } from "../trace/events.ts";
import { type RamDisk, SECTOR_SIZE } from "./ram_disk.ts";

/** What the device was told about one page, and how the page was found. */
export interface DirectIoPage {
  /** Address of the page in user space. */
  readonly address: number;
  readonly path: "fast" | "slow";
  /** The `struct page`, by pfn. */
  readonly page: number;
  /** The frame that the device transferred to or from. */
  readonly frame: Mfn;
}

/** A finished transfer. */
export interface DirectIo {
  /** Bytes transferred: fewer than asked for where a later page could not be had. */
  readonly bytes: number;
  readonly pages: readonly DirectIoPage[];
}

/** One request. */
export interface DirectIoRequest {
  /** `read` is read(2): from the disk into memory. */
  readonly direction: "read" | "write";
  readonly address: number;
  readonly length: number;
  readonly diskOffset: number;
}

/**
 * Transfers between user memory and a disk.
 *
 * Errors: EINVAL where address, length or offset is no multiple of a sector or the disk ends before; EFAULT where the
 * first page cannot be had.
 *
 * @param decisions filled with what get_user_pages decided, if given
 */
export function directIo(
  mm: MmStruct,
  disk: RamDisk,
  request: DirectIoRequest,
  decisions?: GupDecision[],
): SysResult<DirectIo> {
  return mm.system.trace.span("direct_io", () => blkdevDirectIo(mm, disk, request, decisions));
}

/** @cite linux 6.1 block/fops.c __blkdev_direct_IO */
function blkdevDirectIo(
  mm: MmStruct,
  disk: RamDisk,
  request: DirectIoRequest,
  decisions: GupDecision[] | undefined,
): SysResult<DirectIo> {
  const { direction, address, length, diskOffset } = request;
  const { system } = mm;
  system.trace.add(EV.syscall);
  if ([address, length, diskOffset].some((n) => n % SECTOR_SIZE !== 0 || n < 0)) return fail("EINVAL");
  if (length === 0) return ok({ bytes: 0, pages: [] });
  if (diskOffset + length > disk.size) return fail("EINVAL");
  const first = address - address % PAGE_SIZE;
  const nrPages = Math.ceil((address + length - first) / PAGE_SIZE);
  // A read(2) stores into memory, so it is the one that needs write access.
  const gupFlags = FOLL_GET | (direction === "read" ? FOLL_WRITE : 0);
  const got = getUserPagesFast(mm, first, nrPages, gupFlags, decisions);
  if (!got.ok) return got;
  const { pages, nrFast } = got.value;
  const reached: DirectIoPage[] = [];
  let bytes = 0;
  pages.forEach((page, i) => {
    const frame = system.frameOf(page, direction === "read");
    const from = i === 0 ? address - first : 0;
    const to = Math.min(PAGE_SIZE, address + length - (first + i * PAGE_SIZE));
    system.trace.add(EV.dma_page);
    for (let at = from; at < to; at++) {
      const maddr = frame * PAGE_SIZE + at as Maddr;
      if (direction === "read") system.mem.write8(maddr, disk.read8(diskOffset + bytes));
      else disk.write8(diskOffset + bytes, system.mem.read8(maddr));
      bytes++;
    }
    reached.push({ address: first + i * PAGE_SIZE, path: i < nrFast ? "fast" : "slow", page, frame });
  });
  releaseUserPages(mm, pages, gupFlags);
  return ok({ bytes, pages: reached });
}
