/**
 * Putting a request into a ring: references are claimed for all of its pages or for none, data are copied to pages that
 * stay granted, descriptors of more than eleven segments go to a page of their own.
 *
 * @cite linux 6.1 drivers/block/xen-blkfront.c blkif_queue_rw_req
 * @module
 */

import { type Maddr, maddrOf, type Mfn } from "../../core/frames.ts";
import { outOfRange } from "../../core/misuse.ts";
import { EV } from "../../trace/events.ts";
import type { PhysMem } from "../../x86/phys_mem.ts";
import { WORDS_PER_FRAME } from "../../x86/phys_mem.ts";
import {
  BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST,
  BLKIF_MAX_SEGMENTS_PER_REQUEST,
  BLKIF_OP_DISCARD,
  BLKIF_OP_FLUSH_DISKCACHE,
  BLKIF_OP_INDIRECT,
  BLKIF_OP_READ,
  BLKIF_OP_WRITE,
  BLKIF_OP_WRITE_BARRIER,
  BLKIF_SEGMENT_BYTES,
  SECTOR_SHIFT,
  SEGS_PER_INDIRECT_FRAME,
} from "../blkif/blkif.ts";
import {
  type Blkfront,
  type BlkfrontRing,
  type BlkfrontWish,
  type BlkSegment,
  type BlkShadow,
  type FrontGrant,
  INVALID_GRANT_REF,
} from "./blkfront.ts";

const OPERATIONS = {
  read: BLKIF_OP_READ,
  write: BLKIF_OP_WRITE,
  flush: BLKIF_OP_FLUSH_DISKCACHE,
  barrier: BLKIF_OP_WRITE_BARRIER,
  discard: BLKIF_OP_DISCARD,
} as const;

/** Words of a sector. */
const WORDS_PER_SECTOR = 128;

/**
 * Queues a request; nothing is shown to the back end before {@linkcode blkfrontKick}.
 *
 * @returns false if the ring is full or no references are left: the request stays with the caller
 * @throws {RangeError} if it has more segments than were agreed on
 */
export function blkfrontQueue(front: Blkfront, ring: BlkfrontRing, wish: BlkfrontWish): boolean {
  const n = wish.segments.length;
  const most = Math.max(BLKIF_MAX_SEGMENTS_PER_REQUEST, front.maxIndirectSegments);
  if (n > most) throw outOfRange("queue a request of segments", n, `this device takes ${most}`);
  if (front.isBroken || ring.ring.free === 0) return false;
  const id = ring.freeIds.at(-1);
  if (id === undefined) return false;
  const shadow = ring.shadow[id]!;
  if (!takeGrants(front, ring, shadow, wish)) return false;
  ring.freeIds.pop();
  shadow.wish = wish;
  if (wish.operation === "write" && front.persistent) copySegments(front, shadow, true);
  fill(front, ring, shadow, wish, id);
  ring.request.copyTo(ring.ring.shared, ring.ring.shared.slot(ring.ring.reqProdPvt));
  ring.ring.reqProdPvt++;
  return true;
}

/** Shows the back end what was queued, and tells it if it asked for that. @cite linux 6.1 drivers/block/xen-blkfront.c flush_requests */
export function blkfrontKick(front: Blkfront, ring: BlkfrontRing): void {
  if (ring.ring.pushRequests()) front.kernel.evtchn.notify(ring.port);
}

/** A grant for every segment and every page of descriptors, or none at all. */
function takeGrants(front: Blkfront, ring: BlkfrontRing, shadow: BlkShadow, wish: BlkfrontWish): boolean {
  const { length: n } = wish.segments;
  const nrIndirect = n > BLKIF_MAX_SEGMENTS_PER_REQUEST ? Math.ceil(n / SEGS_PER_INDIRECT_FRAME) : 0;
  shadow.grantsUsed.length = 0;
  shadow.indirectGrants.length = 0;
  const readonly = wish.operation !== "read";
  for (const segment of wish.segments) {
    const grant = getGrant(front, ring, segment, readonly);
    if (grant === null) return giveBack(ring, shadow);
    shadow.grantsUsed.push(grant);
  }
  while (shadow.indirectGrants.length < nrIndirect) {
    const grant = getGrant(front, ring, null, true);
    if (grant === null) return giveBack(ring, shadow);
    shadow.indirectGrants.push(grant);
  }
  return true;
}

function giveBack(ring: BlkfrontRing, shadow: BlkShadow): false {
  ring.grants.unshift(...shadow.grantsUsed.splice(0), ...shadow.indirectGrants.splice(0));
  return false;
}

/**
 * A page that the back end may use. With persistence (and for descriptors) one of the front end's own, else that of the
 * data.
 *
 * @cite linux 6.1 drivers/block/xen-blkfront.c get_grant
 */
function getGrant(
  front: Blkfront,
  ring: BlkfrontRing,
  segment: BlkSegment | null,
  readonly: boolean,
): FrontGrant | null {
  const { kernel, backDomid } = front;
  const isOwn = front.persistent || segment === null;
  const grant: FrontGrant = isOwn ? ring.grants.pop() ?? { gref: INVALID_GRANT_REF, frame: -1 } : {
    gref: INVALID_GRANT_REF,
    frame: segment.frame,
  };
  if (grant.gref !== INVALID_GRANT_REF) return grant;
  if (grant.frame < 0) grant.frame = kernel.allocFrames(1)[0]!;
  // What stays granted must do for reads and writes alike.
  grant.gref = kernel.grantRefs.grantForeignAccess(backDomid, grant.frame, readonly && !front.persistent);
  if (grant.gref !== INVALID_GRANT_REF) return grant;
  if (isOwn) ring.grants.unshift(grant);
  return null;
}

function fill(
  front: Blkfront,
  ring: BlkfrontRing,
  shadow: BlkShadow,
  wish: BlkfrontWish,
  id: number,
): void {
  const { request } = ring;
  const { segments } = wish;
  request.idLo = id;
  request.idHi = 0;
  request.handle = 0;
  request.sectorNumber = wish.sector;
  request.nrSegments = segments.length;
  request.nrSectors = wish.nrSectors ?? 0;
  request.operation = OPERATIONS[wish.operation];
  if (shadow.indirectGrants.length > 0) {
    request.indirectOp = request.operation;
    request.operation = BLKIF_OP_INDIRECT;
    for (let i = 0; i < BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST; i++) {
      request.gref[i] = shadow.indirectGrants[i]?.gref ?? 0;
    }
    segments.forEach((segment, n) => writeDescriptor(front.kernel.hv.mem, shadow, segment, n));
    return;
  }
  segments.forEach(({ first, last }, i) => {
    request.gref[i] = shadow.grantsUsed[i]!.gref;
    request.firstSect[i] = first;
    request.lastSect[i] = last;
  });
}

function writeDescriptor(mem: PhysMem, shadow: BlkShadow, { first, last }: BlkSegment, n: number): void {
  const { frame } = shadow.indirectGrants[Math.floor(n / SEGS_PER_INDIRECT_FRAME)]!;
  const at = maddrOf(frame as Mfn, n % SEGS_PER_INDIRECT_FRAME * BLKIF_SEGMENT_BYTES);
  mem.write32(at, shadow.grantsUsed[n]!.gref);
  mem.write16(at + 4 as Maddr, first | last << 8);
}

/** Copies between the pages of the data and those that stay granted. @cite linux 6.1 drivers/block/xen-blkfront.c blkif_copy_from_grant */
export function copySegments(front: Blkfront, { wish, grantsUsed }: BlkShadow, toGrant: boolean): void {
  const { mem, trace } = front.kernel.hv;
  wish!.segments.forEach(({ frame, first, last }, i) => {
    const own = grantsUsed[i]!.frame;
    const nrSectors = last - first + 1;
    trace.add(EV.front_copy_bytes, nrSectors << SECTOR_SHIFT);
    const from = mem.makeSlot((toGrant ? frame : own) as Mfn) * WORDS_PER_FRAME + first * WORDS_PER_SECTOR;
    const to = mem.makeSlot((toGrant ? own : frame) as Mfn) * WORDS_PER_FRAME + first * WORDS_PER_SECTOR;
    mem.words.copyWithin(to, from, from + nrSectors * WORDS_PER_SECTOR);
  });
}
