/**
 * `.help`: what there is. `.help name` and `?name`: the documentation of a name.
 *
 * @module
 */

import { helpFor } from "../help.ts";
import type { Command, CommandContext } from "./command.ts";

const KEYS = `Keys
  Tab              names; below the line if there are several
  Up, Down         lines of the entry, then the past: what begins as the entry does
  Ctrl-R           search the past: Ctrl-R older, Ctrl-S newer,
                   Enter runs, Escape keeps, Ctrl-G drops
  Alt-Enter        a new line in a finished entry
  Ctrl-C           stop the running line; at the prompt: clear the entry
  Ctrl-D           leave`;

/** Text of `.help` for these commands. */
export function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ usage }) => usage.length));
  return [
    "Commands",
    ...commands.map(({ usage, summary }) => `  ${usage.padEnd(width)}  ${summary}`),
    `  ${"?NAME".padEnd(width)}  documentation of a name: ?world, ?qemu.munmap, ?Process.walk`,
    "",
    KEYS,
  ].join("\n");
}

/** Shows the documentation of a name. */
export async function showHelp({ session, write, module }: CommandContext, name: string): Promise<void> {
  write(await helpFor(name, { module, classOf: (path) => session.evaluator.classOf(path) }));
}
