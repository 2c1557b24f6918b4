/**
 * A session as a command: options, the choice of front end, exit codes.
 *
 * @module
 */

import type { Evaluator, Preamble } from "./evaluator.ts";
import { openEvaluator } from "./inspector_evaluator.ts";
import { historyPath } from "./editor/history_file.ts";
import { runInteractive } from "./interactive.ts";
import { linesOf, type PipedOutput, runPiped } from "./piped.ts";

const HELP = `Opens a session: grantlab's names in scope, TypeScript, imports, top-level await.

Usage: deno task start [--eval LINE]... [--help]

Options:
  -e, --eval LINE   evaluate LINE as if it were piped in, then leave; may be repeated
  -h, --help        this text

At a terminal there is a prompt: Tab completes, ?NAME explains, Ctrl-R searches the past, Ctrl-C stops the running
line, Ctrl-D leaves; .help lists the commands. The past is kept in $XDG_STATE_HOME/grantlab/history
(~/.local/state without it). NO_COLOR turns colours off.

Otherwise lines are read from stdin, and results written to stdout, one per line:
  - Every entry gives exactly one line; a declaration gives "undefined". An entry is one line of input, or
    several if the first ones are unfinished: an open bracket, template or comment, an operator at the end.
  - Blank lines and comments are no entries.
  - A result of any size is one line. Strings are quoted, bigints in hex (0x1000n), drawings and tables
    become their fields or their own one-line form.
  - What the code itself writes (console.log, Deno.stdout) goes to stderr.
  - The first error stops the session: "line N: message" on stderr, exit code 1.

Exit codes: 0 all went well, 1 an entry failed, 2 a wrong option; Deno.exit(code) in an entry gives its code.
`;

/** What a session is opened with, besides the command's arguments. */
export interface SessionOptions {
  readonly preamble: Preamble;
  /** Written before the first prompt at a terminal. */
  readonly banner: string;
}

/** Runs a session to its end and returns the exit code. */
export async function runSession(args: readonly string[], options: SessionOptions): Promise<number> {
  const wish = wishOf(args);
  if (wish.kind === "help") {
    console.log(HELP.trimEnd());
    return 0;
  }
  if (wish.kind === "wrong") {
    console.error(`${wish.reason}\nTry --help`);
    return 2;
  }
  const isInteractive = wish.lines.length === 0 && Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
  return isInteractive ? await prompted(options) : await piped(wish.lines, options);
}

async function prompted({ preamble, banner }: SessionOptions): Promise<number> {
  const colour = !Deno.noColor;
  try {
    return await runInteractive(
      (onOutput, isMuted) =>
        openEvaluator({
          preamble,
          colour,
          onOutput: (_stream, text) => {
            if (!isMuted()) onOutput(text);
          },
        }),
      { colour, banner, module: preamble.module, setup: preamble.setup, historyPath: historyPath(Deno.env) },
    );
  } catch (error) {
    console.error((error as Error).message);
    return 1;
  }
}

async function piped(lines: readonly string[], { preamble }: SessionOptions): Promise<number> {
  let evaluator: Evaluator;
  try {
    evaluator = await openEvaluator({
      preamble,
      colour: false,
      onOutput: (_stream, text) => writeAll(Deno.stderr, text),
    });
  } catch (error) {
    console.error((error as Error).message);
    return 1;
  }
  try {
    return await runPiped(evaluator, lines.length > 0 ? given(lines) : linesOf(Deno.stdin.readable), OUTPUT);
  } catch (error) {
    // The reader of a pipe may leave early; 141 is what a shell reports for it.
    if (error instanceof Deno.errors.BrokenPipe) return 141;
    throw error;
  } finally {
    await evaluator.close();
  }
}

type Wish =
  | { readonly kind: "run"; readonly lines: readonly string[] }
  | { readonly kind: "help" }
  | { readonly kind: "wrong"; readonly reason: string };

function wishOf(args: readonly string[]): Wish {
  const lines: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === "-h" || arg === "--help") return { kind: "help" };
    if (arg.startsWith("--eval=")) lines.push(arg.slice("--eval=".length));
    else if (arg !== "-e" && arg !== "--eval") {
      return { kind: "wrong", reason: `Cannot use the option ${arg}` };
    } else if (i + 1 === args.length) return { kind: "wrong", reason: `Cannot use ${arg}: it needs a line` };
    else lines.push(args[++i]!);
  }
  return { kind: "run", lines };
}

async function* given(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}

const OUTPUT: PipedOutput = {
  result: (line) => writeAll(Deno.stdout, `${line}\n`),
  error: (line) => writeAll(Deno.stderr, `${line}\n`),
};

function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let done = 0; done < bytes.length;) done += stream.writeSync(bytes.subarray(done));
}
