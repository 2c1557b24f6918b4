/**
 * The granter's side of the protocol, both versions: publishing a grant, taking it back, changing its rights while the
 * other side may be using it. No hypercall: the guest writes entries, and the order of its accesses is what keeps it
 * safe from Xen, which looks at the same words from another CPU.
 *
 * | step         | version 1                                          | version 2                                        |
 * | ------------ | -------------------------------------------------- | ------------------------------------------------ |
 * | publish      | frame, domid, *barrier*, flags                     | the same                                         |
 * | revoke       | read flags; in use → stop; exchange them with 0    | flags := 0, *full barrier*, read the status word |
 * | rw → ro      | read flags; writing → stop; exchange with readonly | set readonly, *full barrier*, read the status    |
 * | ro → rw      | clear the bit atomically                           | the same                                         |
 *
 * A guest that leaves a step out is not stopped by anybody: `skip` does exactly that, for experiments with the races
 * that the steps guard against. `race` is where the other CPU steps in.
 *
 * A guest costs what its own layer says, so nothing is counted here.
 *
 * @cite xen 4.17 xen/include/public/grant_table.h grant_entry_v1
 * @cite linux 6.1 drivers/xen/grant-table.c gnttab_end_foreign_access_ref_v2
 * @module
 */

import type { Maddr } from "../core/frames.ts";
import { outOfRange, wholeNumber } from "../core/misuse.ts";
import { GTF_permit_access, GTF_reading, GTF_readonly, GTF_writing } from "./abi.ts";
import type { Domain } from "./domain.ts";

/** What a guest publishes. */
export interface PublishedGrant {
  /** Who may use the frame. */
  readonly domid: number;
  /** Guest frame number; of a PV guest: the machine frame. */
  readonly frame: number;
  readonly readonly?: boolean;
}

/** How a step is done. */
export interface ProtocolOptions {
  /** Runs where another CPU can step in: between the guest's accesses. */
  readonly race?: () => void;
  /** Leave the guard of the step out: publish writes flags first; the others do not look whether the grant is in use. */
  readonly skip?: boolean;
}

/** How a change ended: `in-use-closed` is version 2's: still in use, but nobody new comes in. */
export type ProtocolOutcome = "done" | "in-use" | "in-use-closed";

/** Attempts of a compare-and-exchange loop; Xen changes an entry a few times at most. */
const MAX_ATTEMPTS = 16;

function entryOf(domain: Domain, ref: number, action: string): Maddr {
  wholeNumber(`${action} grant reference`, ref, 0, 2 ** 32 - 1);
  const { nrEntries } = domain.grantTable;
  if (ref < nrEntries) return domain.grantTable.entry(ref);
  const reason = `the table of domain ${domain.domid} has ${nrEntries} entries`;
  throw outOfRange(`${action} grant reference`, ref, reason);
}

/**
 * Publishes a grant. Without the barrier (`skip`) Xen can find the flags set while domid and frame are still those of
 * the grant before.
 *
 * @throws {RangeError} if the table has no such entry: a guest that stores there misses its table
 *
 * @example
 * ```ts
 * import { PhysMem } from "grantlab/x86";
 * import { Trace } from "grantlab/trace";
 * import * as xen from "grantlab/xen";
 * const cpus = [{ flushAll() {}, invlpg() {} }];
 * const hv = new xen.Hypervisor({ mem: new PhysMem(4096), trace: new Trace(), flavour: xen.xen4_17, cpus });
 * const guest = hv.createDomain({ frames: 8 });
 * xen.publishGrant(guest, 8, { domid: 0, frame: guest.mfnOf(0) });
 * if (xen.revokeGrant(guest, 8) !== "done") throw new Error();
 * ```
 */
export function publishGrant(
  domain: Domain,
  ref: number,
  grant: PublishedGrant,
  options: ProtocolOptions = {},
): void {
  const entry = entryOf(domain, ref, "publish");
  const { mem } = domain;
  const flags = GTF_permit_access | (grant.readonly === true ? GTF_readonly : 0);
  const writeBody = (): void => {
    mem.write16((entry + 2) as Maddr, grant.domid);
    if (domain.grantTable.version === 1) {
      mem.write32((entry + 4) as Maddr, grant.frame);
    } else {
      mem.write32((entry + 4) as Maddr, 0);
      mem.write32((entry + 8) as Maddr, grant.frame);
      mem.write32((entry + 12) as Maddr, Math.floor(grant.frame / 2 ** 32));
    }
  };
  if (options.skip === true) mem.write16(entry, flags);
  else writeBody();
  options.race?.();
  if (options.skip === true) writeBody();
  else mem.write16(entry, flags);
}

/**
 * Takes a grant back.
 *
 * Version 1: without the exchange (`skip`: a plain store of 0 after the look) a use that begins in between is lost to
 * the guest, which believes that the frame is its own again.
 *
 * @cite linux 6.1 drivers/xen/grant-table.c gnttab_end_foreign_access_ref_v1
 */
export function revokeGrant(domain: Domain, ref: number, options: ProtocolOptions = {}): ProtocolOutcome {
  const entry = entryOf(domain, ref, "revoke");
  const { mem } = domain;
  if (domain.grantTable.version === 2) {
    if (options.skip === true) {
      // the look first, the store after it
      const before = inUse(domain, ref);
      options.race?.();
      mem.write16(entry, 0);
      return before === 0 ? "done" : "in-use-closed";
    }
    mem.write16(entry, 0);
    options.race?.();
    return inUse(domain, ref) === 0 ? "done" : "in-use-closed";
  }
  return exchangeFlags(domain, entry, options, GTF_reading | GTF_writing, () => 0);
}

/**
 * Takes the right to write back.
 *
 * @cite xen 4.17 xen/include/public/grant_table.h GTF_readonly
 */
export function makeGrantReadonly(
  domain: Domain,
  ref: number,
  options: ProtocolOptions = {},
): ProtocolOutcome {
  const entry = entryOf(domain, ref, "make read-only");
  const { mem } = domain;
  if (domain.grantTable.version === 2) {
    const before = options.skip === true ? inUse(domain, ref) : null;
    if (before !== null) options.race?.();
    mem.write16(entry, mem.read16(entry) | GTF_readonly);
    if (before === null) options.race?.();
    return ((before ?? inUse(domain, ref)) & GTF_writing) === 0 ? "done" : "in-use-closed";
  }
  return exchangeFlags(domain, entry, options, GTF_writing, (flags) => flags | GTF_readonly);
}

/** Gives the right to write. Nothing can go wrong, but the bit must be cleared atomically: Xen may set its own beside it. */
export function makeGrantWritable(domain: Domain, ref: number, options: ProtocolOptions = {}): void {
  const entry = entryOf(domain, ref, "make writable");
  const { mem } = domain;
  if (options.skip === true) {
    const flags = mem.read16(entry);
    options.race?.();
    mem.write16(entry, flags & ~GTF_readonly);
    return;
  }
  options.race?.();
  mem.write16(entry, mem.read16(entry) & ~GTF_readonly);
}

/** In-use bits of a version-2 entry. */
function inUse(domain: Domain, ref: number): number {
  return domain.mem.read16(domain.grantTable.statusWord(ref)) & (GTF_reading | GTF_writing);
}

/** The loop of version 1: look, stop if `busy` bits are set, exchange the flags if they are still what was seen. */
function exchangeFlags(
  domain: Domain,
  entry: Maddr,
  options: ProtocolOptions,
  busy: number,
  change: (flags: number) => number,
): ProtocolOutcome {
  const { mem } = domain;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const seen = mem.read16(entry);
    if ((seen & busy) !== 0) return "in-use";
    if (attempt === 0) options.race?.();
    if (options.skip === true || mem.read16(entry) === seen) {
      mem.write16(entry, change(seen));
      return "done";
    }
  }
  return "in-use";
}
