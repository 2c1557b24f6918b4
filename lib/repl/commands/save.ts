/**
 * `.save FILE`: the session as a script that `deno run` runs.
 *
 * @module
 */

import { scriptOfSession } from "../session_script.ts";
import type { Command, CommandContext } from "./command.ts";

/** The command. */
export const save: Command = {
  usage: ".save FILE",
  summary: "write the session as a runnable script; .save! FILE replaces an existing one",
  async run(context: CommandContext, argument: string): Promise<void> {
    const mayReplace = argument.startsWith("!");
    const path = argument.replace(/^!\s*/, "");
    if (path === "") return context.write("Cannot save the session nowhere: write .save and a file name");
    try {
      const names = await namesOf(context);
      const script = scriptOfSession(context.session.entries, {
        specifier: specifierFor(path, context.module),
        names,
        setup: context.setup,
      });
      await Deno.writeTextFile(path, script, mayReplace ? {} : { createNew: true });
      context.write(`Saved ${path}: deno run -A ${path}`);
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) {
        return context.write(`Cannot save ${path}: there is such a file; .save! ${path} replaces it`);
      }
      context.write(`Cannot save ${path}: ${(error as Error).message.replace(/^Cannot save: /, "")}`);
    }
  },
};

/** What the session's module exports, as the session's host has it. */
async function namesOf({ session, module }: CommandContext): Promise<string[]> {
  const names = `Object.keys(await import(${JSON.stringify(module)})).join()`;
  const evaluation = await session.evaluator.evaluate(names);
  if (evaluation.kind !== "value") throw new Error(`the names of ${module} are not to be had`);
  return String(evaluation.value.primitive).split(",");
}

/** `grantlab` where the project's own import map is in force, else the module's URL. */
function specifierFor(path: string, module: string): string {
  const target = new URL(path, `file://${Deno.cwd()}/`).href;
  return target.startsWith(new URL(".", module).href) ? "grantlab" : module;
}
