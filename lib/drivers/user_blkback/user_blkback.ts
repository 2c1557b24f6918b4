/**
 * A block back end as a program (QEMU's, tapdisk): it maps ring and data through gntdev, and reads and writes the disk with
 * O_DIRECT, straight from the mapped grants. What the block layer then holds are the pages of those mappings: the case
 * that the whole question of 2014 was about.
 *
 * ```text
 *                     kernel back end      program            program, grants kept
 *  map     hypercalls   1 of n ops         2 of n ops         –
 *  disk                 bio                pin n pages        pin n pages
 *  unmap   hypercalls   1 of n ops         2 of n ops         –
 * ```
 *
 * @cite linux 6.1 drivers/xen/gntdev.c gntdev_mmap
 * @module
 */

import { Shown, viewOf } from "../../core/shown.ts";
import type { View } from "../../core/view.ts";
import { fail, ok, type SysResult } from "../../core/errno.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { mmap } from "../../linux/mm/mmap.ts";
import { munmap } from "../../linux/mm/munmap.ts";
import type { MmStruct } from "../../linux/mm/mm_struct.ts";
import { lookupSlot, rawFrame } from "../../linux/mm/pgtable.ts";
import { MAP_SHARED, PROT_READ, PROT_WRITE } from "../../linux/mm/prot.ts";
import type { XenLinux } from "../../linux/xen/xen_linux.ts";
import type { BlkfrontOffer } from "../blkback/connect.ts";
import { BLKIF_ENTRY_BYTES, BlkifRequest } from "../blkif/blkif.ts";
import { gntdevIoctlMapGrantRef } from "../gntdev/map_grant_ref.ts";
import { type GntdevFile, gntdevOpen } from "../gntdev/open.ts";
import { gntdevIoctlUnmapGrantRef } from "../gntdev/unmap_grant_ref.ts";
import { BackRing } from "../ring/back_ring.ts";
import { RSP_PROD, SharedRing } from "../ring/shared_ring.ts";
import type { RamDisk } from "../ram_disk.ts";

/** Grants that the program keeps mapped: eleven for each request of a ring. */
export const USER_MAX_GRANTS = 352;

/** A program that serves one ring. */
export class UserBlkback extends Shown {
  readonly request: BlkifRequest = new BlkifRequest();
  readonly gntdev: GntdevFile;
  /** Addresses of grants that stay mapped, by reference. */
  readonly kept: Map<number, number> = new Map();
  /** Answers: okay, error, not supported. */
  readonly stats: { okay: number; error: number; eopnotsupp: number } = { okay: 0, error: 0, eopnotsupp: 0 };
  #ring: BackRing | null = null;
  #port = -1;
  #ringAt = 0;

  constructor(
    readonly kernel: XenLinux,
    readonly mm: MmStruct,
    readonly disk: RamDisk,
    readonly offer: BlkfrontOffer,
    /** Grants stay mapped. */
    readonly persistent: boolean,
  ) {
    super();
    this.gntdev = gntdevOpen(kernel);
  }

  /** Maps the ring and binds the event channel. Errors: those of gntdev; EINVAL for more than one queue. */
  connect(): SysResult<0> {
    const [references, ...more] = this.offer.rings;
    if (references === undefined || more.length > 0) return fail("EINVAL");
    const mapped = this.mapGrants(references.ringRefs, PROT_READ | PROT_WRITE);
    if (!mapped.ok) return mapped;
    const { system, hv, evtchn } = this.kernel;
    const frames = references.ringRefs.map((_, i) =>
      rawFrame(system, lookupSlot(this.mm, mapped.value + i * PAGE_SIZE))
    );
    const shared = new SharedRing(hv.mem, frames, BLKIF_ENTRY_BYTES);
    this.#ringAt = mapped.value;
    this.#ring = new BackRing(shared, shared.index(RSP_PROD));
    this.#port = evtchn.bindInterdomain(references.eventChannel, () => {});
    return this.#port < 0 ? fail("EINVAL") : ok(0);
  }

  /** The ring, once connected. */
  get ring(): BackRing {
    return this.#ring!;
  }

  /** Tells the front end. */
  notify(): void {
    this.kernel.evtchn.notify(this.#port);
  }

  /** Maps grants with one ioctl and one mmap: the address. What does not become a mapping is taken off the device again. */
  mapGrants(refs: readonly number[], prot: number): SysResult<number> {
    const { file, priv } = this.gntdev;
    const offset = gntdevIoctlMapGrantRef(priv, refs.map((ref) => ({ domid: this.offer.domid, ref })));
    if (!offset.ok) return offset;
    const length = refs.length * PAGE_SIZE;
    const mapped = mmap(this.mm, { length, prot, flags: MAP_SHARED, file, offset: offset.value });
    // The mapping has a reference of its own, so the list does not need this one.
    gntdevIoctlUnmapGrantRef(priv, offset.value, refs.length);
    return mapped;
  }

  /** Gives a mapping of `n` grants back. */
  unmapGrants(address: number, n: number): void {
    munmap(this.mm, address, n * PAGE_SIZE);
  }

  /** Everything that is mapped goes. */
  disconnect(): void {
    for (const address of this.kept.values()) this.unmapGrants(address, 1);
    this.kept.clear();
    if (this.#ring !== null) this.unmapGrants(this.#ringAt, this.offer.rings[0]!.ringRefs.length);
    this.kernel.evtchn.put(this.#port);
    this.#ring = null;
  }

  override [viewOf](): View {
    const { okay, error } = this.stats;
    return {
      line:
        `block back end of a program for domain ${this.offer.domid}: ${okay} answers okay, ${error} errors, ` +
        `${this.kept.size} grants kept`,
    };
  }
}
