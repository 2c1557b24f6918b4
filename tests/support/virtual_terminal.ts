/**
 * A terminal without a screen: understands what `editor/screen.ts` writes, so that a test can read what a person
 * would see.
 *
 * @module
 */

import type { Key } from "../../lib/repl/editor/keys.ts";
import { KeyDecoder } from "../../lib/repl/editor/keys.ts";
import type { Terminal } from "../../lib/repl/terminal.ts";

/** A screen of characters of one column each. */
export class VirtualTerminal implements Terminal {
  size: { columns: number; rows: number };
  #lines: string[][] = [[]];
  #row = 0;
  #column = 0;
  readonly #decoder = new KeyDecoder();
  readonly #keys: Key[] = [];
  #wake: (() => void) | undefined;
  #hasEnded = false;
  #changed: () => void = () => {};

  constructor(columns = 40, rows = 10) {
    this.size = { columns, rows };
  }

  /** Everything ever shown, without blank lines at the end. */
  get text(): string {
    return this.#lines.map((line) => Array.from(line, (c) => c ?? " ").join("").trimEnd()).join("\n")
      .trimEnd();
  }

  /** Text with a caret where the cursor is. */
  get cursor(): string {
    return `${this.#row},${this.#column}`;
  }

  write(text: string): void {
    // deno-lint-ignore no-control-regex
    for (const [part, , count = "", command] of text.matchAll(/(\x1b\[(\??\d*)([A-Za-z]))|[^]/gu)) {
      if (command !== undefined) this.#control(command, Number(count.replace("?", "") || 1));
      else if (part === "\r") this.#column = 0;
      else if (part === "\n") this.#newLine();
      else this.#put(part!);
    }
  }

  /** Presses keys, as the terminal would send them, and lets the prompt react. */
  async type(text: string): Promise<void> {
    this.#keys.push(...this.#decoder.push(text), ...this.#decoder.flush());
    this.#wake?.();
    await settled();
  }

  /** The user closes the window. */
  async hangUp(): Promise<void> {
    this.#hasEnded = true;
    this.#wake?.();
    await settled();
  }

  resize(columns: number): void {
    this.size = { ...this.size, columns };
    this.#changed();
  }

  async *keys(): AsyncGenerator<Key> {
    while (true) {
      const key = this.#keys.shift();
      if (key !== undefined) yield key;
      else if (this.#hasEnded) return;
      else await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  onResize(changed: () => void): void {
    this.#changed = changed;
  }

  close(): void {}

  #control(command: string, n: number): void {
    if (command === "A") this.#row = Math.max(0, this.#row - n);
    else if (command === "C") this.#column += n;
    else if (command === "H") [this.#row, this.#column] = [0, 0];
    else if (command === "J") {
      if (n === 2) this.#lines = [[]];
      else {
        this.#lines.length = this.#row + 1;
        this.#lines[this.#row]!.length = Math.min(this.#lines[this.#row]!.length, this.#column);
      }
    }
  }

  #newLine(): void {
    this.#row++;
    while (this.#lines.length <= this.#row) this.#lines.push([]);
    // What comes is cooked: a line feed also returns.
    this.#column = 0;
  }

  #put(character: string): void {
    if (this.#column === this.size.columns) this.#newLine();
    this.#lines[this.#row]![this.#column++] = character;
  }
}

/** Lets promises and their followers settle. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
  await new Promise((resolve) => setTimeout(resolve, 0));
}
