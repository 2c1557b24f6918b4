/**
 * The granter's table in short: publish, take back, look. The protocol itself, with its races, is in
 * `grant_protocol.ts`.
 *
 * @module
 */

import { outOfRange, wholeNumber } from "../core/misuse.ts";
import type { Domain } from "./domain.ts";
import { domidOfHeader, flagsOfHeader, readFrame, readFrameV2, readHeader } from "./grant_entry.ts";
import { type PublishedGrant, publishGrant, revokeGrant } from "./grant_protocol.ts";

/** What a guest writes into an entry. The frame is not checked here, as the guest's store is not. */
export type GrantAccess = PublishedGrant;

/** An entry as people read it. */
export interface GrantEntryView {
  /** As the guest wrote them, with the in-use bits of version 1; those of version 2 are in `status`. */
  readonly flags: number;
  readonly domid: number;
  readonly frame: number;
  /** Version 2 only: the word with the in-use bits. */
  readonly status?: number;
}

/**
 * Publishes a grant.
 *
 * @throws {RangeError} if the table has no such entry: a guest that stores there misses its table
 * @cite linux 6.1 drivers/xen/grant-table.c gnttab_grant_foreign_access_ref
 */
export function grantAccess(domain: Domain, ref: number, access: GrantAccess): void {
  publishGrant(domain, ref, access);
}

/**
 * Takes a grant back: true if the entry is free now, false if the grant is in use.
 *
 * @cite linux 6.1 drivers/xen/grant-table.c gnttab_end_foreign_access_ref
 */
export function endAccess(domain: Domain, ref: number): boolean {
  return revokeGrant(domain, ref) === "done";
}

/** The entry as it is. Errors as {@linkcode grantAccess}. */
export function readGrantEntry(domain: Domain, ref: number): GrantEntryView {
  wholeNumber("read grant reference", ref, 0, 2 ** 32 - 1);
  const table = domain.grantTable;
  if (ref >= table.nrEntries) {
    const reason = `the table of domain ${domain.domid} has ${table.nrEntries} entries`;
    throw outOfRange("read grant reference", ref, reason);
  }
  const entry = table.entry(ref);
  const header = readHeader(domain.mem, entry);
  const common = { flags: flagsOfHeader(header), domid: domidOfHeader(header) };
  if (table.version === 1) return { ...common, frame: readFrame(domain.mem, entry) };
  const status = domain.mem.read16(table.statusWord(ref));
  return { ...common, frame: readFrameV2(domain.mem, entry), status };
}
