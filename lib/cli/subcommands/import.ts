/**
 * `grantlab import FILE…`: reads what a real system printed, says what it is, and with `--to FOLDER` writes its rows
 * there as JSON. Names of written files come from the names of the files read, never from what is in them, and the
 * process has the right to write that folder and no other.
 *
 * @module
 */

import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { multiple, optional } from "@optique/core/modifiers";
import { argument, option } from "@optique/core/primitives";
import { choice } from "@optique/core/valueparser";
import { path } from "@optique/run/valueparser";
import { IMPORT_KINDS, type Imported, readImported, STDIN } from "../imported.ts";
import { jsonFlag } from "../names.ts";
import { baseNameOf } from "../paths.ts";
import { Progress } from "../progress.ts";
import { EXIT, type Subcommand, subcommand } from "../subcommand.ts";

const MISSING = message`There must be a FILE to read, or -: grantlab import - < /proc/self/maps`;

const parser = object({
  kind: optional(option("--kind", choice([...IMPORT_KINDS], { metavar: "KIND", suggest: "nearest" }), {
    description: message`What the files are, if their content does not tell.`,
  })),
  to: optional(option("--to", path({ metavar: "FOLDER" }), {
    description: message`Write the rows of each file there as JSON; existing files are replaced.`,
  })),
  json: jsonFlag,
  files: multiple(
    argument(path({ metavar: "FILE" }), {
      description:
        message`maps, smaps, pagemap, strace log, grant dump, price list, page-table image; - is stdin.`,
    }),
    { min: 1, errors: { tooFew: MISSING } },
  ),
}, { errors: { endOfInput: MISSING } });

/** The subcommand. */
export const command: Subcommand = subcommand({
  brief: "read what a real system printed: maps, strace, page tables, grant dumps, prices",
  asks: "reading the files named; with --to writing that folder",
  parser,
  // Moving a file within a folder takes both rights to it.
  rights: ({ files, to }) => {
    const read = files.filter((file) => file !== STDIN);
    return to === undefined ? { read } : { read: [...read, to], write: [to] };
  },
  async run({ kind, to, json, files }) {
    const ofProc = files.find((file) => file.startsWith("/proc/"));
    if (ofProc !== undefined) {
      throw new RangeError(`Cannot read ${ofProc} without all rights: grantlab import - < ${ofProc}`);
    }
    const names = files.map((file) => file === STDIN ? "stdin" : baseNameOf(file));
    const twice = names.find((name, i) => to !== undefined && names.indexOf(name) !== i);
    if (twice !== undefined) {
      throw new RangeError(`Cannot write ${twice}.json twice: two files have that name`);
    }
    const progress = new Progress(files.length);
    const results: (Imported & { readonly path: string })[] = [];
    for (const [done, file] of files.entries()) {
      progress.at(done, file);
      const imported = await readImported(file, kind);
      progress.clear();
      results.push({ path: file, ...imported });
      if (!json) console.log(`${file}: ${imported.kind}: ${imported.text}`);
      if (to !== undefined) await writeWhole(to, `${names[done]}.json`, imported);
    }
    if (json) console.log(JSON.stringify(results.map(({ path, kind, rows }) => ({ path, kind, rows }))));
    return results.some(({ isAmiss }) => isAmiss) ? EXIT.failed : EXIT.ok;
  },
});

/** A new file, moved to its place when it is whole: what stood there, a link to elsewhere included, is replaced. */
async function writeWhole(folder: string, name: string, { kind, rows }: Imported): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  const part = `${folder}/.${name}.${Deno.pid}.part`;
  await Deno.writeTextFile(part, `${JSON.stringify({ kind, rows }, null, 2)}\n`, { createNew: true });
  await Deno.rename(part, `${folder}/${name}`);
}
