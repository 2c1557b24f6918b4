/**
 * What `blkparse` prints of a trace, as requests: those that were given to the driver (action D), or, if asked for, those
 * that were queued (Q).
 *
 * ```text
 * 8,0    3       11     0.009507758   697  D   W 223490 + 8 [kworker/3:1]
 * device cpu   sequence seconds       pid  action, kind, sector + sectors, program
 * ```
 *
 * Kinds: R reads, W writes, D discards, F flushes, with further letters (S sync, A ahead, M metadata) that change nothing
 * here; N (no data) is left out. A request larger than `largest` is cut, as a front end cuts it.
 *
 * @module
 */

import { outOfRange } from "../core/misuse.ts";
import type { RecordedIo } from "./fio_iolog.ts";

/** What to take. */
export interface BlkparseOptions {
  /** `D`: given to the driver. `Q`: queued by a file system or program. Default `D`. */
  readonly action?: "D" | "Q";
  /** Sectors of the largest request. Default 88: eleven pages. */
  readonly largest?: number;
}

const EVENT = /^\s*\d+,\d+\s+\d+\s+\d+\s+(\d+\.\d+)\s+\d+\s+([A-Z]+)\s+([A-Z]+)(?:\s+(\d+)\s*\+\s*(\d+))?/;

/**
 * Reads the text. Lines that are no events (the summary at the end) are passed over.
 *
 * @throws {SyntaxError} if no line is an event, or a transfer has no sectors
 * @throws {RangeError} if `largest` is below 1
 *
 * @example
 * ```ts
 * import { readBlkparse } from "grantlab/import";
 * const ios = readBlkparse("  8,0  3  1  0.000000000  697  D  WS 223488 + 8 [kjournald]\n");
 * if (ios.length !== 1 || ios[0]!.operation !== "write" || ios[0]!.nrSectors !== 8) throw new Error();
 * ```
 */
export function readBlkparse(
  text: string,
  { action = "D", largest = 88 }: BlkparseOptions = {},
): RecordedIo[] {
  if (!(largest >= 1)) throw outOfRange("cut requests to sectors", largest, "it must be at least 1");
  const ios: RecordedIo[] = [];
  let nrEvents = 0;
  let start = -1;
  text.split("\n").forEach((line, i) => {
    const event = EVENT.exec(line);
    if (event === null) return;
    nrEvents++;
    const [, seconds, did, kind, sector, sectors] = event;
    if (did !== action) return;
    const operation = operationOf(kind!);
    if (operation === null) return;
    const ms = Math.round(Number(seconds) * 1e6) / 1000;
    if (start < 0) start = ms;
    const atMs = Math.max(0, ms - start);
    if (operation === "flush") {
      ios.push({ atMs, operation, sector: 0, nrSectors: 0 });
      return;
    }
    if (sector === undefined || Number(sectors) === 0) {
      throw new SyntaxError(`Cannot read line ${i + 1} of blkparse: "${line.trim()}" has no sectors`);
    }
    for (let at = 0; at < Number(sectors); at += largest) {
      ios.push({
        atMs,
        operation,
        sector: Number(sector) + at,
        nrSectors: Math.min(largest, Number(sectors) - at),
      });
    }
  });
  if (nrEvents === 0) throw new SyntaxError("Cannot read a trace: no line is an event as blkparse prints it");
  return ios;
}

/** A flush may carry data: then it is a write. */
function operationOf(kind: string): RecordedIo["operation"] | null {
  if (kind.includes("D")) return "discard";
  if (kind.includes("R")) return "read";
  if (kind.includes("W")) return "write";
  return kind.includes("F") ? "flush" : null;
}
