/**
 * What it brings that consecutive grant copies keep their pages: Xen looks a page up, pins it and takes its type once for
 * all operations in a row that name it. The same traffic through two hypervisors that differ in this alone.
 *
 * Only towards a guest do operations in a row name the same page: the pieces of a packet fill one page of the guest
 * after the other. From a guest there is one copy a packet, from a page of its own to another; block devices do not copy.
 *
 * @cite commit d28f42f270 copies keep pages since 2015-01-29
 * @module
 */

import { knownOptions } from "../core/options.ts";
import { netWorkload } from "../drivers/workload/net_workload.ts";
import { blockWorkload } from "../drivers/workload/block_workload.ts";
import { ASSUMED_CYCLES } from "../cost/assumed_cycles.ts";
import type { PriceList } from "../cost/price.ts";
import { priceOf } from "../cost/price_of.ts";
import type { EventCounts } from "../trace/trace.ts";
import { xen4_17 } from "../xen/flavours.ts";
import { World } from "./world.ts";

/** Kinds of traffic. */
export const COPY_PATHS = ["receive", "transmit", "guest to guest", "disk read", "disk write"] as const;

/** Parameters. */
export interface CopyCacheOptions {
  /** Bytes of a packet. Default 30 000: what a card has put together from 1448 each. */
  readonly packetBytes?: number;
  readonly packets?: number;
  readonly prices?: PriceList;
}

const KNOWN: Readonly<Record<keyof CopyCacheOptions, true>> = {
  packetBytes: true,
  packets: true,
  prices: true,
};

/** One kind of traffic. */
export interface CopyCacheRow {
  readonly path: typeof COPY_PATHS[number];
  /** Cycles of Xen per packet or request, bytes moved not counted: without and with kept pages. */
  readonly without: number;
  readonly kept: number;
  /** What is saved, of `without`. */
  readonly saved: number;
  readonly prices: string;
}

/**
 * Runs the experiment.
 *
 * @example
 * ```ts
 * import { copyCache } from "grantlab/experiments";
 * const helped = copyCache({ packets: 4 }).filter((row) => row.saved > 0).map((row) => row.path);
 * if (!helped.includes("receive") || helped.includes("transmit")) throw new Error(helped.join());
 * ```
 */
export function copyCache(options: CopyCacheOptions = {}): CopyCacheRow[] {
  knownOptions("copyCache()", options, KNOWN);
  const { packetBytes = 30_000, packets = 16, prices = ASSUMED_CYCLES } = options;
  return COPY_PATHS.map((path) => {
    const [without, kept] = [false, true].map((copyKeepsPages) => {
      const counts = trafficOf(path, copyKeepsPages, packetBytes, packets);
      const { xen_copy_bytes: _moved, ...work } = counts;
      const xen = priceOf(work, prices).byLayer.find(({ layer }) => layer === "xen");
      return (xen?.amount ?? 0) / packets;
    }) as [number, number];
    const { assumed, list } = priceOf({ gnttab_op: 1 }, prices);
    return {
      path,
      without,
      kept,
      saved: without === 0 ? 0 : (without - kept) / without,
      prices: `${assumed ? "assumed" : "measured"}: ${list}`,
    };
  });
}

function trafficOf(
  path: CopyCacheRow["path"],
  copyKeepsPages: boolean,
  packetBytes: number,
  packets: number,
): EventCounts {
  const xen = { ...xen4_17, name: copyKeepsPages ? "xen4_17" : "xen4_17 that forgets pages", copyKeepsPages };
  const world = new World({ xen, guestFrames: 1024, ballooned: 1400, spareFrames: 1024 });
  const sizes = [{ bytes: packetBytes, weight: 1 }];
  switch (path) {
    case "receive":
      return world.net({ rxPages: 200 }).deliver(netWorkload({ packets, sizes })).events;
    case "transmit":
      return world.net().send(netWorkload({ packets, sizes })).events;
    case "guest to guest": {
      const to = world.net({ guest: world.addGuest(1024), rxPages: 200 });
      return world.net({ to }).send(netWorkload({ packets, sizes })).events;
    }
    case "disk read":
    case "disk write": {
      const ios = blockWorkload({
        requests: packets,
        readShare: path === "disk read" ? 1 : 0,
        sizes: [{ bytes: 32768, weight: 1 }],
      });
      return world.blk({ persistent: false }).run(ios).dom0Events;
    }
  }
}
