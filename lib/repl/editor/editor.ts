/**
 * The line editor as a state machine: a key goes in, the text changes, and an answer says what the front end has to
 * do. Nothing here reads or writes a terminal; what it looks like is `layout.ts`.
 *
 * ```text
 *           Enter, finished          Ctrl-R                typed text, Backspace
 *  submit ◄───────────────── text ──────────► search ──────────┐
 *                            ▲   ◄──────────  (query)  ◄───────┘
 *                            │   Escape, arrows, Enter; Ctrl-G and Ctrl-C: as it was
 *                            └── Up, Down beyond the first or last line: the past, by what stands before the cursor
 * ```
 *
 * @module
 */

import type { History } from "./history.ts";
import type { Key } from "./keys.ts";
import { TextBuffer } from "./text_buffer.ts";

/** What the front end has to do. */
export type Answer =
  | { readonly kind: "edited" }
  /** The entry is finished. */
  | { readonly kind: "submit"; readonly text: string }
  /** Ctrl-C. `hadText` is false if there was nothing to clear. */
  | { readonly kind: "cleared"; readonly hadText: boolean }
  /** Ctrl-D on an empty entry. */
  | { readonly kind: "leave" }
  /** Names are wanted for the text before the cursor; give them to {@linkcode Editor.offer}. */
  | { readonly kind: "complete"; readonly prefix: string }
  | { readonly kind: "clear-screen" };

/** A search in the past. */
export interface Search {
  query: string;
  /** Index of the entry found, or -1. */
  found: number;
  readonly original: { readonly text: string; readonly cursor: number };
}

/** What the editor asks about an entry: is it finished? */
export type IsFinished = (source: string) => boolean;

const EDITED: Answer = Object.freeze({ kind: "edited" });
const INDENT = "  ";

/**
 * The editor of one prompt after the other.
 *
 * @example
 * ```ts
 * import { Editor, History, KeyDecoder } from "grantlab/repl";
 * const editor = new Editor(new History(["first"]), () => true);
 * const answers = new KeyDecoder().push("\x1b[A!\r").map((key) => editor.press(key));
 * const last = answers.at(-1)!;
 * if (last.kind !== "submit" || last.text !== "first!") throw new Error(JSON.stringify(answers));
 * ```
 */
export class Editor {
  readonly buffer: TextBuffer = new TextBuffer();
  /** Names below the entry, until the next key. */
  offered: readonly string[] = [];
  search: Search | null = null;
  readonly #history: History;
  readonly #isFinished: IsFinished;
  /** While Up and Down walk through the past: where, for which beginning, and what had been typed. */
  #past: { at: number; readonly prefix: string; readonly draft: string } | null = null;

  constructor(history: History, isFinished: IsFinished) {
    this.#history = history;
    this.#isFinished = isFinished;
  }

  /** One key. */
  press(key: Key): Answer {
    this.offered = [];
    if (this.search !== null) return this.#pressInSearch(this.search, key);
    if (key.kind === "name" && (key.name === "up" || key.name === "down")) return this.#walk(key.name);
    this.#past = null;
    if (key.kind !== "name") {
      if (key.kind === "text") this.#closeBlock(key.text);
      this.buffer.insert(key.text);
      return EDITED;
    }
    return this.#pressNamed(key.name);
  }

  /**
   * Names for the text before the cursor from index `from` on. What they have in common is put in; several are
   * offered below.
   */
  offer({ from, names }: { readonly from: number; readonly names: readonly string[] }): void {
    const typed = this.buffer.beforeCursor.slice(from);
    const common = commonStart(names);
    if (common.length > typed.length) this.buffer.insert(common.slice(typed.length));
    this.offered = names.length > 1 ? names : [];
  }

  /** Empties the entry. */
  reset(): void {
    this.buffer.set("");
    this.offered = [];
    this.search = null;
    this.#past = null;
  }

  #pressNamed(name: string): Answer {
    const { buffer } = this;
    switch (name) {
      case "enter":
        return this.#enter();
      case "alt-enter":
        buffer.insert("\n");
        return EDITED;
      case "tab":
        return this.#tab();
      case "ctrl-c":
        return this.#clear();
      case "ctrl-d":
        if (buffer.text === "") return { kind: "leave" };
        buffer.delete();
        return EDITED;
      case "ctrl-l":
        return { kind: "clear-screen" };
      case "ctrl-r":
        this.search = {
          query: "",
          found: -1,
          original: { text: buffer.text, cursor: buffer.cursor },
        };
        return EDITED;
    }
    MOTIONS[name]?.(buffer);
    return EDITED;
  }

  /** A closing bracket that begins a line stands a step further to the left. */
  #closeBlock(text: string): void {
    const { buffer } = this;
    const line = buffer.text.slice(buffer.lineStart, buffer.cursor);
    if (!/^[}\])]$/.test(text) || !/^[ \t]+$/.test(line) || !line.endsWith(INDENT)) return;
    for (let i = 0; i < INDENT.length; i++) buffer.backspace();
  }

  #enter(): Answer {
    const { buffer } = this;
    const { text } = buffer;
    if (text.trim() !== "" && !this.#isFinished(text)) {
      const indent = /^[ \t]*/.exec(text.slice(buffer.lineStart))![0];
      const opens = /[{([]\s*$/.test(text.slice(buffer.lineStart, buffer.cursor));
      buffer.insert(`\n${indent}${opens ? INDENT : ""}`);
      return EDITED;
    }
    return { kind: "submit", text };
  }

  /** After nothing but blanks Tab indents; else it asks for names. */
  #tab(): Answer {
    const { buffer } = this;
    const prefix = buffer.beforeCursor;
    if (/^[ \t]*$/.test(prefix.slice(buffer.lineStart)) && buffer.text !== "") {
      buffer.insert(INDENT);
      return EDITED;
    }
    return { kind: "complete", prefix };
  }

  #clear(): Answer {
    const hadText = this.buffer.text !== "";
    return { kind: "cleared", hadText };
  }

  #walk(direction: "up" | "down"): Answer {
    const { buffer } = this;
    if (this.#past === null) {
      if (direction === "up" && !buffer.isOnFirstLine) {
        buffer.up();
        return EDITED;
      }
      if (direction === "down") {
        if (!buffer.isOnLastLine) buffer.down();
        return EDITED;
      }
    }
    const history = this.#history;
    const past = this.#past ?? {
      at: history.entries.length,
      prefix: buffer.beforeCursor,
      draft: buffer.text,
    };
    this.#past = past;
    const at = direction === "up"
      ? history.older(past.at, past.prefix, buffer.text)
      : history.newer(past.at, past.prefix, buffer.text);
    if (at >= 0) {
      past.at = at;
      buffer.set(history.entries[at]!);
    } else if (direction === "down") {
      buffer.set(past.draft);
      this.#past = null;
    }
    return EDITED;
  }

  #pressInSearch(search: Search, key: Key): Answer {
    if (key.kind !== "name") {
      search.query += key.text.replaceAll("\n", " ");
      this.#find(search, search.found < 0 ? this.#newest : search.found, "older");
      return EDITED;
    }
    switch (key.name) {
      case "ctrl-r":
        this.#find(search, (search.found < 0 ? this.#newest + 1 : search.found) - 1, "older");
        return EDITED;
      case "ctrl-s":
        this.#find(search, search.found + 1, "newer");
        return EDITED;
      case "backspace":
        search.query = search.query.slice(0, -1);
        this.#find(search, this.#newest, "older");
        return EDITED;
      case "ctrl-g":
      case "ctrl-c":
        this.buffer.set(search.original.text);
        this.buffer.cursor = search.original.cursor;
        this.search = null;
        return EDITED;
    }
    this.search = null;
    if (key.name === "escape") return EDITED;
    return this.press(key);
  }

  get #newest(): number {
    return this.#history.entries.length - 1;
  }

  /** Shows the entry found; where there is none, the one shown stays. */
  #find(search: Search, from: number, direction: "older" | "newer"): void {
    if (search.query === "") return;
    const found = this.#history.search(search.query, from, direction);
    if (found < 0) return;
    search.found = found;
    this.buffer.set(this.#history.entries[found]!);
  }
}

const MOTIONS: Readonly<Record<string, (buffer: TextBuffer) => void>> = {
  "left": (buffer) => buffer.left(),
  "ctrl-b": (buffer) => buffer.left(),
  "right": (buffer) => buffer.right(),
  "ctrl-f": (buffer) => buffer.right(),
  "home": (buffer) => buffer.home(),
  "ctrl-a": (buffer) => buffer.home(),
  "end": (buffer) => buffer.end(),
  "ctrl-e": (buffer) => buffer.end(),
  "ctrl-left": (buffer) => buffer.wordLeft(),
  "alt-b": (buffer) => buffer.wordLeft(),
  "ctrl-right": (buffer) => buffer.wordRight(),
  "alt-f": (buffer) => buffer.wordRight(),
  "backspace": (buffer) => buffer.backspace(),
  "delete": (buffer) => buffer.delete(),
  "ctrl-k": (buffer) => buffer.cutTo(() => buffer.toLineEnd()),
  "ctrl-u": (buffer) => buffer.cutTo(() => buffer.home()),
  "ctrl-w": (buffer) => buffer.cutTo(() => buffer.wordLeft()),
  "alt-backspace": (buffer) => buffer.cutTo(() => buffer.wordLeft()),
  "alt-d": (buffer) => buffer.cutTo(() => buffer.wordRight()),
  "ctrl-y": (buffer) => buffer.yank(),
};

function commonStart(names: readonly string[]): string {
  let common = names[0] ?? "";
  for (const name of names) {
    while (!name.startsWith(common)) common = common.slice(0, -1);
  }
  return common;
}
