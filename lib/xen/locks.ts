/**
 * Locks, as far as they cost: a lock plan says which lock acquisitions an operation of the grant-table code makes
 * and counts them, each class as an event of its own. The model is sequential, so no lock is ever contended here;
 * contention is computed from counts.
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
  /** How many free lists of handles a domain of so many vCPUs has; each is locked by itself. */
  maptrackLists(vcpus: number): number;
}

/**
 * Before June 2015: one spin lock for all of a table, readers and writers alike, and one free list of handles.
 *
 * @cite xen 4.5 xen/common/grant_table.c __gnttab_map_grant_ref
 */
export const singleSpinLock: LockPlan = Object.freeze({
  name: "single_spin_lock",
  grantReadLock: (trace: Trace) => trace.one(EV.gt_spin_lock),
  grantWriteLock: (trace: Trace) => trace.one(EV.gt_spin_lock),
  activeEntryAcquire: () => {},
  maptrackLists: () => 1,
});

/**
 * June 2015: a reader-writer lock for the table, whose readers still write one shared word, a spin lock for each
 * active entry, free lists of handles by vCPU.
 *
 * @cite commit b4650e9a96 split of the grant lock
 */
export const splitRwlock: LockPlan = Object.freeze({
  name: "split_rwlock",
  grantReadLock: (trace: Trace) => trace.one(EV.gt_rw_lock),
  grantWriteLock: (trace: Trace) => trace.one(EV.gt_write_lock),
  activeEntryAcquire: (trace: Trace) => trace.one(EV.active_lock),
  maptrackLists: (vcpus: number) => vcpus,
});

/**
 * Since January 2016: the reader-writer lock is per CPU, so readers share nothing and writers visit every CPU.
 *
 * @cite xen 4.17 xen/common/grant_table.c active_entry_acquire
 */
export const perCpuRwlock: LockPlan = Object.freeze({
  name: "per_cpu_rwlock",
  grantReadLock: (trace: Trace) => trace.one(EV.gt_lock),
  grantWriteLock: (trace: Trace) => trace.one(EV.gt_write_lock),
  activeEntryAcquire: (trace: Trace) => trace.one(EV.active_lock),
  maptrackLists: (vcpus: number) => vcpus,
});
