/**
 * When an unmap flushes: after every operation, once a batch of 32, or only if a page walk had used an entry. By size
 * of the batch and by how many CPUs dom0 has run on, each of which gets an interrupt.
 *
 * One operation is a request of a block back end: grants mapped at kernel addresses in one call, unmapped in one call.
 * `touched` says whether dom0's CPUs use the pages in between; a disk's DMA does not (`05`, row 9 of the published
 * figures), a RAM disk does.
 *
 * @module
 */

import { FLUSH_POLICIES, type FlushPolicy } from "../xen/flush.ts";
import { xen4_17 } from "../xen/flavours.ts";
import { nameAxis, numberAxis } from "./axis.ts";
import { type Experiment, experiment } from "./experiment.ts";
import { GrantHost } from "./grant_host.ts";

/** Pages touched by dom0's CPUs, or only by a device. */
export const TOUCHED: Readonly<Record<string, boolean>> = Object.freeze({ no: false, yes: true });

/** The experiment. */
export const flushBatching: Experiment = experiment({
  name: "flush_batching",
  question: "What do batching flushes, and avoiding them, save as vCPUs grow?",
  axes: {
    policy: nameAxis("flush policy", FLUSH_POLICIES),
    touched: nameAxis("use by dom0's CPUs", TOUCHED, ["no"]),
    batch: numberAxis("grants in one call", [11], { from: 1, to: 4096 }),
    cpus: numberAxis("CPUs", [1, 2, 3, 4, 6, 8, 12, 16, 20, 24], { from: 1, to: 256 }),
  },
  run({ policy, touched, batch, cpus }) {
    const flush: FlushPolicy = FLUSH_POLICIES[policy as keyof typeof FLUSH_POLICIES];
    const host = new GrantHost({ xen: { ...xen4_17, flush }, cpus, grants: batch });
    // Once beforehand: page tables of the kernel's linear map are there on a running host.
    host.unmapForKernel(host.mapForKernel(0, batch));
    const events = host.count(() => {
      const mapped = host.mapForKernel(0, batch);
      if (TOUCHED[touched]) host.touchInKernel(mapped);
      host.unmapForKernel(mapped);
    });
    return [{ events }];
  },
  figure: {
    kind: "peak",
    x: "cpus",
    series: "policy",
    y: "throughput",
    where: { batch: 11, touched: "no" },
    title: "Map and unmap on every CPU, by when Xen flushes",
  },
});
