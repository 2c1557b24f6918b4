/**
 * What a front end may ask and what it gets, one rule broken a row. The control row breaks none.
 */

import { assertEquals } from "@std/assert";
import { BLKIF_RSP_EOPNOTSUPP, BLKIF_RSP_ERROR, BLKIF_RSP_OKAY } from "../../lib/drivers/blkif/blkif.ts";
import type { RamBlockDevice } from "../../lib/drivers/block/ram_block_device.ts";
import { blkbackDisconnect } from "../../lib/drivers/blkback/connect.ts";
import { blkbackHoldings, validateBlkback } from "../../lib/drivers/blkback/validate.ts";
import { HostileBlkfront, type RawBlkRequest } from "../../lib/experiments/hostile_blkfront.ts";
import { world } from "../../lib/experiments/world.ts";
import { validateXen } from "../../lib/xen/validate.ts";

interface Row {
  readonly rule: string;
  readonly status: number | null;
  readonly request: (front: HostileBlkfront) => RawBlkRequest;
  /** Ballooned pages of dom0, if few. */
  readonly ballooned?: number;
  readonly persistent?: boolean;
  readonly blockSize?: number;
  readonly isReadonly?: boolean;
  readonly isBroken?: boolean;
  /** Grants kept afterwards. */
  readonly kept?: number;
}

const OK = BLKIF_RSP_OKAY;
const ERR = BLKIF_RSP_ERROR;
const segments = (front: HostileBlkfront, n: number) => Array.from({ length: n }, () => front.page());
const indirect = (front: HostileBlkfront, n: number, more: Partial<RawBlkRequest> = {}): RawBlkRequest => ({
  operation: 6,
  nrSegments: n,
  indirectGrefs: [front.descriptors(segments(front, Math.min(n, 300))).gref],
  ...more,
});

const ROWS: readonly Row[] = [
  { rule: "control: a read of one page", status: OK, request: (f) => ({ segments: [f.page()] }) },
  { rule: "a write of one page", status: OK, request: (f) => ({ operation: 1, segments: [f.page()] }) },
  { rule: "a flush without segments", status: OK, request: () => ({ operation: 3 }) },
  { rule: "a flush with a segment", status: OK, request: (f) => ({ operation: 3, segments: [f.page()] }) },
  { rule: "a barrier without segments", status: OK, request: () => ({ operation: 2 }) },
  {
    rule: "a discard of the last sectors",
    status: OK,
    request: () => ({ operation: 5, sector: 2040, nrSectors: 8 }),
  },
  {
    rule: "a discard beyond the end",
    status: ERR,
    request: () => ({ operation: 5, sector: 2041, nrSectors: 8 }),
  },
  {
    rule: "operation 4, which nobody serves",
    status: BLKIF_RSP_EOPNOTSUPP,
    request: () => ({ operation: 4 }),
  },
  {
    rule: "operation 7, which there is not",
    status: BLKIF_RSP_EOPNOTSUPP,
    request: () => ({ operation: 7 }),
  },
  { rule: "a read without segments", status: ERR, request: () => ({}) },
  { rule: "11 segments", status: OK, request: (f) => ({ segments: segments(f, 11) }) },
  { rule: "12 segments", status: ERR, request: (f) => ({ segments: segments(f, 11), nrSegments: 12 }) },
  { rule: "255 segments", status: ERR, request: (f) => ({ segments: segments(f, 11), nrSegments: 255 }) },
  { rule: "an indirect request of 1 segment", status: OK, request: (f) => indirect(f, 1) },
  { rule: "an indirect request of 256 segments", status: OK, request: (f) => indirect(f, 256) },
  { rule: "an indirect request of 257 segments", status: ERR, request: (f) => indirect(f, 257) },
  { rule: "an indirect request of 65535 segments", status: ERR, request: (f) => indirect(f, 65535) },
  { rule: "an indirect request of no segment", status: ERR, request: (f) => indirect(f, 0) },
  { rule: "an indirect write", status: OK, request: (f) => indirect(f, 20, { indirectOp: 1 }) },
  { rule: "an indirect flush", status: ERR, request: (f) => indirect(f, 20, { indirectOp: 3 }) },
  { rule: "an indirect indirect request", status: ERR, request: (f) => indirect(f, 20, { indirectOp: 6 }) },
  {
    rule: "descriptors in a page that is not granted",
    status: ERR,
    request: (f) => indirect(f, 20, { indirectGrefs: [500] }),
  },
  {
    rule: "descriptors in a page granted read-only, no persistence",
    persistent: false,
    status: OK,
    request: (f) =>
      indirect(f, 2, { indirectGrefs: [f.descriptors(segments(f, 2), { readonly: true }).gref] }),
  },
  {
    rule: "descriptors in a page granted read-only under persistence",
    status: ERR,
    request: (f) =>
      indirect(f, 2, { indirectGrefs: [f.descriptors(segments(f, 2), { readonly: true }).gref] }),
  },
  { rule: "a sector 7", status: OK, request: (f) => ({ segments: [{ ...f.page(), first: 7, last: 7 }] }) },
  { rule: "a sector 8", status: ERR, request: (f) => ({ segments: [{ ...f.page(), first: 0, last: 8 }] }) },
  {
    rule: "a last sector before the first",
    status: ERR,
    request: (f) => ({ segments: [{ ...f.page(), first: 3, last: 2 }] }),
  },
  {
    rule: "sectors up to the end of the disk",
    status: OK,
    request: (f) => ({ sector: 2040, segments: [f.page()] }),
  },
  {
    rule: "one sector beyond the end of the disk",
    status: ERR,
    request: (f) => ({ sector: 2041, segments: [f.page()] }),
  },
  {
    rule: "a sector number of 2^53",
    status: ERR,
    request: (f) => ({ sector: 2 ** 53, segments: [f.page()] }),
  },
  {
    rule: "a write to a device that may be read only",
    isReadonly: true,
    status: ERR,
    request: (f) => ({ operation: 1, segments: [f.page()] }),
  },
  {
    rule: "a read of a device that may be read only",
    isReadonly: true,
    status: OK,
    request: (f) => ({ segments: [f.page()] }),
  },
  {
    rule: "whole blocks of 4096 bytes",
    blockSize: 4096,
    status: OK,
    request: (f) => ({ sector: 8, segments: [f.page()] }),
  },
  {
    rule: "a start inside a block",
    blockSize: 4096,
    status: ERR,
    request: (f) => ({ sector: 4, segments: [f.page()] }),
  },
  {
    rule: "a segment of half a block",
    blockSize: 4096,
    status: ERR,
    request: (f) => ({ segments: [{ ...f.page(), last: 3 }] }),
  },
  { rule: "a reference that was never granted", status: ERR, request: () => ({ segments: [{ gref: 300 }] }) },
  {
    rule: "a reference beyond the table",
    status: ERR,
    request: () => ({ segments: [{ gref: 0xffffffff }] }),
  },
  {
    rule: "a page granted to another domain",
    status: ERR,
    request: (f) => ({ segments: [f.page({ domid: 5 })] }),
  },
  {
    rule: "the last of eleven references is bad",
    status: ERR,
    kept: 10,
    request: (f) => ({ segments: [...segments(f, 10), { gref: 300 }] }),
  },
  {
    rule: "the same, no persistence",
    persistent: false,
    status: ERR,
    request: (f) => ({ segments: [...segments(f, 10), { gref: 300 }] }),
  },
  {
    rule: "a page granted read-only, to be read by the device, no persistence",
    persistent: false,
    status: OK,
    request: (f) => ({ operation: 1, segments: [f.page({ readonly: true })] }),
  },
  {
    rule: "a page granted read-only, to be written by the device",
    persistent: false,
    status: ERR,
    request: (f) => ({ segments: [f.page({ readonly: true })] }),
  },
  {
    rule: "a page granted read-only under persistence, which maps for both",
    status: ERR,
    request: (f) => ({ operation: 1, segments: [f.page({ readonly: true })] }),
  },
  {
    rule: "one page in two segments: kept once, mapped again",
    status: OK,
    kept: 1,
    request: (f) => {
      const page = f.page();
      return { operation: 1, segments: [page, page] };
    },
  },
  {
    rule: "the page of the ring itself",
    persistent: false,
    status: OK,
    request: (f) => ({ operation: 1, segments: [{ gref: f.ringRef }] }),
  },
  {
    rule: "as many pages as dom0 has left",
    ballooned: 5,
    persistent: false,
    status: OK,
    request: (f) => ({ segments: segments(f, 4) }),
  },
  {
    rule: "one page more than dom0 has left",
    ballooned: 5,
    persistent: false,
    status: ERR,
    request: (f) => ({ segments: segments(f, 5) }),
  },
  {
    rule: "a disk that fails",
    isBroken: true,
    status: ERR,
    kept: 1,
    request: (f) => ({ segments: [f.page()] }),
  },
];

for (const row of ROWS) {
  Deno.test(`blkback: ${row.rule}`, () => {
    const w = world({
      guestFrames: 1024,
      ...row.ballooned === undefined ? {} : { ballooned: row.ballooned },
    });
    const front = new HostileBlkfront(w, {
      persistent: row.persistent ?? true,
      isReadonly: row.isReadonly ?? false,
      ...row.ballooned === undefined ? {} : { parameters: { max_buffer_pages: 0 } },
    });
    const { device } = front.back as unknown as { device: RamBlockDevice };
    if (row.blockSize !== undefined) Object.assign(device, { logicalBlockSize: row.blockSize });
    device.isBroken = row.isBroken === true;
    const pagesBefore = w.kernel.frameSource.nrFree;
    const request = row.request(front);
    assertEquals(front.ask(request), row.status);
    // Whatever was asked: nothing is leaked, and the next request is served.
    device.isBroken = false;
    assertEquals([validateBlkback(front.back), validateXen(w.hv)], [[], []] as unknown[]);
    const kept = front.back.rings[0]!.persistent.size;
    if (row.kept !== undefined) assertEquals(kept, row.kept);
    if (row.persistent === false) assertEquals(kept, 0);
    const { pages, handles } = blkbackHoldings(front.back);
    assertEquals([w.kernel.frameSource.nrFree + pages - 1, w.dom0.maptrack.live], [pagesBefore, handles]);
    if (row.ballooned === undefined) assertEquals(front.ask({ sector: 16, segments: [front.page()] }), OK);
    assertEquals(blkbackDisconnect(front.back), { ok: true, value: 0 });
    assertEquals([w.dom0.maptrack.live, w.kernel.frameSource.nrFree], [0, pagesBefore + 1]);
  });
}
