/**
 * Kernel messages from workers. When a worker runs is not the kernel's promise but the machine's chance, so a message
 * from one counts by being there, in the case, and not by the step that reports it.
 *
 * @module
 */

import type { Outcome } from "./step.ts";

/** What workers said in one case, recorded and modelled. */
export class WorkerMessages {
  /** Kinds that the model's workers reported, and in how many steps a kind is on one side only. */
  readonly #fromWorkers = new Set<string>();
  readonly #missing = new Set<string>();
  readonly #extra = new Set<string>();

  /** A step has run; `fromWorkers`: kinds of the model that only workers reported in it. */
  note(expected: Outcome, got: Outcome, fromWorkers: ReadonlySet<string>): void {
    for (const kind of fromWorkers) this.#fromWorkers.add(kind);
    const [recorded, modelled] = [kindsOf(expected), kindsOf(got)];
    for (const kind of recorded) if (!modelled.includes(kind)) this.#missing.add(kind);
    for (const kind of modelled) if (!recorded.includes(kind) && fromWorkers.has(kind)) this.#extra.add(kind);
  }

  /** Workers of the model reported these after the last call, where no step looks. */
  noteAfterwards(fromWorkers: ReadonlySet<string>): void {
    for (const kind of fromWorkers) {
      this.#fromWorkers.add(kind);
      this.#extra.add(kind);
    }
  }

  /**
   * Both sides as texts, after all steps have run. A kind that only one side has in this step and only the other side in
   * another is taken out of both.
   */
  settle(expected: Outcome | string, got: Outcome | string): { expected: string; got: string } {
    if (typeof expected === "string" || typeof got === "string") {
      return { expected: textOf(expected), got: textOf(got) };
    }
    const [recorded, modelled] = [kindsOf(expected), kindsOf(got)];
    const isElsewhere = (kind: string) =>
      this.#fromWorkers.has(kind) && this.#missing.has(kind) && this.#extra.has(kind) &&
      recorded.includes(kind) !== modelled.includes(kind);
    const without = (side: Outcome, kinds: readonly string[]) =>
      textOf({ ...side, kmsg_kinds: kinds.filter((kind) => !isElsewhere(kind)) });
    return { expected: without(expected, recorded), got: without(got, modelled) };
  }
}

function kindsOf(side: Outcome): readonly string[] {
  return Array.isArray(side.kmsg_kinds) ? side.kmsg_kinds as string[] : [];
}

function textOf(side: Outcome | string): string {
  return typeof side === "string" ? side : JSON.stringify(side);
}
