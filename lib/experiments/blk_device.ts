/**
 * A block device of a guest, front end to disk, as people drive it: one line makes it, reads and writes are judged, its
 * parts show themselves.
 *
 * ```text
 * guest: blkfront ── ring (granted) ── dom0: blkback ── bio ── disk
 *          data pages ── granted ──────── mapped ───── DMA ──┘
 * ```
 *
 * @module
 */

import { Shown, viewOf } from "../core/shown.ts";
import { tableBlock, type View } from "../core/view.ts";
import { callable, instanceOf, outOfRange, wholeNumber } from "../core/misuse.ts";
import { lookUp } from "../core/nearest.ts";
import { knownOptions } from "../core/options.ts";
import { blkbackConnect, blkbackDisconnect } from "../drivers/blkback/connect.ts";
import { safeUnmap, unmapAtOnce, type UnmapPolicy } from "../drivers/blkback/unmap_policy.ts";
import { BLKBACK_PARAMETERS, type BlkbackParameters, type XenBlkif } from "../drivers/blkback/xen_blkif.ts";
import { Blkfront } from "../drivers/blkfront/blkfront.ts";
import type { Bio, BlockDevice } from "../drivers/block/bio.ts";
import { NetworkBlockDevice, type WireFate } from "../drivers/block/network_block_device.ts";
import { RamBlockDevice } from "../drivers/block/ram_block_device.ts";
import { type RamDisk, SECTOR_SIZE } from "../drivers/ram_disk.ts";
import { BLKIF_MAX_SEGMENTS_PER_REQUEST } from "../drivers/blkif/blkif.ts";
import { type BlockIo, MOST_SECTOR } from "../drivers/workload/block_workload.ts";
import { ReferenceDisk } from "../reference/disk.ts";
import type { SysResult } from "../core/errno.ts";
import { PAGE_SIZE } from "../core/geometry.ts";
import type { BlockLoad } from "./block_load.ts";
import { blankDisk, type BlockLoadOptions, runBlockLoad } from "./run_block_load.ts";
import { Guest } from "./guest.ts";
import type { World } from "./world.ts";

/** How {@linkcode BlkDevice} is made. Everything has a default. */
export interface BlkDeviceOptions {
  /** Default: the world's guest. */
  readonly guest?: Guest;
  /** Both sides keep grants mapped. Default true. */
  readonly persistent?: boolean;
  /** Rings. Default 1. */
  readonly queues?: number;
  /** log2 of the pages of a ring. Default 0: 32 requests. */
  readonly ringPageOrder?: number;
  /** Segments of an indirect request; up to 11 there are none. Default 0. */
  readonly maxIndirectSegments?: number;
  /** Module parameters of the back end. */
  readonly parameters?: Partial<BlkbackParameters>;
  /** `safe`, as since Linux 4.0, or `at once`, as before. */
  readonly unmap?: "safe" | "at once";
  /** What the network does with each transfer: with it the disk is behind a network. */
  readonly wire?: (n: number, bio: Bio) => WireFate;
  /** Bytes. Default 16 MiB. */
  readonly size?: number;
  /** Another device altogether, over the disk that is handed in. */
  readonly device?: (disk: RamDisk) => BlockDevice;
}

const KNOWN: Readonly<Record<keyof BlkDeviceOptions, true | "boolean">> = {
  guest: true,
  persistent: "boolean",
  queues: true,
  ringPageOrder: true,
  maxIndirectSegments: true,
  parameters: true,
  unmap: true,
  wire: true,
  size: true,
  device: true,
};

const UNMAP: Readonly<Record<string, UnmapPolicy>> = Object.freeze({
  safe: safeUnmap,
  "at once": unmapAtOnce,
});

const SECTORS_PER_PAGE = PAGE_SIZE / SECTOR_SIZE;

/** The guest that gets a device: one of this world, by default its first. */
export function guestOf(world: World, guest: Guest | undefined): Guest {
  if (guest === undefined) return world.guest;
  instanceOf("give a device to", guest, Guest, "it must be a guest: w.guest, or what w.addGuest() answers");
  if (guest.world !== world) throw outOfRange("give a device to", guest, "it is a guest of another world");
  return guest;
}

/** A device in use. */
export class BlkDevice extends Shown {
  readonly front: Blkfront;
  readonly back: XenBlkif;
  /** What the storage holds. */
  readonly disk: RamDisk;
  /** What it must hold. */
  readonly reference: ReferenceDisk = new ReferenceDisk();
  readonly guest: Guest;
  readonly #refsBefore: number;

  constructor(readonly world: World, options: BlkDeviceOptions = {}) {
    super();
    knownOptions("w.blk()", options, KNOWN);
    knownOptions("w.blk({ parameters })", options.parameters ?? {}, BLKBACK_PARAMETERS);
    world.refuseAfterCrash("make a block device");
    const { kernel } = world;
    this.guest = guestOf(world, options.guest);
    const { device: make, wire } = options;
    if (make !== undefined) callable("make a block device by", make);
    if (wire !== undefined) callable("put a network before a disk:", wire);
    this.disk = blankDisk(options.size ?? 16 * 2 ** 20);
    this.#refsBefore = this.mapped;
    const device = make?.(this.disk) ??
      (wire === undefined
        ? new RamBlockDevice(kernel.system, this.disk)
        : new NetworkBlockDevice(kernel, this.disk, wire));
    this.front = new Blkfront(this.guest, world.dom0.domid, options);
    const unmapPolicy = lookUp("way to unmap", UNMAP, options.unmap ?? "safe");
    const back = blkbackConnect(kernel, this.front.offer, {
      device,
      unmapPolicy,
      ...options.persistent === undefined ? {} : { persistent: options.persistent },
      ...options.parameters === undefined ? {} : { parameters: options.parameters },
    });
    if (!back.ok) throw outOfRange("connect a block device with queues", options.queues ?? 1, back.errno);
    this.back = back.value;
    kernel.work.advance(0);
  }

  /** Grants of the guest that dom0 has mapped: the ring's, those in requests, those that are kept. */
  get mapped(): number {
    return this.world.dom0.maptrack.live;
  }

  /** Grants mapped since the device was made, the ring's pages not counted. */
  get kept(): number {
    const ringPages = this.back.rings.reduce((sum, ring) => sum + ring.ringPages.length, 0);
    return this.mapped - this.#refsBefore - ringPages;
  }

  /** Reads sectors, one request after another if they are too many for one. */
  read(sector: number, nrSectors = 8): BlockLoad {
    return this.#transfer("read", sector, nrSectors);
  }

  /** Writes sectors, likewise. */
  write(sector: number, nrSectors = 8): BlockLoad {
    return this.#transfer("write", sector, nrSectors);
  }

  /** Requests one after another, each as large as the device takes. */
  #transfer(operation: "read" | "write", sector: number, nrSectors: number): BlockLoad {
    const most = this.disk.size / SECTOR_SIZE;
    wholeNumber(`${operation} from sector`, sector, 0, MOST_SECTOR);
    wholeNumber(`${operation} sectors, of number`, nrSectors, 1, most);
    const segments = Math.max(BLKIF_MAX_SEGMENTS_PER_REQUEST, this.front.maxIndirectSegments);
    const step = segments * SECTORS_PER_PAGE;
    const ios: BlockIo[] = [];
    for (let done = 0; done < nrSectors; done += step) {
      ios.push({ atMs: 0, operation, sector: sector + done, nrSectors: Math.min(step, nrSectors - done) });
    }
    return this.run(ios, { queueDepth: 1 });
  }

  /**
   * Runs a workload: {@linkcode blockWorkload}'s, or a recorded one.
   *
   * @throws {RangeError} if dom0 has crashed, or a request is larger than the device takes
   *
   * @example
   * ```ts
   * import { world } from "grantlab";
   * import { blockWorkload } from "grantlab/drivers";
   * const blk = world({ guestFrames: 1024 }).blk({ persistent: false });
   * const load = blk.run(blockWorkload({ requests: 50 }));
   * if (load.verdict !== "ok" || blk.kept !== 0) throw new Error(String(load));
   * ```
   */
  run(ios: Iterable<BlockIo>, options: BlockLoadOptions = {}): BlockLoad {
    const { world, front, disk, reference } = this;
    world.refuseAfterCrash("run a block workload");
    const load = runBlockLoad({ kernel: world.kernel, front, disk, reference }, ios, options);
    world.crash ??= load.crash;
    return load;
  }

  /** Takes the device away: EBUSY while pages are held or requests in work; ask again later. */
  disconnect(): SysResult<0> {
    return blkbackDisconnect(this.back);
  }

  override [viewOf](): View {
    const { front, back, disk, world } = this;
    return {
      line: `block device of domain ${this.guest.domain.domid}: ${front.inFlight} requests in flight, ` +
        `${this.mapped} grants mapped by dom0, ${this.kept} of them kept or in work`,
      blocks: [
        tableBlock(["part", "state"], [
          ["front end", front[viewOf]().line],
          ["back end", back[viewOf]().line],
          ...back.rings.map((ring) => ["", ring[viewOf]().line]),
          ["disk", disk[viewOf]().line],
          ["pages of dom0 without frame", world.kernel.frameSource[viewOf]().line],
        ]),
      ],
    };
  }
}
