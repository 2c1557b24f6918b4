/**
 * A grant entry decoded: what the guest wrote, and beside it how Xen has it in use.
 *
 * @module
 */

import { Shown, viewOf } from "../../core/shown.ts";
import { outOfRange, wholeNumber } from "../../core/misuse.ts";
import { hex } from "../../core/show.ts";
import { tableBlock, type View } from "../../core/view.ts";
import {
  GTF_accept_transfer,
  GTF_invalid,
  GTF_permit_access,
  GTF_reading,
  GTF_readonly,
  GTF_type_mask,
  GTF_writing,
} from "../abi.ts";
import type { Domain } from "../domain.ts";
import { domidOfHeader, flagsOfHeader, readFrame, readHeader } from "../grant_entry.ts";
import { describePin } from "../pin.ts";

/** One entry of a grant table as it was when it was asked for. */
export class GrantEntryInfo extends Shown {
  constructor(
    /** The granter. */
    readonly granter: number,
    readonly ref: number,
    /** `GTF_*`. */
    readonly flags: number,
    /** Domain that may use it. */
    readonly domid: number,
    /** Frame in the entry, a gfn. */
    readonly frame: number,
    /** Pin word of the active entry; see `describePin`. */
    readonly pin: number,
    /** Frame in use while pinned. */
    readonly activeFrame: number,
  ) {
    super();
  }

  /** `permit_access readonly reading`. */
  get flagNames(): string {
    const type = this.flags & GTF_type_mask;
    const names = [
      type === GTF_invalid
        ? "invalid"
        : type === GTF_permit_access
        ? "permit_access"
        : type === GTF_accept_transfer
        ? "accept_transfer"
        : "transitive",
    ];
    if ((this.flags & GTF_readonly) !== 0) names.push("readonly");
    if ((this.flags & GTF_reading) !== 0) names.push("reading");
    if ((this.flags & GTF_writing) !== 0) names.push("writing");
    return names.join(" ");
  }

  /** Mappings that pin it: `2 host rw`; empty if there are none. */
  get pins(): string {
    const { hstw, hstr, devw, devr } = describePin(this.pin);
    return [[hstw, "host rw"], [hstr, "host r"], [devw, "device rw"], [devr, "device r"]]
      .filter(([n]) => n !== 0).map(([n, kind]) => `${n} ${kind}`).join(", ");
  }

  /** The cells of {@linkcode GRANT_ENTRY_COLUMNS}. */
  get cells(): string[] {
    const active = this.pin === 0 ? "" : `frame ${hex(this.activeFrame)}`;
    return [String(this.ref), this.flagNames, String(this.domid), hex(this.frame), this.pins, active];
  }

  override [viewOf](): View {
    const use = this.pin === 0 ? "not in use" : `in use: ${this.pins}`;
    return {
      line: `grant ${this.ref} of domain ${this.granter}: ${this.flagNames} for domain ${this.domid}, ` +
        `frame ${hex(this.frame)}, ${use}`,
    };
  }
}

/** Columns of a list of entries; what stands before `pins` is in shared memory, the rest is Xen's own. */
export const GRANT_ENTRY_COLUMNS = Object.freeze(
  [
    { header: "ref", right: true },
    "flags",
    { header: "for domain", right: true },
    "frame",
    "pins",
    "in use",
  ] as const,
);

/**
 * One entry.
 *
 * @throws {RangeError} if the table has no such reference
 */
export function grantEntryInfo(domain: Domain, ref: number): GrantEntryInfo {
  const { grantTable, mem } = domain;
  wholeNumber("show grant", ref, 0, 2 ** 32 - 1);
  if (ref >= grantTable.nrEntries) {
    throw outOfRange("show grant", ref, `domain ${domain.domid} has entries 0 … ${grantTable.nrEntries - 1}`);
  }
  const at = grantTable.entry(ref);
  const header = readHeader(mem, at);
  return new GrantEntryInfo(
    domain.domid,
    ref,
    flagsOfHeader(header),
    domidOfHeader(header),
    readFrame(mem, at),
    grantTable.pin[ref]!,
    grantTable.mfn[ref]!,
  );
}

/** Entries that are not empty: something in shared memory, or pinned. */
export function* usedGrantEntries(domain: Domain): Generator<GrantEntryInfo> {
  const { grantTable, mem } = domain;
  for (let ref = 0; ref < grantTable.nrEntries; ref++) {
    if (readHeader(mem, grantTable.entry(ref)) !== 0 || grantTable.pin[ref] !== 0) {
      yield grantEntryInfo(domain, ref);
    }
  }
}

/** A whole grant table, as it is when it is shown. */
export class GrantTableListing extends Shown {
  constructor(readonly domain: Domain) {
    super();
  }

  /** Entries that are not empty. */
  get entries(): GrantEntryInfo[] {
    return [...usedGrantEntries(this.domain)];
  }

  /** One entry. @throws {RangeError} if there is no such reference */
  entry(ref: number): GrantEntryInfo {
    return grantEntryInfo(this.domain, ref);
  }

  override [viewOf](): View {
    const { grantTable, domid } = this.domain;
    const { entries } = this;
    const pinned = entries.filter(({ pin }) => pin !== 0).length;
    return {
      line: `grant table of domain ${domid}: version ${grantTable.version}, ${entries.length} of ` +
        `${grantTable.nrEntries} entries used, ${pinned} pinned; ${grantTable.nrFrames} of at most ` +
        `${grantTable.maxFrames} frames`,
      blocks: [tableBlock(GRANT_ENTRY_COLUMNS, entries.map(({ cells }) => cells))],
    };
  }
}
