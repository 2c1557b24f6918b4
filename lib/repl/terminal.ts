/**
 * The terminal of this process: raw mode, keys, size, and writing. The only file here that knows that there is one.
 *
 * @module
 */

import { KeyDecoder } from "./editor/keys.ts";
import type { Key } from "./editor/keys.ts";
import type { TerminalSize } from "./editor/layout.ts";

/** After this long an escape alone is the Escape key. */
const ESCAPE_MS = 40;
const PASTE_ON = "\x1b[?2004h";
const PASTE_OFF = "\x1b[?2004l";

/** What the prompt needs of a terminal. */
export interface Terminal {
  readonly size: TerminalSize;
  write(text: string): void;
  /** Keys as they are pressed, until the terminal is gone. */
  keys(): AsyncIterable<Key>;
  /** Calls back when the size has changed. */
  onResize(changed: () => void): void;
  /** Gives the terminal back as it was. */
  close(): void;
}

/** The terminal that stdin and stdout are. */
export function openTerminal(): Terminal {
  const resized: (() => void)[] = [];
  const whenResized = () => resized.forEach((changed) => changed());
  Deno.stdin.setRaw(true);
  Deno.addSignalListener("SIGWINCH", whenResized);
  const write = (text: string) => {
    const bytes = new TextEncoder().encode(text);
    for (let done = 0; done < bytes.length;) done += Deno.stdout.writeSync(bytes.subarray(done));
  };
  write(PASTE_ON);
  return {
    get size() {
      try {
        const { columns, rows } = Deno.consoleSize();
        if (columns > 0 && rows > 0) return { columns, rows };
      } catch {
        // The terminal is gone; what is written goes nowhere.
      }
      return { columns: 80, rows: 24 };
    },
    write,
    keys: readKeys,
    onResize: (changed) => void resized.push(changed),
    close() {
      Deno.removeSignalListener("SIGWINCH", whenResized);
      try {
        write(PASTE_OFF);
        Deno.stdin.setRaw(false);
      } catch {
        // The terminal is gone.
      }
    },
  };
}

async function* readKeys(): AsyncGenerator<Key> {
  const decoder = new KeyDecoder();
  const text = new TextDecoder();
  const bytes = new Uint8Array(64 * 1024);
  let reading: Promise<number | null> | undefined;
  while (true) {
    reading ??= Deno.stdin.read(bytes);
    const n = await (decoder.isWaiting ? Promise.race([reading, silence()]) : reading);
    if (n === "silence") {
      yield* decoder.flush();
      continue;
    }
    reading = undefined;
    if (n === null) return;
    yield* decoder.push(text.decode(bytes.subarray(0, n), { stream: true }));
  }
}

function silence(): Promise<"silence"> {
  return new Promise((resolve) => void setTimeout(() => resolve("silence"), ESCAPE_MS));
}
