/**
 * The commands by name.
 *
 * @module
 */

import { lookUp } from "../../core/nearest.ts";
import type { Command, CommandContext } from "./command.ts";
import { events } from "./events.ts";
import { overview, showHelp } from "./help.ts";
import { save } from "./save.ts";
import { script } from "./script.ts";
import { time } from "./time.ts";
import { redo, undo } from "./undo.ts";

const help: Command = {
  usage: ".help [NAME]",
  summary: "this list, or the documentation of NAME",
  async run(context: CommandContext, name: string): Promise<void> {
    if (name !== "") return await showHelp(context, name);
    context.write(overview(Object.values(COMMANDS)));
  },
};

const exit: Command = {
  usage: ".exit",
  summary: "leave, as Ctrl-D does",
  run({ leave }: CommandContext): void {
    leave(0);
  },
};

/** All commands. */
export const COMMANDS: Readonly<Record<string, Command>> = Object.freeze({
  help,
  time,
  events,
  undo,
  redo,
  save,
  script,
  exit,
});

/** True if a line is for {@linkcode runCommand}. */
export function isCommand(line: string): boolean {
  return /^\s*(?:\.[a-z]|\?)/i.test(line) || /^\s*[\p{ID_Start}$_][\p{ID_Continue}$.]*\?\s*$/u.test(line);
}

/** Runs a command line. What is wrong with it is shown. */
export async function runCommand(context: CommandContext, line: string): Promise<void> {
  const text = line.trim();
  if (text.startsWith("?")) return await showHelp(context, text.slice(1).trim());
  if (text.endsWith("?")) return await showHelp(context, text.slice(0, -1).trim());
  const [, name = "", argument = ""] = /^\.([a-z]+)\s*(.*)$/is.exec(text) ?? [];
  let command: Command;
  try {
    command = lookUp<Command>("command", COMMANDS, name);
  } catch (error) {
    return context.write(`${(error as Error).message}; .help lists them`);
  }
  await command.run(context, argument.trim());
}

/** `.help`, `.time`, …: what may be typed. */
export function commandNames(): string[] {
  return Object.keys(COMMANDS).map((name) => `.${name}`);
}
