/**
 * The block back end for people: device, rings, requests in work, stock of pages, kept grants.
 *
 * @module
 */

import { tableBlock, type View } from "../../../core/view.ts";
import type { XenBlkif, XenBlkifRing } from "../xen_blkif.ts";

const right = (header: string) => ({ header, right: true }) as const;

/** A ring: indices, what is in work, what is kept. */
export function blkRingView(ring: XenBlkifRing): View {
  const { blkif, ring: back, stats } = ring;
  const now = blkif.kernel.work.nowMs;
  const kept = ring.persistent.values();
  const state = ring.isHalted ? ", halted" : ring.drained !== null ? ", drains for a barrier" : "";
  return {
    line:
      `ring ${ring.id}: ${back.shared.size} slots, ${ring.inflight} requests in work, ${ring.freePages.size} pages in stock, ` +
      `${kept.length} grants kept${state}`,
    blocks: [
      tableBlock(["", right("")], [
        ["req_prod, the front end's", String(back.reqProd)],
        ["req_cons", String(back.reqCons)],
        ["rsp_prod_pvt", String(back.rspProdPvt)],
        ["requests in work", String(ring.inflight)],
        ["request structures free", String(ring.pendingFree.length)],
        ["pages in stock", `${ring.freePages.size} of at most ${blkif.parameters.max_buffer_pages}`],
        [
          "grants kept",
          `${kept.length} of at most ${blkif.parameters.max_persistent_grants}, ${ring.persistentInUse} in use`,
        ],
        ["found, put in, given back", `${stats.hits}, ${stats.kept}, ${stats.purged}`],
        ["answers okay, error, not supported", `${stats.okay}, ${stats.error}, ${stats.eopnotsupp}`],
        ["answers that waited for a page", `${stats.deferred}, longest ${stats.longestMs} ms`],
      ]),
      tableBlock(
        [right("ref"), right("handle"), right("page"), "state"],
        kept.map(({ gnt, handle, page, active, lastUsed }) => [
          String(gnt),
          String(handle),
          String(page),
          active ? "in use" : `idle for ${now - lastUsed} ms`,
        ]),
        { caption: "persistent grants, in order of reference", limit: 12 },
      ),
    ],
  };
}

/** A device and its rings. */
export function blkbackView(blkif: XenBlkif): View {
  const { domid, device, features, rings, unmapPolicy } = blkif;
  const requests = rings.reduce((sum, { stats }) => sum + stats.okay + stats.error + stats.eopnotsupp, 0);
  return {
    line:
      `blkback for domain ${domid} on ${device.name}: ${rings.length} rings, ${requests} requests answered, ` +
      `${features.persistent ? "persistent grants" : "map and unmap"}, ${unmapPolicy.name}`,
    blocks: [
      tableBlock(
        [
          right("ring"),
          right("slots"),
          right("in work"),
          right("stock"),
          right("kept"),
          right("okay"),
          right("error"),
        ],
        rings.map(({ id, ring, inflight, freePages, persistent, stats }) =>
          [id, ring.shared.size, inflight, freePages.size, persistent.size, stats.okay, stats.error].map(
            String,
          )
        ),
      ),
    ],
  };
}
