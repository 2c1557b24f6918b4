/**
 * The command `grantlab`: finds the subcommand, parses its options, and runs it in a process that has the rights which
 * this wish needs and no more. `--here` as the first word runs it in this process, with the rights that it has.
 *
 * Exit codes: 0 all went well, 1 a check failed, 2 what was typed cannot be done.
 *
 * @module
 */

import { or } from "@optique/core/constructs";
import { message, text } from "@optique/core/message";
import type { Parser } from "@optique/core/parser";
import { command } from "@optique/core/primitives";
import { run } from "@optique/run";
import { lookUp } from "../core/nearest.ts";
import { VERSION } from "../core/version.ts";
import { BadInput } from "../conform/format.ts";
import { flagsOf } from "./rights.ts";
import { start } from "./start.ts";
import { EXIT, type Place, type Subcommand } from "./subcommand.ts";
import { namedBy, SUBCOMMANDS } from "./subcommands.ts";

/** Errors that say what is wrong with what was asked; anything else is a defect of ours and keeps its trace. */
export const EXPECTED: readonly (abstract new (...args: never[]) => Error)[] = [
  BadInput,
  RangeError,
  TypeError,
  SyntaxError,
  Deno.errors.NotFound,
  Deno.errors.AlreadyExists,
  Deno.errors.NotCapable,
  Deno.errors.PermissionDenied,
  Deno.errors.IsADirectory,
  Deno.errors.NotADirectory,
];

/** How the command was started. */
export interface Invocation extends Place {
  /** The module that runs {@linkcode grantlab}: it is started again with fewer rights. */
  readonly entry: string;
}

/** Runs the command; answers the exit code. */
export async function grantlab(given: readonly string[], invocation: Invocation): Promise<number> {
  const isHere = given[0] === "--here";
  const words = isHere ? given.slice(1) : [...given];
  const asked = await outsideSubcommands(words);
  if (asked !== undefined) return asked;
  const named = namedBy(words);
  if (named === undefined) return await refuse(words);
  const chosen = (await SUBCOMMANDS[named.name]!()).command;
  const wish = run(chosen.parser, {
    programName: `grantlab ${named.name}`,
    args: chosen.arrange?.(named.rest) ?? named.rest,
    help: "option",
    errorExitCode: EXIT.usage,
    aboveError: "none",
    brief: message`${text(chosen.brief)}`,
    footer: message`Asks for: ${text(chosen.asks)}`,
  });
  try {
    const rights = chosen.rights(wish, invocation);
    const mayStart = !isHere && rights !== "own" && await mayRun();
    return mayStart
      ? await start([...flagsOf(rights), invocation.entry, "--here", ...words])
      : await chosen.run(wish, invocation);
  } catch (error) {
    if (!EXPECTED.some((kind) => error instanceof kind)) throw error;
    console.error(`Error: ${inWords((error as Error).message)}`);
    return EXIT.usage;
  }
}

/** What the system says of a file, with the action and the file first. */
function inWords(said: string): string {
  const [, reason, call, file] = /^(.+) \(os error \d+\): (\w+) '(.*)'$/.exec(said) ?? [];
  if (reason === undefined) return said;
  const action = /^(?:write|mkdir|rename|remove|truncate)/.test(call!) ? "write" : "read";
  return `Cannot ${action} ${file}: ${reason[0]!.toLowerCase()}${reason.slice(1)}`;
}

/** `--help`, `--version`, `completion SHELL`: what belongs to no subcommand. */
async function outsideSubcommands(words: readonly string[]): Promise<number | undefined> {
  const [first, second] = words;
  if (
    first === undefined || first === "-h" || first === "--help" || first === "help" && second === undefined
  ) {
    const out = first === undefined ? console.error : console.log;
    out(await overview());
    return first === undefined ? EXIT.usage : EXIT.ok;
  }
  if (first === "--version" || first === "-V") {
    console.log(VERSION);
    return EXIT.ok;
  }
  if (first === "completion" || first === "help") {
    run(await everything(), {
      programName: "grantlab",
      args: words,
      help: "command",
      completion: "command",
      errorExitCode: EXIT.usage,
      aboveError: "none",
    });
    return EXIT.ok;
  }
  return undefined;
}

/** All subcommands as one parser, for completion and `help NAME`. */
async function everything(): Promise<Parser<"sync", unknown, unknown>> {
  const groups = new Map<string, Parser<"sync", unknown, unknown>[]>();
  for (const [name, load] of Object.entries(SUBCOMMANDS)) {
    const { command: { parser, brief } } = await load();
    const [first, second] = name.split(" ");
    const about = { brief: message`${text(brief)}` };
    const own = second === undefined ? parser : command(second, parser, about);
    groups.set(first!, [...groups.get(first!) ?? [], own]);
  }
  const all = [...groups].map(([word, parsers]) => command(word, either(parsers)));
  return either(all);
}

function either(parsers: readonly Parser<"sync", unknown, unknown>[]): Parser<"sync", unknown, unknown> {
  if (parsers.length === 1) return parsers[0]!;
  // Its overloads name a fixed number of parsers.
  const anyOf = or as unknown as (...each: typeof parsers) => Parser<"sync", unknown, unknown>;
  return anyOf(...parsers);
}

/** The text of `grantlab --help`; of a group like `kernel`, that of `grantlab kernel --help`. */
export async function overview(group?: string): Promise<string> {
  const all = Object.keys(SUBCOMMANDS);
  const names = group === undefined ? all : all.filter((name) => name.startsWith(`${group} `));
  const width = Math.max("completion SHELL".length, ...names.map((name) => name.length));
  const rows = await Promise.all(names.map(async (name) => {
    const { command: { brief } } = await SUBCOMMANDS[name]!();
    return `  ${name.padEnd(width)}  ${brief}`;
  }));
  return [
    `Usage: grantlab ${group === undefined ? "" : `${group} `}SUBCOMMAND [OPTION]... [ARGUMENT]...`,
    "",
    ...rows,
    ...group === undefined
      ? [
        `  ${
          "completion SHELL".padEnd(width)
        }  a script that completes all this; bash, fish, zsh; nu, pwsh: not tried`,
      ]
      : [],
    "",
    "grantlab SUBCOMMAND --help tells its options and which rights it asks for.",
    "Exit codes: 0 all went well, 1 a check failed, 2 what was typed cannot be done.",
  ].join("\n");
}

/** Says what there is instead of what was typed. */
async function refuse([first = "", second = ""]: readonly string[]): Promise<number> {
  const isGroup = Object.keys(SUBCOMMANDS).some((name) => name.startsWith(`${first} `));
  const table: Record<string, true> = { completion: true, help: true };
  for (const name of Object.keys(SUBCOMMANDS)) {
    const [word, next] = name.split(" ");
    if (!isGroup) table[word!] = true;
    else if (word === first) table[next!] = true;
  }
  if (isGroup) delete table["completion"], delete table["help"];
  if (isGroup && /^(?:-h|--help|help)$/.test(second)) {
    console.log(await overview(first));
    return EXIT.ok;
  }
  if (isGroup && second === "") {
    console.error(`Error: ${first} needs one of ${Object.keys(table).join(", ")}`);
    return EXIT.usage;
  }
  try {
    lookUp(isGroup ? `subcommand of ${first}` : "subcommand", table, isGroup ? second : first);
  } catch (error) {
    console.error(`Error: ${(error as Error).message}`);
  }
  return EXIT.usage;
}

async function mayRun(): Promise<boolean> {
  const { state } = await Deno.permissions.query({ name: "run" });
  return state === "granted";
}

/** All subcommands with their names. */
export async function subcommands(): Promise<(readonly [name: string, Subcommand])[]> {
  return await Promise.all(
    Object.entries(SUBCOMMANDS).map(async ([name, load]) => [name, (await load()).command] as const),
  );
}
