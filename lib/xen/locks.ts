/**
 * Locks, as far as they cost: a lock plan says which lock acquisitions an operation of the grant-table code makes
 * and counts them. The model is sequential, so no lock is ever contended here; contention is computed from counts.
 *
 * Order in Xen: table lock, then active entry; at most one active entry at a time under the read lock.
 *
 * @module
 */

import { EV } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";

/** Where the grant-table code takes locks. */
export interface LockPlan {
  readonly name: string;
  /** Around work on single entries of the granter's table. */
  grantReadLock(trace: Trace): void;
  /** Around changes of a table's size or version. */
  grantWriteLock(trace: Trace): void;
  /** Around one entry. */
  activeEntryAcquire(trace: Trace): void;
}

/**
 * Since 2016: a per-CPU reader-writer lock for the table, a spin lock for each active entry.
 *
 * @cite xen 4.17 xen/common/grant_table.c active_entry_acquire
 */
export const perCpuRwlock: LockPlan = Object.freeze({
  name: "per_cpu_rwlock",
  grantReadLock: (trace: Trace) => trace.add(EV.gt_lock),
  grantWriteLock: (trace: Trace) => trace.add(EV.gt_lock),
  activeEntryAcquire: (trace: Trace) => trace.add(EV.active_lock),
});
