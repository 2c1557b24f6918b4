/**
 * The prompt on a terminal: keys to the editor, its picture to the screen. What the session writes meanwhile goes
 * above the entry that is being typed. While a line runs, keys wait, Ctrl-C excepted.
 *
 * @module
 */

import { type Answer, Editor, type IsFinished } from "./editor/editor.ts";
import type { History } from "./editor/history.ts";
import type { Key } from "./editor/keys.ts";
import { entryPicture, layout } from "./editor/layout.ts";
import { Screen } from "./editor/screen.ts";
import type { Terminal } from "./terminal.ts";

/** What a prompt asks of the session behind it. */
export interface PromptHooks {
  readonly isFinished: IsFinished;
  /** Names that may follow; see `Evaluator.complete`. */
  complete(prefix: string): Promise<{ readonly from: number; readonly names: readonly string[] }>;
  /** Ctrl-C while a line runs. */
  interrupt(): unknown;
}

/** A prompt. */
export class Prompt {
  readonly #terminal: Terminal;
  readonly #hooks: PromptHooks;
  readonly #editor: Editor;
  readonly #screen = new Screen();
  readonly #waiting: Key[] = [];
  /** Set while somebody waits for an entry. */
  #asked: ((entry: string | undefined) => void) | undefined;
  #isPumping = false;
  #hasEnded = false;
  /** The last piece of output had no line break at its end. */
  #isMidLine = false;

  constructor(terminal: Terminal, history: History, hooks: PromptHooks) {
    this.#terminal = terminal;
    this.#hooks = hooks;
    this.#editor = new Editor(history, hooks.isFinished);
    terminal.onResize(() => this.#draw());
    void this.#read();
  }

  /** The next entry, or undefined when the user leaves. */
  async ask(): Promise<string | undefined> {
    if (this.#hasEnded && this.#waiting.length === 0) return undefined;
    if (this.#isMidLine) this.#terminal.write("\r\n");
    this.#isMidLine = false;
    const entry = new Promise<string | undefined>((resolve) => this.#asked = resolve);
    this.#draw();
    void this.#pump();
    return await entry;
  }

  /** Writes output of the session, above the entry if one is being typed. */
  write(text: string): void {
    if (text === "") return;
    if (this.#asked === undefined) {
      this.#terminal.write(text);
      this.#isMidLine = !text.endsWith("\n");
      return;
    }
    const { columns } = this.#terminal.size;
    this.#terminal.write(this.#screen.erase(columns) + text + (text.endsWith("\n") ? "" : "\r\n"));
    this.#draw();
  }

  async #read(): Promise<void> {
    try {
      for await (const key of this.#terminal.keys()) {
        if (this.#asked === undefined && key.kind === "name" && key.name === "ctrl-c") {
          this.#waiting.length = 0;
          this.#hooks.interrupt();
          continue;
        }
        this.#waiting.push(key);
        void this.#pump();
      }
    } finally {
      this.#hasEnded = true;
      this.#answer(undefined);
    }
  }

  /** Hands waiting keys to the editor while an entry is asked for. */
  async #pump(): Promise<void> {
    if (this.#isPumping) return;
    this.#isPumping = true;
    while (this.#asked !== undefined && this.#waiting.length > 0) {
      await this.#react(this.#editor.press(this.#waiting.shift()!));
    }
    this.#isPumping = false;
  }

  async #react(answer: Answer): Promise<void> {
    switch (answer.kind) {
      case "submit":
        this.#settle();
        this.#editor.reset();
        return this.#answer(answer.text);
      case "leave":
        this.#settle();
        return this.#answer(undefined);
      case "cleared":
        if (answer.hadText) this.#settle();
        this.#editor.reset();
        break;
      case "clear-screen":
        this.#screen.forget();
        this.#terminal.write("\x1b[H\x1b[2J");
        break;
      case "complete": {
        const { buffer } = this.#editor;
        const { text, cursor } = buffer;
        const found = await this.#hooks.complete(answer.prefix).catch(() => undefined);
        if (found !== undefined && buffer.text === text && buffer.cursor === cursor) {
          this.#editor.offer(found);
        }
      }
    }
    // A burst of keys, a paste without marks, is drawn once.
    if (this.#waiting.length === 0 || answer.kind === "cleared") this.#draw();
  }

  #answer(entry: string | undefined): void {
    const asked = this.#asked;
    this.#asked = undefined;
    asked?.(entry);
  }

  #draw(): void {
    if (this.#asked === undefined) return;
    const { size } = this.#terminal;
    this.#terminal.write(this.#screen.paint(layout(this.#editor, size), size.columns));
  }

  /** The entry as it stays on the screen, all of it, and a new line. */
  #settle(): void {
    const { columns } = this.#terminal.size;
    this.#terminal.write(
      this.#screen.paint(entryPicture(this.#editor.buffer.text, columns), columns) + "\r\n",
    );
    this.#screen.forget();
  }
}
