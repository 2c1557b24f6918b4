/**
 * `grantlab run FILE [ARGUMENT…]`: runs a script that imports `grantlab`, wherever the script stands. It may read the
 * library, its own folder and what is named; with `--write` it may write what is named; `-A` lifts all limits.
 *
 * @module
 */

import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { multiple, withDefault } from "@optique/core/modifiers";
import { argument, flag, option } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import { path } from "@optique/run/valueparser";
import { folderOf, pathOf } from "../paths.ts";
import { flagsOf } from "../rights.ts";
import { type Place, type Subcommand, subcommand } from "../subcommand.ts";

const parser = object({
  read: multiple(option("--read", path({ metavar: "PATH" }), {
    description: message`The script may read PATH as well; may be repeated.`,
  })),
  write: multiple(option("--write", path({ metavar: "PATH" }), {
    description: message`The script may write PATH; may be repeated.`,
  })),
  all: withDefault(
    flag("-A", "--allow-all", { description: message`The script may do everything.` }),
    false,
  ),
  file: argument(path({ metavar: "FILE" }), { description: message`A TypeScript or JavaScript file.` }),
  args: multiple(
    argument(string({ metavar: "ARGUMENT" }), { description: message`For the script; after --.` }),
  ),
}, { errors: { endOfInput: message`There must be a FILE to run: grantlab run split.ts` } });

/** Arguments of `deno run` for the script. */
export function scriptCommand(
  { read, write, all, file, args }: {
    readonly read: readonly string[];
    readonly write: readonly string[];
    readonly all: boolean;
    readonly file: string;
    readonly args: readonly string[];
  },
  { project }: Pick<Place, "project">,
): string[] {
  const own = project.protocol === "file:" ? [pathOf(project)] : [];
  const rights = all ? { all: true as const } : { read: [...own, folderOf(file), ...read], write };
  const map = project.protocol === "file:" ? ["--config", pathOf(new URL("deno.json", project))] : [];
  return [...flagsOf(rights), ...map, file, ...args];
}

/** The subcommand. */
export const command: Subcommand = subcommand({
  brief: "run a script that imports grantlab, wherever it stands",
  asks: "reading the library and the script's folder; more by --read, --write and -A",
  parser,
  rights: () => "own",
  async run(wish, place) {
    await Deno.stat(wish.file).catch(() => {
      throw new RangeError(`Cannot run ${wish.file}: there is no such file`);
    });
    const { start } = await import("../start.ts");
    return await start(scriptCommand(wish, place));
  },
});
