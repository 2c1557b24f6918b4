/**
 * A progress bar on a terminal's last line. Elsewhere, in pipes and logs, it writes nothing.
 *
 * @module
 */

/** Where a bar is drawn. */
export interface ProgressTarget {
  readonly isTerminal: boolean;
  readonly columns: number;
  write(text: string): void;
}

const BAR = 24;
const CLEAR = "\r\x1b[K";

/**
 * A bar of `total` steps. Whoever writes to the terminal meanwhile calls `clear()` first.
 *
 * @example
 * ```ts
 * import { Progress } from "grantlab/cli";
 * let drawn = "";
 * const target = { isTerminal: true, columns: 80, write: (text: string) => void (drawn = text) };
 * new Progress(4, target).at(1, "maps");
 * if (!drawn.includes("1/4 maps")) throw new Error(drawn);
 * ```
 */
export class Progress {
  readonly #total: number;
  readonly #target: ProgressTarget;

  constructor(total: number, target: ProgressTarget = errorStream()) {
    this.#total = total;
    this.#target = target;
  }

  /** Draws it with so many steps done; `doing` is what comes next. */
  at(done: number, doing: string): void {
    if (!this.#target.isTerminal || this.#total === 0) return;
    const full = Math.round(BAR * Math.min(1, done / this.#total));
    const line = `[${"#".repeat(full)}${".".repeat(BAR - full)}] ${done}/${this.#total} ${doing}`;
    this.#target.write(`${CLEAR}${line.slice(0, Math.max(20, this.#target.columns - 1))}`);
  }

  /** Takes it away. */
  clear(): void {
    if (this.#target.isTerminal && this.#total > 0) this.#target.write(CLEAR);
  }
}

function errorStream(): ProgressTarget {
  const isTerminal = Deno.stderr.isTerminal();
  return {
    isTerminal,
    columns: isTerminal ? columnsOf() : 80,
    write: (text) => void Deno.stderr.writeSync(new TextEncoder().encode(text)),
  };
}

function columnsOf(): number {
  try {
    return Deno.consoleSize().columns;
  } catch {
    return 80;
  }
}
