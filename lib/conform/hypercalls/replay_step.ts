/**
 * Replaying the raw grant-table hypercalls of the recorded grant cases (`hc_*` steps): the operation structures as the
 * program made them, against the model's hypervisor. Who maps, who grants, and which references the grants of the case
 * have, the replayer of the case says; what earlier steps returned is kept here.
 *
 * Compared: return code, status of each element, whether an address came back, sizes, and the flags of the granter's
 * entries after the step.
 *
 * @module
 */

import { GNTTABOP_unmap_grant_ref } from "../../xen/abi.ts";
import { readGrantEntry } from "../../xen/grant_access.ts";
import { grantTableOp } from "../../xen/hypercall.ts";
import type { Row } from "../format.ts";
import { writeEntriesBefore } from "./entry_before.ts";
import type { HypercallHost, OpRecord } from "./host.ts";
import { NOT_WRITTEN, type OpSource, recordOf, refOfOp } from "./op_record.ts";

/** A field that came out otherwise than recorded. */
export interface StepDifference {
  readonly field: string;
  readonly expected: string;
  readonly got: string;
}

/** True for the steps that this file replays. */
export function isHypercallStep(row: Row): boolean {
  return typeof row.op === "string" && row.op.startsWith("hc_");
}

/** At most this many entries of a grant are recorded. */
const GT_ENTRIES = 32;

/**
 * Replays one `hc_*` step.
 *
 * @returns the fields that differ; none if the step came out as recorded
 */
export function replayHypercallStep(host: HypercallHost, row: Row): StepDifference[] {
  const input = (row.in ?? {}) as Row;
  const cmd = Number(input.cmd ?? 0);
  const sources = Array.isArray(input.op) ? input.op as OpSource[] : [];
  writeEntriesBefore(host, input, sources);
  const records = sources.map((source) => recordOf(host, cmd, source));
  const rc = grantTableOp(host.hv, host.caller, cmd, listOf(input, records));
  if (typeof row.i === "number") host.returned.set(row.i, records);
  const found = new Comparison(row);
  found.number("rc", rc);
  if (records.length > 0) {
    found.same("status", records.map((record) => record.status as number));
    found.number("bus_nonzero", Number(Number(records[0]!.dev_bus_addr ?? 0) !== 0));
    found.number("nr_frames", Number(records[0]!.nr_frames ?? 0));
    found.number("max", Number(records[0]!.max_nr_frames ?? 0));
  }
  const refs = sources.map((source) => refOfOp(host, source));
  if (input.then_if_ok !== undefined) unmapAgain(host, records, refs, found);
  if (row.flags !== undefined && row.flags !== (sources[0] as Row | undefined)?.flags) {
    found.flags("flags", refs.map((ref) => flagsOf(host, ref)));
  }
  if (row.gt !== undefined) found.text("gt", grantFlags(host, Number(input.gt_grant ?? 0)));
  return found.differences;
}

/** The list as the hypervisor sees it: null for a pointer that leads nowhere. */
function listOf(input: Row, records: OpRecord[]): OpRecord[] | null {
  if (Array.isArray(input.op)) return records;
  if (input.pointer === "valid buffer") return Array.from({ length: Number(input.count ?? 0) }, () => ({}));
  return null;
}

/** A map that succeeded is undone in the same step; the entry is looked at while it is mapped, and after. */
function unmapAgain(
  host: HypercallHost,
  records: readonly OpRecord[],
  refs: readonly (number | undefined)[],
  found: Comparison,
): void {
  found.flags("flags_while_mapped", refs.map((ref) => flagsOf(host, ref)));
  const unmaps = records.filter((record) => record.status === 0).map((record) => ({
    host_addr: record.host_addr,
    dev_bus_addr: record.dev_bus_addr,
    handle: record.handle,
    status: NOT_WRITTEN,
  }));
  if (unmaps.length > 0) grantTableOp(host.hv, host.caller, GNTTABOP_unmap_grant_ref, unmaps as never);
  found.flags("flags_after_unmap", refs.map((ref) => flagsOf(host, ref)));
}

function flagsOf(host: HypercallHost, ref: number | undefined): number {
  if (ref === undefined || ref >= host.granter.grantTable.nrEntries) return 0;
  return readGrantEntry(host.granter, ref).flags;
}

/** The entry flags of a grant as the recording writes them: hexadecimal, a blank between. */
export function grantFlags(
  host: Pick<HypercallHost, "granter" | "refOf" | "pagesOf">,
  grant: number,
): string {
  const pages = Math.min(host.pagesOf(grant), GT_ENTRIES);
  return Array.from({ length: pages }, (_, page) => {
    const ref = host.refOf(grant, page);
    return ref === undefined ? "?" : readGrantEntry(host.granter, ref).flags.toString(16);
  }).join(" ");
}

/** Compares the fields that the row has, as its `compare` says. */
class Comparison {
  readonly differences: StepDifference[] = [];

  constructor(readonly row: Row) {}

  number(field: string, got: number): void {
    const expected = this.row[field];
    if (expected === undefined) return;
    const how = (this.row.compare as Row | undefined)?.[field];
    if (how === "ignore") return;
    if (how === ">=0" || how === ">=1") {
      if (got < Number(how.slice(2))) this.#differ(field, how, String(got));
      return;
    }
    if (expected !== got) this.#differ(field, JSON.stringify(expected), String(got));
  }

  /** A list of numbers; recorded as one number if there is one. */
  same(field: string, got: readonly number[]): void {
    const expected = this.row[field];
    if (expected === undefined) return;
    const list = Array.isArray(expected) ? expected : [expected];
    if (JSON.stringify(list) !== JSON.stringify(got)) {
      this.#differ(field, JSON.stringify(list), JSON.stringify(got));
    }
  }

  /** Entry flags: numbers, or hexadecimal text. */
  flags(field: string, got: readonly number[]): void {
    const expected = this.row[field];
    if (expected === undefined) return;
    const list = (Array.isArray(expected) ? expected : String(expected).trim().split(/\s+/)).map((value) =>
      typeof value === "number" ? value : Number.parseInt(String(value).replace(/^0x/, ""), 16)
    );
    const wanted = typeof expected === "number" ? [expected] : list;
    if (JSON.stringify(wanted) !== JSON.stringify(got.slice(0, wanted.length))) {
      this.#differ(field, JSON.stringify(expected), got.map((value) => value.toString(16)).join(" "));
    }
  }

  text(field: string, got: string): void {
    const expected = this.row[field];
    if (expected !== got) this.#differ(field, JSON.stringify(expected), JSON.stringify(got));
  }

  #differ(field: string, expected: string, got: string): void {
    this.differences.push({ field, expected, got });
  }
}
