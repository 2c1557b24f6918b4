/**
 * `.script NAME`: the library's own code of a command of the prompt, of an experiment, or of any documented name.
 *
 * @module
 */

import { EXPERIMENTS as COUNTING } from "../../experiments/catalogue.ts";
import { VERDICT_EXPERIMENTS as JUDGED } from "../../experiments/compare.ts";
import { entryFor } from "../help.ts";
import type { Command, CommandContext } from "./command.ts";

/** A declaration and where it stands. */
export interface Listing {
  /** From the library's folder: `lib/repl/commands/undo.ts`. */
  readonly file: string;
  /** Line of the file that the text begins on, from 1. */
  readonly line: number;
  readonly text: string;
}

/** The command. */
export const script: Command = {
  usage: ".script NAME",
  summary: "the library's code of a command, an experiment or a function",
  async run(context: CommandContext, argument: string): Promise<void> {
    const name = argument.replace(/^[.?]/, "").replace(/\(.*\)$/s, "");
    if (name === "") return context.write("Cannot print the code of nothing: write .script and a name");
    const found = codeOfCommand(name, context) ?? codeOfExperiment(name, context) ??
      await codeOfName(name, context);
    if (found === undefined) {
      return context.write(
        `Cannot print the code of ${name}: no command, experiment or documented name is called so`,
      );
    }
    context.write(`// ${found.file}:${found.line}\n${found.text}`);
  },
};

/** Files that hold the commands, tried in turn; undo and redo share one, and what is small stands in the table's. */
const COMMAND_FILES = (name: string) => [`${name}.ts`, "undo.ts", "mod.ts"];

function codeOfCommand(name: string, { module }: CommandContext): Listing | undefined {
  for (const file of COMMAND_FILES(name)) {
    const path = `lib/repl/commands/${file}`;
    const source = readLocal(new URL(path, module));
    const at = source?.search(new RegExp(`^(?:export )?const ${name}: Command\\b`, "m")) ?? -1;
    if (source === undefined || at < 0) continue;
    if (file !== "mod.ts") return { file: path, line: 1, text: source.trimEnd() };
    const line = source.slice(0, at).split("\n").length;
    return { file: path, line, text: declarationAt(source, line) };
  }
  return undefined;
}

/** A file is named for its main export, so an experiment's name is that of its file. */
function codeOfExperiment(name: string, { module }: CommandContext): Listing | undefined {
  if (!Object.hasOwn({ ...JUDGED, ...COUNTING }, name)) return undefined;
  const path = `lib/experiments/${name}.ts`;
  const source = readLocal(new URL(path, module));
  return source === undefined ? undefined : { file: path, line: 1, text: source.trimEnd() };
}

async function codeOfName(name: string, { module, session }: CommandContext): Promise<Listing | undefined> {
  const entry = await entryFor(name, { module, classOf: (path) => session.evaluator.classOf(path) });
  const source = entry === undefined ? undefined : readLocal(new URL(entry.file));
  if (entry === undefined || source === undefined) return undefined;
  const root = new URL(".", module).href;
  const file = entry.file.startsWith(root) ? entry.file.slice(root.length) : entry.file;
  return { file, line: entry.line, text: declarationAt(source, entry.line) };
}

/**
 * The declaration that begins in a line (from 1), to its closing bracket or semicolon, indentation taken off.
 *
 * @example
 * ```ts
 * import { declarationAt } from "grantlab/repl";
 * const source = "const a = 1;\nfunction f() {\n  return '}';\n}\nf();";
 * if (declarationAt(source, 2) !== "function f() {\n  return '}';\n}") throw new Error();
 * ```
 */
export function declarationAt(source: string, line: number): string {
  const lines = source.split("\n").slice(line - 1);
  const indent = /^\s*/.exec(lines[0] ?? "")![0];
  // The code is formatted: what closes a declaration stands at its own indentation.
  const last = lines.findIndex((each, i) =>
    i === 0
      ? /[;}]\s*$/.test(each) && balanced(each)
      : each.startsWith(indent) && /^(?:[}\])]+[;,]?|[}\])]+.*;)\s*$/.test(each.slice(indent.length))
  );
  const taken = lines.slice(0, last < 0 ? 1 : last + 1);
  return taken.map((each) => each.startsWith(indent) ? each.slice(indent.length) : each).join("\n");
}

/** As many brackets open as close in the line. */
function balanced(line: string): boolean {
  return (line.match(/[([{]/g)?.length ?? 0) === (line.match(/[)\]}]/g)?.length ?? 0);
}

function readLocal(url: URL): string | undefined {
  try {
    return Deno.readTextFileSync(url);
  } catch {
    return undefined;
  }
}
