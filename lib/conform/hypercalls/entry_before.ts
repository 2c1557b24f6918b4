/**
 * Grant entries that a recorded case writes by hand, just before a hypercall: flags, domid and frame as in a version-1
 * entry. What is not given keeps its value.
 *
 * @module
 */

import type { Maddr } from "../../core/frames.ts";
import type { Row } from "../format.ts";
import { type OpSource, refOfOp } from "./op_record.ts";
import { domidOf, type HypercallHost } from "./host.ts";

/** Writes the entries that `in.entry_before` names, or those of the operations if it names none. */
export function writeEntriesBefore(host: HypercallHost, input: Row, sources: readonly OpSource[]): void {
  const before = input.entry_before;
  if (before === undefined || before === null) return;
  const list = Array.isArray(before) ? before as OpSource[] : [before as OpSource];
  list.forEach((entry, i) => {
    const ref = refOfOp(host, entry) ?? (sources[i] === undefined ? undefined : refOfOp(host, sources[i]));
    if (ref !== undefined) writeEntry(host, ref, entry);
  });
}

/** Writes one entry of the granter's, the flags last. */
export function writeEntry(
  host: Pick<HypercallHost, "granter">,
  ref: number,
  entry: OpSource,
): void {
  const { granter } = host;
  if (ref >= granter.grantTable.nrEntries) return;
  const at = granter.grantTable.entry(ref);
  if (entry.domid !== undefined) granter.mem.write16((at + 2) as Maddr, domidOf(host, entry.domid));
  if (entry.frame !== undefined) granter.mem.write32((at + 4) as Maddr, frameOf(host, ref, entry.frame));
  if (entry.flags !== undefined) granter.mem.write16(at, numberOf(entry.flags));
}

/** Frame numbers of the granter are pseudo-physical in the recording; one that it does not have is meant as it is. */
function frameOf({ granter }: Pick<HypercallHost, "granter">, ref: number, value: unknown): number {
  const frame = typeof value === "string" && !/^(0x)?[0-9a-f]+$/i.test(value)
    ? ref % granter.frames.length
    : numberOf(value);
  if (frame >= granter.frames.length) return frame;
  return granter.external ? frame : granter.mfnOf(frame);
}

function numberOf(value: unknown): number {
  return typeof value === "number" ? value : Number.parseInt(String(value).replace(/^0x/, ""), 16);
}
