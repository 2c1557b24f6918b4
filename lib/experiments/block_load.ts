/**
 * How a block workload went: what was answered, when, and whether every byte is right.
 *
 * @module
 */

import type { KernelBug } from "../core/crash.ts";
import { Shown, viewOf } from "../core/shown.ts";
import { tableBlock, type View } from "../core/view.ts";
import type { EventCounts } from "../trace/trace.ts";

/** A sector that does not hold what it must. */
export interface WrongSector {
  readonly sector: number;
  /** Number of the write that it holds, 0 for what was there first; more than one if its words differ. */
  readonly found: readonly number[];
  readonly mayBe: readonly number[];
}

interface BlockLoadFields {
  readonly requests: number;
  readonly okay: number;
  readonly failed: number;
  readonly unanswered: number;
  readonly waits: ReadonlyMap<number, number>;
  readonly elapsedMs: number;
  readonly wrongReads: number;
  readonly wrongSectors: readonly WrongSector[];
  readonly guestEvents: EventCounts;
  readonly dom0Events: EventCounts;
  readonly crash: KernelBug | null;
}

/** How a workload went. */
export class BlockLoad extends Shown {
  readonly requests: number;
  readonly okay: number;
  readonly failed: number;
  readonly unanswered: number;
  /** From submission to answer: milliseconds, and how many requests took so many. */
  readonly waits: ReadonlyMap<number, number>;
  readonly elapsedMs: number;
  /** Reads that brought something else than they must. */
  readonly wrongReads: number;
  /** Sectors of the disk that hold something else than they must, when all is over. */
  readonly wrongSectors: readonly WrongSector[];
  readonly guestEvents: EventCounts;
  readonly dom0Events: EventCounts;
  /** The bug that ended dom0, if one did. */
  readonly crash: KernelBug | null;

  constructor(fields: BlockLoadFields) {
    super();
    this.requests = fields.requests;
    this.okay = fields.okay;
    this.failed = fields.failed;
    this.unanswered = fields.unanswered;
    this.waits = fields.waits;
    this.elapsedMs = fields.elapsedMs;
    this.wrongReads = fields.wrongReads;
    this.wrongSectors = fields.wrongSectors;
    this.guestEvents = fields.guestEvents;
    this.dom0Events = fields.dom0Events;
    this.crash = fields.crash;
  }

  /** The longest wait for an answer, in milliseconds. */
  get longestWaitMs(): number {
    return Math.max(0, ...this.waits.keys());
  }

  /** `ok`, or the worst that happened. */
  get verdict(): "ok" | "crash" | "wrong-data" | "error" | "unanswered" {
    if (this.crash !== null) return "crash";
    if (this.wrongReads + this.wrongSectors.length > 0) return "wrong-data";
    if (this.unanswered > 0) return "unanswered";
    return this.failed > 0 ? "error" : "ok";
  }

  override [viewOf](): View {
    const right = (header: string) => ({ header, right: true }) as const;
    return {
      line:
        `requests ${this.requests}: okay ${this.okay}, failed ${this.failed}, unanswered ${this.unanswered}; ` +
        `longest wait ${this.longestWaitMs} ms; ${this.verdict}`,
      blocks: [
        tableBlock(
          [right("sector"), "holds write", "may hold"],
          this.wrongSectors.map((
            { sector, found, mayBe },
          ) => [String(sector), found.join(" "), mayBe.join(" ")]),
          { caption: "sectors that hold something else than they must", limit: 12 },
        ),
      ],
    };
  }
}
