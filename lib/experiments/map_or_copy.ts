/**
 * To get at a guest's data: map the grants and unmap them, let Xen copy (GNTTABOP_copy), or keep them mapped for ever and copy
 * in the guest's kernel (persistent grants).
 *
 * `map` and `copy` are runs of the model. `persistent` is the protocol's own count, not a run: no hypercall, and for each
 * page one copy of 4096 bytes at most and one look-up in the tree of mapped grants, counted as a look-up in a tree of
 * VMAs. The front end pays the copy, so it is a cost of the host, not of dom0.
 *
 * @module
 */

import { PAGE_SIZE } from "../core/geometry.ts";
import { gnttabBatchCopy } from "../linux/xen/gnttab.ts";
import type { EventCounts } from "../trace/trace.ts";
import { DOMID_SELF, GNTCOPY_source_gref, type GnttabCopy } from "../xen/abi.ts";
import { GNTST_okay } from "../xen/status.ts";
import { nameAxis, numberAxis } from "./axis.ts";
import { type Experiment, experiment } from "./experiment.ts";
import { GrantHost } from "./grant_host.ts";

/** Copies of one hypercall. @cite linux 6.1 drivers/net/xen-netback/common.h COPY_BATCH_SIZE */
export const COPY_BATCH_SIZE = 64;

interface Transfer {
  readonly pages: number;
  /** Of each page. */
  readonly bytes: number;
  readonly cpus: number;
}

/** Ways to the data, each as what it counts. */
export const WAYS: Readonly<Record<string, (transfer: Transfer) => EventCounts>> = Object.freeze({
  map({ pages, cpus }: Transfer) {
    const host = new GrantHost({ cpus, grants: pages });
    host.unmapForKernel(host.mapForKernel(0, pages));
    return host.count(() => host.unmapForKernel(host.mapForKernel(0, pages)));
  },
  copy({ pages, bytes, cpus }: Transfer) {
    const host = new GrantHost({ cpus, grants: pages });
    const { kernel } = host;
    const own = Array.from({ length: pages }, () => kernel.system.memMap.allocPage());
    const ops: GnttabCopy[] = host.grants(0, pages).map(({ domid, ref }, i) => ({
      source: { domid, ref, offset: 0 },
      dest: { domid: DOMID_SELF, gmfn: kernel.guest.grantFrame(kernel, own[i]!), offset: 0 },
      len: bytes,
      flags: GNTCOPY_source_gref,
      status: 1,
    }));
    const events = host.count(() => {
      for (let i = 0; i < pages; i += COPY_BATCH_SIZE) {
        gnttabBatchCopy(kernel, ops.slice(i, i + COPY_BATCH_SIZE));
      }
    });
    const bad = ops.find(({ status }) => status !== GNTST_okay);
    if (bad !== undefined) throw new Error(`Xen answers ${bad.status}`);
    return events;
  },
  persistent: ({ pages, bytes }: Transfer) => ({ page_copy: pages * bytes / PAGE_SIZE, vma_find: pages }),
});

/** The experiment. */
export const mapOrCopy: Experiment = experiment({
  name: "map_or_copy",
  question: "Map the grants, let Xen copy, or keep them mapped and copy: which costs less?",
  axes: {
    way: nameAxis("way to the data", WAYS),
    pages: numberAxis("pages", [1, 4, 11, 32, 64], { from: 1, to: 4096 }),
    bytes: numberAxis("bytes of each page", [64, 512, 1500, 4096], { from: 1, to: PAGE_SIZE }),
    cpus: numberAxis("CPUs", [1, 4, 16], { from: 1, to: 256 }),
  },
  run: ({ way, ...transfer }) => [{ events: WAYS[way]!(transfer) }],
  figure: {
    kind: "lines",
    x: "bytes",
    series: "way",
    per: "pages",
    where: { pages: 11, cpus: 4 },
    title: "Getting at pages of a guest: map, copy, or keep mapped",
  },
});
