/**
 * The seam of host mappings: where a granted frame becomes visible to the mapper's CPUs. Paravirtual domains get a
 * page-table entry; translated ones an entry of the second-level tables.
 *
 * @cite xen 4.17 xen/arch/x86/include/asm/grant_table.h create_grant_host_mapping
 * @module
 */

import type { Domain } from "../domain.ts";
import type { Hypervisor } from "../hypervisor.ts";

/** One host mapping, as the grant operations describe it. */
export interface HostMapping {
  /** As the guest gave it, u64. */
  addr: number;
  /** The granted frame. */
  mfn: number;
  /** `GNTMAP_*`. */
  flags: number;
  /** O of `replace`: a page walk had used the entry that went. */
  wasAccessed: boolean;
  /** O: machine address of the entry written or changed; translated: the guest's. */
  hostPte: number;
  /** Row of the level-1 table, while it is locked. */
  tableRow: number;
  /** Index of the level-1 entry in the memory's words, while its table is locked. */
  entryAt: number;
}

/** How host mappings are made and unmade. */
export interface HostMapOps {
  /** Makes the mapping and sets `hostPte`; false: `GNTST_general_error`. */
  create(hv: Hypervisor, mapper: Domain, mapping: HostMapping): boolean;
  /**
   * Unmakes the mapping, and if `newAddr` is not 0 moves the entry of that linear address to it. Sets `hostPte` and
   * `wasAccessed`; false: `GNTST_general_error`.
   */
  replace(hv: Hypervisor, mapper: Domain, mapping: HostMapping, newAddr: number): boolean;
}
