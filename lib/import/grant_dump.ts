/**
 * Reading the console of a real Xen: the output of the debug key `g`, from `xl dmesg` or a serial log, back into rows.
 * Log prefixes before a line (`(XEN)`, time stamps) do not matter; neither do lines of something else in between.
 *
 * ```text
 * (XEN) [ref] localdom mfn      pin          localdom gmfn     flags
 * (XEN) grant-table for remote d5 (v1)
 * (XEN)   1 frames (64 max), 1 maptrack frames (1024 max)
 * (XEN) [0x008]      0 0x365c6 0x00000002          0 0x0365c6 0x19
 * ```
 *
 * Xen 4.5 writes `remote domain:    5 (v1)` before the first entry, tells no sizes and numbers references in
 * decimal; both are read.
 *
 * @cite xen 4.17 xen/common/grant_table.c gnttab_usage_print
 * @module
 */

import { outOfRange } from "../core/misuse.ts";

/** A reference in use. */
export interface GrantDumpLine {
  readonly ref: number;
  /** Xen's side: who uses it, which frame, with how many of each of four counters. */
  readonly mapper: number;
  readonly mfn: number;
  readonly pin: number;
  /** The entry: who may use it, which frame, with which flags. */
  readonly grantedTo: number;
  readonly gmfn: number;
  readonly flags: number;
}

/** The table of one domain. */
export interface GrantDumpTable {
  /** Domid. */
  readonly granter: number;
  /** Version of the entries; null if the console does not say. */
  readonly version: number | null;
  /** Frames of the table, and how many there may be; null if the console does not say. */
  readonly frames: { readonly used: number; readonly max: number } | null;
  /** Pages of maptrack, likewise. */
  readonly maptrackFrames: { readonly used: number; readonly max: number } | null;
  readonly rows: readonly GrantDumpLine[];
}

const TABLE = /grant-table for remote d(?:omain:)?\s*(\d+)(?:\s*\(v(\d)\))?/;
const SIZES = /(\d+) frames \((\d+) max\)(?:, (\d+) maptrack frames \((\d+) max\))?/;
const ROW = new RegExp(
  String
    .raw`\[\s*(0x[0-9a-f]+|\d+)\]\s+(\d+) (0x[0-9a-f]+) (0x[0-9a-f]+)\s+(\d+) (0x[0-9a-f]+) (0x[0-9a-f]+)`,
  "i",
);

/**
 * The tables of the last dump in a console text.
 *
 * @throws {RangeError} if the text holds no dump, or a row before any table
 *
 * @example
 * ```ts
 * import { parseGrantDump } from "grantlab/import";
 * const text = "(XEN) grant-table for remote d5 (v1)\n(XEN) [0x008]  0 0x0365c6 0x00000002   0 0x0365c6 0x19";
 * const [table] = parseGrantDump(text);
 * if (table?.granter !== 5 || table.rows[0]?.pin !== 2) throw new Error();
 * ```
 */
export function parseGrantDump(text: string): GrantDumpTable[] {
  const start = text.lastIndexOf("gnttab_usage_print_all [");
  const lines = (start < 0 ? text : text.slice(start)).split("\n");
  const tables: (GrantDumpTable & { rows: GrantDumpLine[] })[] = [];
  lines.forEach((line, i) => {
    const table = TABLE.exec(line);
    if (table !== null) {
      tables.push({
        granter: Number(table[1]),
        version: table[2] === undefined ? null : Number(table[2]),
        frames: null,
        maptrackFrames: null,
        rows: [],
      });
    }
    const last = tables.at(-1);
    const sizes = SIZES.exec(line);
    if (sizes !== null && last !== undefined) {
      tables[tables.length - 1] = {
        ...last,
        frames: { used: Number(sizes[1]), max: Number(sizes[2]) },
        maptrackFrames: sizes[3] === undefined ? null : { used: Number(sizes[3]), max: Number(sizes[4]) },
      };
    }
    const row = ROW.exec(line);
    if (row === null) return;
    if (last === undefined) {
      throw outOfRange("read a grant dump from line", i + 1, "a row stands before the first table");
    }
    const [ref, mapper, mfn, pin, grantedTo, gmfn, flags] = row.slice(1).map(Number) as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    tables.at(-1)!.rows.push({ ref, mapper, mfn, pin, grantedTo, gmfn, flags });
  });
  if (tables.length === 0) {
    throw outOfRange(
      "read a grant dump from",
      text.slice(0, 40),
      "it has no line `grant-table for remote d…`",
    );
  }
  return tables;
}

/** What is wrong with a dump, a sentence each: users that are not the entry's, frames that are not, pins with no bits. */
export function checkGrantDump(tables: readonly GrantDumpTable[]): string[] {
  const findings: string[] = [];
  for (const { granter, rows, version } of tables) {
    for (const row of rows) {
      const name = `grant ${row.ref} of domain ${granter}`;
      if (row.mapper !== row.grantedTo) {
        findings.push(`${name} is used by domain ${row.mapper}, but its entry names ${row.grantedTo}`);
      }
      if (row.mfn !== row.gmfn) {
        findings.push(
          `${name}: Xen holds frame 0x${row.mfn.toString(16)}, the entry says 0x${row.gmfn.toString(16)}`,
        );
      }
      if (version !== 2 && (row.flags & 3) === 0) findings.push(`${name} was closed while in use`);
      const isWritten = (row.pin & 0x00ff00ff) !== 0;
      const bits = 8 | (isWritten ? 16 : 0);
      if ((row.flags & 0x18) !== bits) {
        findings.push(
          `${name} shows in-use bits 0x${(row.flags & 0x18).toString(16)}, its pins mean 0x${
            bits.toString(16)
          }`,
        );
      }
    }
  }
  return findings;
}
