/**
 * The granter's own side of the protocol: a guest publishes a grant and takes it back by writing the entry itself,
 * without a hypercall.
 *
 * - publish: domid and frame first, a write barrier, then the flags: the entry is open from that moment;
 * - revoke: read the flags; in use → leave it; else compare-and-exchange them to 0.
 *
 * A guest costs what its own layer says, so nothing is counted here.
 *
 * @cite xen 4.17 xen/include/public/grant_table.h grant_entry_v1
 * @cite linux 6.1 drivers/xen/grant-table.c gnttab_update_entry_v1
 * @module
 */

import type { Maddr } from "../core/frames.ts";
import { outOfRange, wholeNumber } from "../core/misuse.ts";
import { GTF_permit_access, GTF_reading, GTF_readonly, GTF_writing } from "./abi.ts";
import type { Domain } from "./domain.ts";
import { domidOfHeader, flagsOfHeader, readFrame, readHeader } from "./grant_entry.ts";

/** What a guest writes into an entry. */
export interface GrantAccess {
  /** Who may use the frame. */
  readonly domid: number;
  /** Guest frame number; of a PV guest: the machine frame. Not checked here, as the guest's store is not. */
  readonly frame: number;
  readonly readonly?: boolean;
}

/** An entry as people read it. */
export interface GrantEntryView {
  readonly flags: number;
  readonly domid: number;
  readonly frame: number;
}

function entryOf(domain: Domain, ref: number, action: string): Maddr {
  wholeNumber(`${action} grant reference`, ref, 0, 2 ** 32 - 1);
  if (ref >= domain.grantTable.nrEntries) {
    throw outOfRange(
      `${action} grant reference`,
      ref,
      `the table of domain ${domain.domid} has ${domain.grantTable.nrEntries} entries`,
    );
  }
  return domain.grantTable.entry(ref);
}

/**
 * Publishes a grant.
 *
 * @throws {RangeError} if the table has no such entry: a guest that stores there misses its table
 * @cite linux 6.1 drivers/xen/grant-table.c gnttab_grant_foreign_access_ref
 */
export function grantAccess(domain: Domain, ref: number, access: GrantAccess): void {
  const entry = entryOf(domain, ref, "publish");
  const mem = domain.mem;
  mem.write16((entry + 2) as Maddr, access.domid);
  mem.write32((entry + 4) as Maddr, access.frame);
  mem.write16(entry, GTF_permit_access | (access.readonly === true ? GTF_readonly : 0));
}

/**
 * Takes a grant back: true if the entry is free now, false if the grant is in use.
 *
 * @cite linux 6.1 drivers/xen/grant-table.c gnttab_end_foreign_access_ref_v1
 */
export function endAccess(domain: Domain, ref: number): boolean {
  const entry = entryOf(domain, ref, "revoke");
  if ((domain.mem.read16(entry) & (GTF_reading | GTF_writing)) !== 0) return false;
  domain.mem.write16(entry, 0);
  return true;
}

/** The entry as it is. Errors as {@linkcode grantAccess}. */
export function readGrantEntry(domain: Domain, ref: number): GrantEntryView {
  const entry = entryOf(domain, ref, "read");
  const header = readHeader(domain.mem, entry);
  return {
    flags: flagsOfHeader(header),
    domid: domidOfHeader(header),
    frame: readFrame(domain.mem, entry),
  };
}
