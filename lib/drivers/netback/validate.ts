/**
 * Are the books of a network back end in order? Slow, for tests.
 *
 * @module
 */

import { xenPageForeign } from "../../linux/xen/page_foreign.ts";
import { MAX_PENDING_REQS, NETBACK_INVALID_HANDLE, type Xenvif } from "./xenvif.ts";

/** All broken rules, in words; none if the books are in order. */
export function validateNetback(vif: Xenvif): string[] {
  const violations: string[] = [];
  const { memMap } = vif.kernel.system;
  for (const queue of vif.queues) {
    const add = (what: string) => violations.push(`queue ${queue.id}: ${what}`);
    const free = new Set(queue.pendingRing);
    if (free.size !== queue.pendingRing.length) add("a place is free twice");
    const inWork = queue.pendingTx.filter((request) => request !== null).length;
    if (inWork + free.size !== MAX_PENDING_REQS) {
      add(`${inWork} slots in work and ${free.size} free are not all`);
    }
    for (let i = 0; i < MAX_PENDING_REQS; i++) {
      const isMapped = queue.grantTxHandle[i] !== NETBACK_INVALID_HANDLE;
      const page = queue.mmapPages[i]!;
      if (free.has(i) && isMapped) add(`place ${i} is free and mapped`);
      if (free.has(i) && memMap.refcount[page] !== 1) add(`page of free place ${i} is held`);
      if (isMapped !== (xenPageForeign(vif.kernel, page) !== null)) {
        add(`page of place ${i} is marked wrongly`);
      }
    }
    const unanswered = queue.tx.reqCons - queue.tx.rspProdPvt >>> 0;
    // A packet that ended the interface is never answered.
    if (!vif.isDisabled && unanswered !== inWork) {
      add(`${unanswered} slots without answer, ${inWork} in work`);
    }
  }
  return violations;
}

/** Handles that an interface holds. */
export function netbackHandles(vif: Xenvif): number {
  return vif.queues.reduce(
    (sum, { ringPages, grantTxHandle }) =>
      sum + ringPages.length + grantTxHandle.filter((handle) => handle !== NETBACK_INVALID_HANDLE).length,
    0,
  );
}
