/**
 * The granter's side in Linux: which references of the domain's own table are free, a table that grows, and the end
 * of an access that the peer may still be using.
 *
 * An entry still in use when its owner lets go is put on a list and tried again every second, ten entries a run; its
 * page is freed when it has worked.
 *
 * @cite linux 6.1 drivers/xen/grant-table.c gnttab_grant_foreign_access
 * @module
 */

import { DOMID_SELF, GNTTAB_NR_RESERVED_ENTRIES, GNTTABOP_setup_table } from "../../xen/abi.ts";
import { endAccess, grantAccess } from "../../xen/grant_access.ts";
import { grantTableOp } from "../../xen/hypercall.ts";
import type { Domain } from "../../xen/domain.ts";
import type { Hypervisor } from "../../xen/hypervisor.ts";
import { GNTST_okay } from "../../xen/status.ts";
import type { DelayedWork } from "./delayed_work.ts";

/** Entries of one frame of the table. */
const ENTRIES_PER_FRAME = 512;

/** Time between two runs over the deferred entries. @cite linux 6.1 drivers/xen/grant-table.c gnttab_handle_deferred */
export const DEFERRED_FREE_MS = 1000;

/** Entries that one run tries. @cite linux 6.1 drivers/xen/grant-table.c free_per_iteration */
export const FREE_PER_ITERATION = 10;

interface Deferred {
  readonly ref: number;
  readonly freed: () => void;
}

/** What a kernel needs to grant: its domain, and a clock for what must wait. A front end's kernel need be no more. */
export interface GrantOwner {
  readonly hv: Hypervisor;
  readonly domain: Domain;
  readonly work: DelayedWork;
}

/** The references of one kernel. */
export class GrantRefs {
  readonly #free: number[] = [];
  #end = GNTTAB_NR_RESERVED_ENTRIES;
  #deferred: Deferred[] = [];
  #isTimerArmed = false;

  constructor(readonly kernel: GrantOwner) {}

  /** Accesses that were ended while the peer used them. */
  get nrDeferred(): number {
    return this.#deferred.length;
  }

  /** References that can be handed out before the table must grow. */
  get nrReady(): number {
    return this.#free.length + this.kernel.domain.grantTable.nrEntries - this.#end;
  }

  /**
   * Grants a machine frame to a domain: the reference, or -1 when the table is full and cannot grow.
   *
   * @cite linux 6.1 drivers/xen/grant-table.c gnttab_grant_foreign_access
   */
  grantForeignAccess(domid: number, frame: number, readonly: boolean): number {
    const ref = this.#free.pop() ?? this.#fresh();
    if (ref >= 0) grantAccess(this.kernel.domain, ref, { domid, frame, readonly });
    return ref;
  }

  /** Ends an access if the peer does not use it: true if it is over and the reference free. @cite linux 6.1 drivers/xen/grant-table.c gnttab_try_end_foreign_access */
  tryEndForeignAccess(ref: number): boolean {
    if (!endAccess(this.kernel.domain, ref)) return false;
    this.#free.push(ref);
    return true;
  }

  /** Ends an access now or as soon as the peer lets go; `freed` is called then. @cite linux 6.1 drivers/xen/grant-table.c gnttab_end_foreign_access */
  endForeignAccess(ref: number, freed: () => void): void {
    if (this.tryEndForeignAccess(ref)) return freed();
    this.#deferred.push({ ref, freed });
    this.#arm();
  }

  #arm(): void {
    if (this.#isTimerArmed || this.#deferred.length === 0) return;
    this.#isTimerArmed = true;
    this.kernel.work.schedule(DEFERRED_FREE_MS, () => this.#handleDeferred());
  }

  /** @cite linux 6.1 drivers/xen/grant-table.c gnttab_handle_deferred */
  #handleDeferred(): void {
    this.#isTimerArmed = false;
    for (let n = Math.min(FREE_PER_ITERATION, this.#deferred.length); n > 0; n--) {
      const entry = this.#deferred.shift()!;
      if (this.tryEndForeignAccess(entry.ref)) entry.freed();
      else this.#deferred.push(entry);
    }
    this.#arm();
  }

  /** The next reference that was never used; the table grows by a frame when it is full. @cite linux 6.1 drivers/xen/grant-table.c gnttab_expand */
  #fresh(): number {
    const { hv, domain } = this.kernel;
    if (this.#end === domain.grantTable.nrEntries) {
      const nr_frames = this.#end / ENTRIES_PER_FRAME + 1;
      const op = { dom: DOMID_SELF, nr_frames, status: 0, frame_list: [] };
      if (grantTableOp(hv, domain, GNTTABOP_setup_table, [op]) !== 0 || op.status !== GNTST_okay) return -1;
    }
    return this.#end++;
  }
}
