/**
 * The past in a file of the user's: one entry a line, as a JSON string, so that entries of several lines stay whole.
 * A file that cannot be read or written costs one warning and the memory of this session, nothing else.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { MOST_ENTRIES } from "./history.ts";

/**
 * Where the file is: `$XDG_STATE_HOME/grantlab/history`, by default below `~/.local/state`; undefined if there is no
 * home either.
 */
export function historyPath(env: { get(name: string): string | undefined }): string | undefined {
  const state = env.get("XDG_STATE_HOME");
  // The specification: a path that is not absolute is ignored.
  if (state !== undefined && state.startsWith("/")) return join(state, "grantlab", "history");
  const home = env.get("HOME");
  return home === undefined || home === "" ? undefined : join(home, ".local", "state", "grantlab", "history");
}

/** The file, open for adding. */
export class HistoryFile {
  readonly #path: string | undefined;
  readonly #warn: (message: string) => void;
  #isBroken = false;

  /** @param warn is called at most once */
  constructor(path: string | undefined, warn: (message: string) => void) {
    this.#path = path;
    this.#warn = warn;
    if (path === undefined) this.#fail(new Error("neither XDG_STATE_HOME nor HOME is set"));
  }

  /** Entries, oldest first. A torn line is passed over. */
  load(): string[] {
    if (this.#path === undefined) return [];
    let text: string;
    try {
      text = Deno.readTextFileSync(this.#path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) this.#fail(error);
      return [];
    }
    const entries = text.split("\n").flatMap((line) => entryOf(line));
    if (entries.length > 2 * MOST_ENTRIES) this.#shorten(entries.slice(-MOST_ENTRIES));
    return entries;
  }

  /** Adds an entry. */
  append(entry: string): void {
    if (this.#path === undefined || this.#isBroken) return;
    try {
      Deno.mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
      Deno.writeTextFileSync(this.#path, `${JSON.stringify(entry)}\n`, { append: true, mode: 0o600 });
    } catch (error) {
      this.#fail(error);
    }
  }

  /** In one step, so that a session beside this one never reads half of it. */
  #shorten(entries: readonly string[]): void {
    const fresh = `${this.#path!}.${Deno.pid}`;
    try {
      Deno.writeTextFileSync(fresh, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(""), {
        mode: 0o600,
      });
      Deno.renameSync(fresh, this.#path!);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (!this.#isBroken) {
      this.#warn(`The history is kept for this session only: ${(error as Error).message}`);
    }
    this.#isBroken = true;
  }
}

function entryOf(line: string): string[] {
  if (line === "") return [];
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === "string" ? [entry] : [];
  } catch {
    return [];
  }
}
