/**
 * How a release words the debug key `g`. Two wordings: in 4.5 the name of a table stands before its first entry, and
 * a table without entries is one line; later every table begins with its name and its sizes.
 *
 * ```text
 *       -------- active --------       -------- shared --------
 * [ref] localdom mfn      pin          localdom gmfn     flags
 * grant-table for remote domain:    5 (v1)                          4.5
 * [  8]        0 0x0365c6 0x00000002          0 0x0365c6 0x19
 * grant-table for remote d5 (v1)                                    later
 *   1 frames (64 max), 1 maptrack frames (1024 max)
 * [0x008]      0 0x365c6 0x00000002          0 0x0365c6 0x19
 * ```
 *
 * @module
 */

import type { Domain } from "./domain.ts";
import type { GrantDumpRow } from "./grant_dump.ts";

/** The lines of one table. */
export type UsagePrint = (domain: Domain, rows: readonly GrantDumpRow[]) => string[];

const HEADER = [
  "      -------- active --------       -------- shared --------",
  "[ref] localdom mfn      pin          localdom gmfn     flags",
] as const;

/** Name and sizes first. @cite xen 4.17 xen/common/grant_table.c gnttab_usage_print */
export function usagePrint(domain: Domain, rows: readonly GrantDumpRow[]): string[] {
  const { grantTable: table, maptrack } = domain;
  const lines = [
    ...HEADER,
    `grant-table for remote d${domain.domid} (v${table.version})`,
    `  ${table.nrFrames} frames (${table.maxFrames} max), ` +
    `${maptrack.nrFrames} maptrack frames (${maptrack.maxFrames} max)`,
  ];
  for (const row of rows) lines.push(`[0x${hex(row.ref, 3)}]  ${entry(row, 5)}`);
  if (rows.length === 0) lines.push("no active grant table entries");
  return lines;
}

/** Name before the first entry; references in decimal. @cite xen 4.5 xen/common/grant_table.c gnttab_usage_print */
export function usagePrintFirstEntry(domain: Domain, rows: readonly GrantDumpRow[]): string[] {
  const name = `grant-table for remote domain:${String(domain.domid).padStart(5)} `;
  if (rows.length === 0) return [...HEADER, `${name}... no active grant table entries`];
  return [
    ...HEADER,
    `${name}(v${domain.grantTable.version})`,
    ...rows.map((row) => `[${String(row.ref).padStart(3)}]    ${entry(row, 6)}`),
  ];
}

/** What is in use, from Xen's side, then from the entry's; `digits` of the machine frame at least. */
function entry(row: GrantDumpRow, digits: number): string {
  return `${String(row.mapper).padStart(5)} 0x${hex(row.mfn, digits)} 0x${hex(row.pin, 8)}      ` +
    `${String(row.grantedTo).padStart(5)} 0x${hex(row.gmfn, 6)} 0x${hex(row.flags, 2)}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
