/**
 * The front end for pipes: one result per line on stdout and nothing else there.
 *
 * An *entry* is one line of input, or several if the first ones are unfinished (an open bracket, template or comment;
 * a line that ends in an operator). Every entry gives one line, declarations included (`undefined`), so the n-th line
 * out belongs to the n-th entry in; blank lines and comments are no entries.
 *
 * @module
 */

import { isCommand } from "./commands/mod.ts";
import type { Evaluator } from "./evaluator.ts";
import { completeness } from "./source.ts";

/** Where results and complaints go. */
export interface PipedOutput {
  readonly result: (line: string) => void;
  readonly error: (line: string) => void;
}

/**
 * Evaluates entries until the input ends or one fails.
 *
 * @param lines input lines without their ends
 * @returns exit code: 0, 1 after an error (also one of a timer or promise that nobody handled), or that of `Deno.exit` in an entry
 */
export async function runPiped(
  evaluator: Evaluator,
  lines: AsyncIterable<string>,
  output: PipedOutput,
): Promise<number> {
  for await (const { source, firstLine } of entriesOf(lines)) {
    if (isCommand(source)) {
      output.error(
        `line ${firstLine}: Cannot run ${source.trim()}: commands are for the prompt, piped input is code`,
      );
      return 1;
    }
    const evaluation = await evaluator.evaluate(source);
    if (evaluation.kind === "ended") return evaluation.code;
    if (evaluation.kind === "error") {
      const lastLine = firstLine + source.split("\n").length - 1;
      output.error(`line ${Math.min(firstLine + evaluation.line, lastLine)}: ${evaluation.message}`);
      return 1;
    }
    output.result(await evaluator.print(evaluation.value, { form: "line" }));
    await evaluator.release(evaluation.value);
  }
  // They have been reported when they happened.
  return await evaluator.unhandled() > 0 ? 1 : 0;
}

/** Entries with the number of their first line, from 1. An unfinished last one is an entry too, and will fail. */
async function* entriesOf(
  lines: AsyncIterable<string>,
): AsyncGenerator<{ source: string; firstLine: number }> {
  let source: string | undefined;
  let firstLine = 1;
  let lineNumber = 0;
  for await (const line of lines) {
    lineNumber++;
    if (source === undefined) firstLine = lineNumber;
    source = source === undefined ? line : `${source}\n${line}`;
    const state = completeness(source);
    if (state === "unfinished") continue;
    if (state === "finished") yield { source, firstLine };
    source = undefined;
  }
  if (source !== undefined && completeness(source) !== "blank") yield { source, firstLine };
}

/** Lines of a byte stream, LF or CRLF, the last with or without its end. */
export async function* linesOf(bytes: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of bytes.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) yield line.replace(/\r$/, "");
  }
  if (rest !== "") yield rest.replace(/\r$/, "");
}
