/**
 * From what a terminal sends to keys with names. A paste between the marks of bracketed paste is one key, whatever
 * is in it.
 *
 * Left out: mouse reports, focus reports, function keys; they come as `unknown` and do nothing.
 *
 * @module
 */

/** One key: text to insert, a paste, or a key by name (`enter`, `ctrl-r`, `alt-b`, `up`). */
export type Key =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "paste"; readonly text: string }
  | { readonly kind: "name"; readonly name: string };

const ESC = "\x1b";
const PASTE_START = `${ESC}[200~`;
const PASTE_END = `${ESC}[201~`;

/** What follows `ESC [` or `ESC O`. */
const SEQUENCES: Readonly<Record<string, string>> = {
  "A": "up",
  "B": "down",
  "C": "right",
  "D": "left",
  "H": "home",
  "F": "end",
  "1~": "home",
  "7~": "home",
  "4~": "end",
  "8~": "end",
  "3~": "delete",
  "5~": "page-up",
  "6~": "page-down",
  "Z": "shift-tab",
  "1;5C": "ctrl-right",
  "1;5D": "ctrl-left",
  "1;3C": "ctrl-right",
  "1;3D": "ctrl-left",
  "5C": "ctrl-right",
  "5D": "ctrl-left",
};

const CONTROLS: Readonly<Record<string, string>> = {
  "\r": "enter",
  "\n": "enter",
  "\t": "tab",
  "\x7f": "backspace",
  "\b": "backspace",
};

/** A complete control sequence after its introducer: parameters, intermediates, one final character. */
// deno-lint-ignore no-control-regex
const SEQUENCE = /^\x1b(?:\[([0-?]*[ -/]*[@-~])|O(.))/;

/**
 * Turns text, in whatever pieces it comes, into keys.
 *
 * @example
 * ```ts
 * import { KeyDecoder } from "grantlab/repl";
 * const names = new KeyDecoder().push("\x1b[A\x12").map((key) => key.kind === "name" ? key.name : key.text);
 * if (names.join() !== "up,ctrl-r") throw new Error(names.join());
 * ```
 */
export class KeyDecoder {
  #held = "";

  /** True while a sequence may go on: an escape that nothing follows soon is the Escape key. */
  get isWaiting(): boolean {
    return this.#held !== "";
  }

  /** The keys that are complete now. */
  push(text: string): Key[] {
    return this.#decode(this.#held + text, false);
  }

  /** What is held counts as it is. */
  flush(): Key[] {
    return this.#decode(this.#held, true);
  }

  #decode(text: string, isAll: boolean): Key[] {
    const keys: Key[] = [];
    let at = 0;
    this.#held = "";
    while (at < text.length) {
      const rest = text.slice(at);
      if (rest.startsWith(PASTE_START)) {
        const end = rest.indexOf(PASTE_END);
        if (end < 0 && !isAll) {
          this.#held = rest;
          break;
        }
        const pasted = rest.slice(PASTE_START.length, end < 0 ? undefined : end);
        keys.push({ kind: "paste", text: pasted.replaceAll(/\r\n?/g, "\n") });
        at += end < 0 ? rest.length : end + PASTE_END.length;
      } else if (rest[0] === ESC) {
        const length = escapeLength(rest);
        if (length === 0 && !isAll) {
          this.#held = rest;
          break;
        }
        keys.push(escapeKey(rest.slice(0, Math.max(1, length))));
        at += Math.max(1, length);
      } else {
        at += plain(rest, keys);
      }
    }
    return keys;
  }
}

/** Characters of the sequence at the start, 0 if it may go on. */
function escapeLength(text: string): number {
  if (text.length === 1) return 0;
  if (text[1] !== "[" && text[1] !== "O") return 1 + String.fromCodePoint(text.codePointAt(1)!).length;
  return SEQUENCE.exec(text)?.[0].length ?? 0;
}

function escapeKey(sequence: string): Key {
  if (sequence === ESC) return { kind: "name", name: "escape" };
  const found = SEQUENCE.exec(sequence);
  if (found !== null) return { kind: "name", name: SEQUENCES[found[1] ?? found[2]!] ?? "unknown" };
  const rest = sequence.slice(1);
  return { kind: "name", name: `alt-${CONTROLS[rest] ?? rest.toLowerCase()}` };
}

/** One control key or a run of text; answers its length. */
function plain(text: string, keys: Key[]): number {
  const code = text.charCodeAt(0);
  if (code >= 0x20 && code !== 0x7f) {
    // deno-lint-ignore no-control-regex
    const run = /^[^\x00-\x1f\x7f]+/.exec(text)![0];
    keys.push({ kind: "text", text: run });
    return run.length;
  }
  const name = CONTROLS[text[0]!] ?? `ctrl-${String.fromCharCode(code + 0x60)}`;
  keys.push({ kind: "name", name });
  return 1;
}
