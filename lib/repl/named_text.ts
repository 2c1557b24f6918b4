/**
 * Numbers whose field says what they are: addresses and frames in hex, flags of page-table entries and statuses by name. A number
 * knows nothing of itself, so the name of the field, or of the path that a line ends with, decides.
 *
 * @module
 */

import { mfn } from "../core/frames.ts";
import { hex } from "../core/show.ts";
import { describeEntry } from "../x86/mod.ts";
import { statusName } from "../xen/mod.ts";

/** Fields that hold addresses or frames, by their names. */
const ADDRESS_FIELD =
  "(?:\\w*[aA]ddr(?:ess)?|start|end|va|at|\\w*[fF]rame|mfn|gfn|pfn|maddr|kernelBase|userBase|old|entry|mmapBase|p2mEnd)";
/** Fields that hold many of them. */
export const ADDRESS_LIST = "(?:\\w*[fF]rames|mfns|gfns|pfns|addresses|frame_list)";

const IS_ADDRESS = new RegExp(`^${ADDRESS_FIELD}$`);
const IS_LIST = new RegExp(`^${ADDRESS_LIST}$`);
const IS_PTE_FLAGS = /^(?:\w*P|p)teFlags$/;
/** Fields of a flavour of Xen that hold the status with which it refuses. */
const IS_STATUS = /^(?:unmapWrongBusAddress|mapNoHandle)$/;

/** Runs of neighbours that are listed; the rest is counted. */
const MOST_RUNS = 40;

/**
 * The value as engineers read it, undefined if the name tells nothing about it.
 *
 * @example
 * ```ts
 * import { namedText } from "grantlab/repl";
 * if (namedText("pfn", 1024) !== "0x400" || namedText("count", 1024) !== undefined) throw new Error();
 * if (namedText("frames", [16, 17, 18, 32]) !== "4: 0x10–0x12 0x20") throw new Error();
 * ```
 */
export function namedText(name: string, value: unknown): string | undefined {
  if (typeof value === "number") {
    if (IS_STATUS.test(name)) return `${value} (${statusName(value)})`;
    if (!Number.isSafeInteger(value) || value < 0) return undefined;
    if (IS_ADDRESS.test(name)) return hex(value);
    return IS_PTE_FLAGS.test(name) ? `${hex(value)} (${flagNames(value)})` : undefined;
  }
  if (!IS_LIST.test(name)) return undefined;
  const isTyped = ArrayBuffer.isView(value) && !(value instanceof DataView);
  if (!isTyped && !Array.isArray(value)) return undefined;
  const numbers = value as unknown as ArrayLike<unknown>;
  if (numbers.length === 0) return undefined;
  for (let i = 0; i < numbers.length; i++) if (!Number.isSafeInteger(numbers[i])) return undefined;
  return runsText(numbers as ArrayLike<number>);
}

/**
 * The name under which a source's value is known: what stands last if the source, or its last line, is nothing but a
 * name or a path of names and calls.
 *
 * @example
 * ```ts
 * import { nameOfPath } from "grantlab/repl";
 * if (nameOfPath("w.processes[0].mm.mmapBase") !== "mmapBase" || nameOfPath("1 + w.p2mEnd") !== undefined) {
 *   throw new Error();
 * }
 * ```
 */
export function nameOfPath(source: string): string | undefined {
  const last = source.trimEnd().split("\n").at(-1)!.trim();
  return /^(?:[\w$]+(?:\([^()]*\)|\[[^[\]]*\])*[?!]?\.)*([A-Za-z_$][\w$]*)(?:\[\d+\])?;?$/.exec(last)?.[1];
}

function flagNames(flags: number): string {
  return describeEntry(mfn(0), flags).replace(/^frame 0x0 /, "");
}

function runsText(numbers: ArrayLike<number>): string {
  const runs: string[] = [];
  let nrRuns = 0;
  for (let from = 0, to = 0; from < numbers.length; from = to) {
    for (to = from + 1; to < numbers.length && numbers[to] === numbers[to - 1]! + 1;) to++;
    if (nrRuns++ >= MOST_RUNS) continue;
    const first = numbers[from]!;
    if (first < 0) to = from + 1;
    const text = first < 0 ? String(first) : hex(first);
    runs.push(to - from === 1 ? text : `${text}–${hex(numbers[to - 1]!)}`);
  }
  const more = nrRuns > MOST_RUNS ? ` … ${nrRuns - MOST_RUNS} more runs` : "";
  return `${numbers.length}: ${runs.join(" ")}${more}`;
}
