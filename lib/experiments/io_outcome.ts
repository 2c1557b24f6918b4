/**
 * What a direct I/O did, page by page, and why: the answer to "which path did it take?".
 *
 * @module
 */

import { Shown, viewOf } from "../core/shown.ts";
import { drawing, tableBlock, type View } from "../core/view.ts";
import { KernelBug } from "../core/crash.ts";
import type { SysResult } from "../core/errno.ts";
import { hex } from "../core/show.ts";
import type { DirectIo } from "../drivers/direct_io.ts";
import type { GupDecision } from "../linux/mm/gup.ts";
import { describeReached, type Reached, type Verdict } from "../reference/oracle.ts";
import type { EventCounts } from "../trace/trace.ts";

/** One page of a direct I/O. */
export interface IoPage {
  readonly address: number;
  /** Which half of get_user_pages decided: the lock-less walk or the slow path. */
  readonly path: "fast" | "slow";
  /** Of the `struct page` that was found; null if there was none. */
  readonly pfn: number | null;
  readonly reached: Reached;
  readonly expected: Reached;
  readonly verdict: Verdict;
}

interface IoOutcomeFields {
  readonly direction: "read" | "write";
  readonly address: number;
  readonly length: number;
  readonly result: SysResult<DirectIo> | KernelBug;
  readonly pages: readonly IoPage[];
  readonly decisions: readonly GupDecision[];
  readonly events: EventCounts;
}

/** A direct I/O that is over. Prints itself with what was reached and why. */
export class IoOutcome extends Shown {
  readonly direction: "read" | "write";
  readonly address: number;
  readonly length: number;
  /** Bytes transferred, an errno, or the bug that ended the kernel. */
  readonly result: SysResult<DirectIo> | KernelBug;
  readonly pages: readonly IoPage[];
  /** What get_user_pages decided, in order, each with the kernel function that did. */
  readonly decisions: readonly GupDecision[];
  readonly events: EventCounts;

  constructor(fields: IoOutcomeFields) {
    super();
    this.direction = fields.direction;
    this.address = fields.address;
    this.length = fields.length;
    this.result = fields.result;
    this.pages = fields.pages;
    this.decisions = fields.decisions;
    this.events = fields.events;
  }

  /** `4096`, `-EFAULT` or `crash`: what the caller of read(2) sees. */
  get returned(): string {
    if (this.result instanceof KernelBug) return "crash";
    return this.result.ok ? String(this.result.value.bytes) : `-${this.result.errno}`;
  }

  override toString(): string {
    const lines = this.pages.map((page) => `${hex(page.address)} ${describePage(page)}`);
    return [`O_DIRECT ${this.direction} of ${this.length} bytes returns ${this.returned}`, ...lines].join(
      "\n  ",
    );
  }

  override [viewOf](): View {
    const rows = this.pages.map(({ address, path, reached, expected, verdict }) => [
      hex(address),
      path,
      describeReached(reached),
      describeReached(expected),
      verdict,
    ]);
    return {
      line: inOneLine(this.toString()),
      title: this.toString().split("\n")[0]!,
      blocks: [tableBlock(["page", "path", "reached", "must reach", "verdict"], rows)],
    };
  }
}

/** Why a direct I/O came out as it did: page by page, each decision with the kernel function that took it. */
export class Explanation extends Shown {
  constructor(readonly io: IoOutcome) {
    super();
  }

  override toString(): string {
    const { io } = this;
    const width = Math.max(0, ...io.decisions.map((decision) => decision.where.length));
    const lines = [`O_DIRECT ${io.direction} of ${io.length} bytes returns ${io.returned}`];
    for (const page of io.pages) {
      lines.push(`${hex(page.address)} ${describePage(page)}`);
      const why = io.decisions.filter((decision) => decision.address === page.address);
      if (page.path === "slow" && !why.some(({ where }) => where === FAST_WALK)) {
        lines.push(`  ${FAST_WALK.padEnd(width)}  had ended at an earlier page`);
      }
      for (const { where, what } of why) lines.push(`  ${where.padEnd(width)}  ${what}`);
    }
    if (io.result instanceof KernelBug) lines.push(`  ${io.result.message}`);
    return lines.join("\n");
  }

  override [viewOf](): View {
    const [title = "", ...lines] = this.toString().split("\n");
    return { line: inOneLine(this.toString()), title, blocks: [drawing(lines)] };
  }
}

/** Lines of a text behind each other. */
function inOneLine(text: string): string {
  return text.split("\n").map((line) => line.trim().replaceAll(/ {2,}/g, ": ")).join("; ");
}

const FAST_WALK = "gup_pte_range";

function describePage({ path, reached, expected, verdict }: IoPage): string {
  const same = describeReached(reached) === describeReached(expected);
  return `${path} path, reached ${describeReached(reached)}` +
    `${same ? ", as it must" : ` instead of ${describeReached(expected)}`}: ${verdict}`;
}
