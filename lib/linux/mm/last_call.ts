/**
 * The decisions of the last call on an address space: which VMA was cut and who is new, what merged or what forbade it,
 * who was told, what was flushed. Records are kept as they happen and put into words only when somebody asks.
 *
 * @module
 */

import { type Errno, fail, type SysFailure } from "../../core/errno.ts";
import { hex } from "../../core/show.ts";
import { Shown, viewOf } from "../../core/shown.ts";
import { drawing, type View } from "../../core/view.ts";
import { EV } from "../../trace/events.ts";
import type { MmStruct } from "./mm_struct.ts";

/** One decision. */
export interface CallDecision {
  /** Kernel function that takes it, verbatim. */
  readonly where: string;
  /** What it saw and did, without full stop. */
  readonly what: string;
  /** The piece of the address space as letters, where a picture helps. */
  readonly drawing?: string;
}

/** A range of addresses and what happened to it, not yet in words. */
class RangeDecision implements CallDecision {
  constructor(readonly where: string, readonly does: string, readonly start: number, readonly end: number) {}

  get what(): string {
    return `${this.does} [${hex(this.start)}, ${hex(this.end)})`;
  }
}

/** What one call decided, in order. */
export class CallRecord extends Shown {
  readonly decisions: CallDecision[] = [];

  /** @param call name of the system call */
  constructor(readonly call: string) {
    super();
  }

  /** One line a decision. */
  override toString(): string {
    const lines = this.decisions.map(({ where, what, drawing }) =>
      `  ${where}: ${what}${drawing === undefined ? "" : `\n    ${drawing}`}`
    );
    return [this.call, ...(lines.length === 0 ? ["  nothing to decide"] : lines)].join("\n");
  }

  override [viewOf](): View {
    const [title = "", ...lines] = this.toString().split("\n");
    const line = this.decisions.length === 0
      ? title
      : `${title}: ${this.decisions.map(({ where, what }) => `${where} ${what}`).join("; ")}`;
    return { line, title, blocks: [drawing(lines)] };
  }
}

/** Enters the kernel for a call: counted, and the record begins anew. */
export function enterCall(mm: MmStruct, call: string): void {
  mm.system.trace.add(EV.syscall);
  mm.lastCall = new CallRecord(call);
}

/** Adds a decision to the record of the call. */
export function decided(mm: MmStruct, decision: CallDecision): void {
  mm.lastCall?.decisions.push(decision);
}

/** Adds a decision about a range. @param does a verb: "zaps", "tells notifiers of" */
export function decidedRange(mm: MmStruct, where: string, does: string, start: number, end: number): void {
  mm.lastCall?.decisions.push(new RangeDecision(where, does, start, end));
}

/**
 * A call, or a step of it, fails, and the record says which rule of which kernel function was broken.
 *
 * @param where kernel function, verbatim
 * @param rule what was broken, without full stop
 */
export function refuse(mm: MmStruct, errno: Errno, where: string, rule: string): SysFailure {
  mm.lastCall?.decisions.push({ where, what: `${rule}: ${errno}` });
  return fail(errno);
}

/**
 * What the last call on this address space decided.
 *
 * @example
 * ```ts
 * import { explainCall, MAP_ANONYMOUS, MAP_PRIVATE, mmap, mprotect, nativeLinux } from "grantlab/linux/mm";
 * const mm = nativeLinux().process();
 * const at = mmap(mm, { length: 4 * 4096, prot: 3, flags: MAP_PRIVATE | MAP_ANONYMOUS });
 * if (at.ok) mprotect(mm, at.value + 4096, 4096, 1);
 * const [merge, low] = explainCall(mm).decisions;
 * if (merge?.where !== "vma_merge" || low?.drawing !== "N|OOO") throw new Error(String(explainCall(mm)));
 * ```
 */
export function explainCall(mm: MmStruct): CallRecord {
  return mm.lastCall ?? new CallRecord("no call yet");
}

/** Some pages as letters; many are shortened. */
export function pageLetters(letter: string, nrPages: number): string {
  return nrPages <= 16 ? letter.repeat(nrPages) : `${letter.repeat(6)}…${letter.repeat(6)}`;
}
