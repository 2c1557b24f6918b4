/**
 * Runs the notebooks on the real kernel, without Python: `deno task notebooks [--check] [FILE…]`.
 *
 * Checks the types of their cells, runs them, and writes their outputs into the files; with `--check` it writes nothing
 * and complains if the outputs would change. Exit code 1 if anything is wrong with any of them.
 *
 * @module
 */

import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { multiple, withDefault } from "@optique/core/modifiers";
import { argument, flag } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import { run } from "@optique/run";
import { typeComplaints } from "../lib/jupyter/check_types.ts";
import { KernelClient } from "../lib/jupyter/kernel_client.ts";
import { formatNotebook, type Notebook, parseNotebook } from "../lib/jupyter/notebook.ts";
import { firstDifference, runNotebook } from "../lib/jupyter/run_notebook.ts";

const FOLDER = new URL("../notebooks/", import.meta.url);
const CONFIG = filePath(new URL("../deno.json", import.meta.url));
const KERNEL = filePath(new URL("kernel.ts", import.meta.url));

const commandLine = object({
  check: withDefault(
    flag("--check", { description: message`Write nothing; complain if outputs would change.` }),
    false,
  ),
  files: multiple(argument(string({ metavar: "FILE" }), {
    description: message`A notebook; all of the folder notebooks if none is given.`,
  })),
});

async function main(): Promise<number> {
  const { check, files } = run(commandLine, {
    programName: "notebooks",
    args: Deno.args,
    help: "option",
    errorExitCode: 2,
    brief: message`Runs notebooks and writes their outputs.`,
  });
  let failed = 0;
  for (const file of files.length > 0 ? files : notebooksOfProject()) {
    const start = performance.now();
    try {
      const word = await renew(file, check);
      console.log(`${word} ${nameOf(file)} ${((performance.now() - start) / 1000).toFixed(1)} s`);
    } catch (error) {
      failed++;
      console.error(`FAILED ${nameOf(file)}: ${(error as Error).message}`);
    }
  }
  return failed > 0 ? 1 : 0;
}

/** Runs one notebook; answers what became of its file. */
async function renew(file: string, check: boolean): Promise<string> {
  const text = await Deno.readTextFile(file);
  const notebook = parseNotebook(text, nameOf(file));
  const [types, run] = await Promise.allSettled([typeComplaints(notebook, CONFIG), runOnce(notebook)]);
  if (types.status === "rejected") throw types.reason;
  if (types.value !== "") throw new Error(`its types are wrong:\n${types.value}`);
  if (run.status === "rejected") throw run.reason;
  const fresh = run.value;
  const difference = firstDifference(notebook, fresh);
  if (check && difference !== undefined) {
    throw new Error(
      `the outputs of cell ${difference} are not what it says now; \`deno task notebooks\` renews them`,
    );
  }
  const renewed = formatNotebook(fresh);
  if (renewed === text) return "ok";
  if (check) throw new Error("it is not written as Jupyter writes it; `deno task notebooks` renews it");
  // Whole or not at all.
  const written = `${file}.${Deno.pid}.part`;
  await Deno.writeTextFile(written, renewed);
  await Deno.rename(written, file);
  return "renewed";
}

/** The notebook, run on a kernel of its own in its own folder. */
async function runOnce(notebook: Notebook): Promise<Notebook> {
  const kernel = await KernelClient.start({
    argv: [Deno.execPath(), "run", "--no-check", "-A", KERNEL, "{connection_file}"],
    cwd: filePath(FOLDER),
  });
  try {
    return await runNotebook(notebook, kernel);
  } finally {
    await kernel.close();
  }
}

function notebooksOfProject(): string[] {
  const names = [...Deno.readDirSync(FOLDER)].map(({ name }) => name).filter((name) =>
    name.endsWith(".ipynb")
  );
  return names.sort().map((name) => filePath(new URL(name, FOLDER)));
}

function nameOf(file: string): string {
  return file.split(/[/\\]/).at(-1)!;
}

function filePath(url: URL): string {
  const path = decodeURIComponent(url.pathname);
  return Deno.build.os === "windows" ? path.slice(1).replaceAll("/", "\\") : path;
}

if (import.meta.main) Deno.exit(await main());
