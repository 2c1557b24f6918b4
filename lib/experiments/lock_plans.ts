/**
 * The locks of the grant code through three releases: one spin lock for a table (until 2015), a reader-writer lock whose
 * readers share one word and a lock for each entry (2015), the same with readers per CPU (since 2016). What do n CPUs
 * that copy packets, or map and unmap pages, of one guest get out of each?
 *
 * One operation is a hypercall of so many grants; the model counts it, contention is computed from the counts
 * (`lib/cost/contention.ts`).
 *
 * @module
 */

import { type LockPlan, perCpuRwlock, singleSpinLock, splitRwlock } from "../xen/locks.ts";
import { xen4_17 } from "../xen/flavours.ts";
import { gnttabBatchCopy } from "../linux/xen/gnttab.ts";
import { DOMID_SELF, GNTCOPY_source_gref } from "../xen/abi.ts";
import { nameAxis, numberAxis } from "./axis.ts";
import { type Experiment, experiment } from "./experiment.ts";
import { GrantHost } from "./grant_host.ts";

/** The plans by name, oldest first. */
export const LOCK_PLANS: Readonly<Record<string, LockPlan>> = Object.freeze({
  single_spin_lock: singleSpinLock,
  split_rwlock: splitRwlock,
  per_cpu_rwlock: perCpuRwlock,
});

interface Task {
  readonly grants: number;
  /** Copied of each. */
  readonly bytes: number;
}

/** What a CPU does again and again, `grants` of them in one hypercall: sets up, and answers the operation itself. */
export const WORK: Readonly<Record<string, (host: GrantHost, task: Task) => () => void>> = Object.freeze({
  copy(host: GrantHost, { grants, bytes }: Task) {
    const { kernel } = host;
    const gmfn = kernel.guest.grantFrame(kernel, kernel.system.memMap.allocPage());
    const ops = host.grants(0, grants).map(({ domid, ref }) => ({
      source: { domid, ref, offset: 0 },
      dest: { domid: DOMID_SELF, gmfn, offset: 0 },
      len: bytes,
      flags: GNTCOPY_source_gref,
      status: 1,
    }));
    return () => gnttabBatchCopy(kernel, ops);
  },
  map(host: GrantHost, { grants }: Task) {
    const operation = () => host.unmapForKernel(host.mapForKernel(0, grants));
    operation(); // page tables of the linear map are there on a running host
    return operation;
  },
});

/** The experiment. */
export const lockPlans: Experiment = experiment({
  name: "lock_plans",
  question: "How far do the lock plans of the grant code scale?",
  axes: {
    plan: nameAxis("lock plan", LOCK_PLANS),
    work: nameAxis("work", WORK, ["copy"]),
    grants: numberAxis("grants in one call", [64], { from: 1, to: 512 }),
    bytes: numberAxis("bytes copied of each grant", [1500], { from: 1, to: 4096 }),
    cpus: numberAxis("CPUs", [1, 2, 4, 6, 8, 12, 16, 24, 32], { from: 1, to: 256 }),
  },
  run({ plan, work, grants, bytes, cpus }) {
    const host = new GrantHost({ xen: { ...xen4_17, locks: LOCK_PLANS[plan]! }, cpus, grants });
    return [{ events: host.count(WORK[work]!(host, { grants, bytes })) }];
  },
  figure: {
    kind: "peak",
    x: "cpus",
    series: "plan",
    y: "throughput",
    where: { work: "copy" },
    title: "Packets copied from one guest on every CPU, by lock plan",
  },
});
