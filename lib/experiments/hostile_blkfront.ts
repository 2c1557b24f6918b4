/**
 * A block front end that keeps to no rule: it writes requests field by field, moves the ring's indices as it likes, and
 * takes grants back or changes pages while they are in use. For finding out what a back end does about it.
 *
 * @module
 */

import { Shown, viewOf } from "../core/shown.ts";
import { tableBlock, type View } from "../core/view.ts";
import { maddrOf, type Mfn } from "../core/frames.ts";
import { outOfRange } from "../core/misuse.ts";
import { knownOptions } from "../core/options.ts";
import { blkbackConnect, type BlkbackOptions } from "../drivers/blkback/connect.ts";
import type { XenBlkif } from "../drivers/blkback/xen_blkif.ts";
import {
  BLKIF_ENTRY_BYTES,
  blkifOpName,
  BlkifRequest,
  type BlkifResponse,
  blkifStatusName,
  readResponse,
} from "../drivers/blkif/blkif.ts";
import { RamBlockDevice } from "../drivers/block/ram_block_device.ts";
import { REQ_PROD, SharedRing } from "../drivers/ring/shared_ring.ts";
import { FrontRing } from "../drivers/ring/front_ring.ts";
import type { RamDisk } from "../drivers/ram_disk.ts";
import { guestOf } from "./blk_device.ts";
import { blankDisk } from "./run_block_load.ts";
import type { Guest } from "./guest.ts";
import type { World } from "./world.ts";

/** A segment as it is written into a request. */
export interface RawSegment {
  readonly gref: number;
  readonly first?: number;
  readonly last?: number;
}

/** A request as it is written into the ring; what is left out is a read of sector 0 without segments. */
export interface RawBlkRequest {
  readonly operation?: number;
  readonly indirectOp?: number;
  /** Default: as many as there are `segments`. */
  readonly nrSegments?: number;
  readonly sector?: number;
  readonly nrSectors?: number;
  readonly segments?: readonly RawSegment[];
  /** References to the pages of descriptors. */
  readonly indirectGrefs?: readonly number[];
  readonly id?: number;
}

/** How {@linkcode HostileBlkfront} is made: what its back end is told, and whose it is. */
export interface HostileBlkfrontOptions extends Partial<BlkbackOptions> {
  /** Default: the world's guest. */
  readonly guest?: Guest;
}

const KNOWN: Readonly<Record<keyof HostileBlkfrontOptions, true>> = {
  guest: true,
  device: true,
  persistent: true,
  parameters: true,
  unmapPolicy: true,
  isReadonly: true,
};

/** The front end. */
export class HostileBlkfront extends Shown {
  readonly guest: Guest;
  readonly back: XenBlkif;
  readonly disk: RamDisk;
  readonly ring: FrontRing;
  readonly ringRef: number;
  /** Answers, in order. */
  readonly responses: BlkifResponse[] = [];
  readonly #request = new BlkifRequest();
  readonly #port: number;
  #nextId = 1;

  constructor(readonly world: World, options: HostileBlkfrontOptions = {}) {
    super();
    knownOptions("HostileBlkfront", options, KNOWN);
    const { kernel } = world;
    const { guest: wish, ...given } = options;
    const guest = guestOf(world, wish);
    this.guest = guest;
    this.disk = blankDisk(2 ** 20);
    const [frame] = guest.allocFrames(1);
    this.ringRef = guest.grantRefs.grantForeignAccess(world.dom0.domid, frame!, false);
    this.ring = new FrontRing(new SharedRing(world.hv.mem, [frame!], BLKIF_ENTRY_BYTES));
    this.#port = kernel.evtchn.allocUnbound(() => {});
    const back = blkbackConnect(
      kernel,
      {
        domid: guest.domain.domid,
        rings: [{ ringRefs: [this.ringRef], eventChannel: this.#port }],
        persistent: given.persistent ?? true,
      },
      { device: new RamBlockDevice(kernel.system, this.disk), ...given },
    );
    if (!back.ok) throw outOfRange("connect a front end of domain", guest.domain.domid, back.errno);
    this.back = back.value;
    kernel.work.advance(0);
  }

  /** A page that dom0 may use: its reference and frame. */
  page(
    options: { readonly readonly?: boolean; readonly domid?: number } = {},
  ): { gref: number; frame: number } {
    const [frame] = this.guest.allocFrames(1);
    const domid = options.domid ?? this.world.dom0.domid;
    return {
      gref: this.guest.grantRefs.grantForeignAccess(domid, frame!, options.readonly === true),
      frame: frame!,
    };
  }

  /** A page with these descriptors of segments in it. A back end that keeps grants maps it for both ways. */
  descriptors(
    segments: readonly RawSegment[],
    options: { readonly readonly?: boolean } = {},
  ): { gref: number; frame: number } {
    const page = this.page(options);
    const { mem } = this.world.hv;
    segments.forEach(({ gref, first = 0, last = 7 }, n) => {
      mem.write32(maddrOf(page.frame as Mfn, n * 8), gref);
      mem.write16(maddrOf(page.frame as Mfn, n * 8 + 4), (first & 0xff) | (last & 0xff) << 8);
    });
    return page;
  }

  /** Writes a request into the next slot, whatever stands there, and answers its id. */
  put(given: RawBlkRequest): number {
    const request = this.#request;
    const { segments = [], indirectGrefs = [] } = given;
    request.operation = given.operation ?? 0;
    request.indirectOp = given.indirectOp ?? 0;
    request.nrSegments = given.nrSegments ?? segments.length;
    request.handle = 0;
    request.idLo = given.id ?? this.#nextId++;
    request.idHi = 0;
    request.sectorNumber = given.sector ?? 0;
    request.nrSectors = given.nrSectors ?? 0;
    for (let i = 0; i < request.gref.length; i++) {
      request.gref[i] = segments[i]?.gref ?? indirectGrefs[i] ?? 0;
      request.firstSect[i] = segments[i]?.first ?? 0;
      request.lastSect[i] = segments[i]?.last ?? 7;
    }
    const { shared } = this.ring;
    request.copyTo(shared, shared.slot(this.ring.reqProdPvt++));
    return request.idLo;
  }

  /** Shows what was put, tells the back end whether it asked or not, and lets it work for `ms`. */
  kick(ms = 2): void {
    this.ring.pushRequests();
    this.#ringTheBell(ms);
  }

  /** Stores any number as index of the next request. */
  lieAboutReqProd(value: number, ms = 2): void {
    this.ring.shared.setIndex(REQ_PROD, value);
    this.#ringTheBell(ms);
  }

  #ringTheBell(ms: number): void {
    this.world.run("serve a hostile front end", () => {
      this.world.kernel.evtchn.notify(this.#port);
      this.world.kernel.work.advance(ms);
    });
    while (this.ring.unread > 0 && this.ring.unread <= this.ring.shared.size) {
      this.responses.push(readResponse(this.ring.shared, this.ring.shared.slot(this.ring.rspCons++)));
    }
    this.ring.finalCheck();
  }

  /** Puts one request, lets the back end work, and answers its status; null if there is no answer. */
  ask(request: RawBlkRequest, ms = 2): number | null {
    const id = this.put(request);
    const before = this.responses.length;
    this.kick(ms);
    return this.responses.slice(before).find(({ idLo }) => idLo === id)?.status ?? null;
  }

  override [viewOf](): View {
    return {
      line: `hostile blkfront in domain ${this.guest.domain.domid}: ${this.responses.length} answers`,
      blocks: [
        tableBlock(
          ["id", "operation", "status"],
          this.responses.map(({ idLo, operation, status }) => [
            String(idLo),
            blkifOpName(operation),
            blkifStatusName(status),
          ]),
        ),
      ],
    };
  }
}
