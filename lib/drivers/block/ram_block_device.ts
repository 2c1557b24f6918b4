/**
 * A disk in memory under the block layer: a transfer is over before `submitBio` returns.
 *
 * @cite linux 6.1 drivers/block/brd.c brd_submit_bio
 * @module
 */

import { KernelBug } from "../../core/crash.ts";
import type { Mfn } from "../../core/frames.ts";
import type { MmSystem } from "../../linux/mm/mm_system.ts";
import { EV } from "../../trace/events.ts";
import { WORDS_PER_FRAME } from "../../x86/phys_mem.ts";
import { type RamDisk, SECTOR_SIZE } from "../ram_disk.ts";
import type { Bio, BioVec, BlockDevice } from "./bio.ts";

/**
 * Moves one part of a page between memory and a disk, as a device does that was told the page.
 *
 * A page without memory cannot be told to a device, so its bytes are to be copied, and the copy faults.
 *
 * @param read from the disk to memory
 * @throws {KernelBug} if there is no memory behind the page
 * @cite linux 6.1 drivers/xen/swiotlb-xen.c xen_swiotlb_map_page
 */
export function transferVec(
  system: MmSystem,
  disk: RamDisk,
  { page, offset, length }: BioVec,
  sector: number,
  read: boolean,
): void {
  const { mem } = system;
  const frame = system.frameOf(page, read);
  if (!mem.isBacked(frame)) {
    throw new KernelBug(
      "swiotlb_bounce",
      "page fault at a kernel address",
      `page ${page} is not mapped any more`,
    );
  }
  system.trace.add(EV.dma_page);
  const slot = mem.makeSlot(frame as Mfn);
  for (let done = 0; done < length; done += SECTOR_SIZE, sector++) {
    const at = slot * WORDS_PER_FRAME + (offset + done >> 2);
    if (read) disk.readSector(sector, mem.words, at);
    else disk.writeSector(sector, mem.words, at);
  }
}

/** A block device over a {@linkcode RamDisk}. */
export class RamBlockDevice implements BlockDevice {
  readonly name = "ram disk";
  /** Set to make transfers fail with EIO. */
  isBroken = false;

  constructor(readonly system: MmSystem, readonly disk: RamDisk, readonly logicalBlockSize: number = 512) {}

  get nrSectors(): number {
    return this.disk.nrSectors;
  }

  submitBio(bio: Bio): void {
    if (this.isBroken) return bio.endIo("EIO");
    let { sector } = bio;
    for (const vec of bio.vecs) {
      transferVec(this.system, this.disk, vec, sector, bio.operation === "read");
      sector += vec.length / SECTOR_SIZE;
    }
    bio.endIo(null);
  }

  discard(sector: number, count: number): null {
    this.disk.discard(sector, count);
    return null;
  }
}
