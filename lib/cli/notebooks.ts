/**
 * Running notebooks on the real kernel, without Python. Their cells may read everything and write the notebook's own
 * folder; no more, unless all rights are asked for.
 *
 * @module
 */

import { typeComplaints } from "../jupyter/check_types.ts";
import { KernelClient } from "../jupyter/kernel_client.ts";
import { formatNotebook, type Notebook, parseNotebook } from "../jupyter/notebook.ts";
import { firstDifference, runNotebook } from "../jupyter/run_notebook.ts";
import { linksOut } from "./links_out.ts";
import { baseNameOf, folderOf, pathOf } from "./paths.ts";
import { Progress } from "./progress.ts";
import { flagsOf, type Rights } from "./rights.ts";
import { EXIT, type Place } from "./subcommand.ts";

/** How notebooks are run. */
export interface NotebookWish {
  readonly files: readonly string[];
  /** Cells may do everything. */
  readonly all: boolean;
  readonly json: boolean;
}

/** What became of one. */
interface NotebookResult {
  readonly file: string;
  /** `ok`, `renewed`, or what is wrong. */
  readonly state: "ok" | "renewed" | "failed";
  readonly error?: string;
  readonly seconds: number;
}

/**
 * Runs notebooks and writes their outputs; with `isCheck` it writes nothing and complains if they would change.
 *
 * @returns exit code
 */
export async function runNotebooks(
  { files, all, json }: NotebookWish,
  isCheck: boolean,
  { project }: Place,
): Promise<number> {
  const chosen = files.length > 0 ? files : notebooksOf(project);
  const progress = new Progress(chosen.length);
  const results: NotebookResult[] = [];
  for (const [done, file] of chosen.entries()) {
    progress.at(done, baseNameOf(file));
    const result = await renew(file, isCheck, all, project);
    progress.clear();
    results.push(result);
    if (!json) tell(result);
  }
  if (json) console.log(JSON.stringify(results));
  return results.some(({ state }) => state === "failed") ? EXIT.failed : EXIT.ok;
}

function tell({ file, state, error, seconds }: NotebookResult): void {
  if (state === "failed") console.error(`FAILED ${baseNameOf(file)}: ${error}`);
  else console.log(`${state} ${baseNameOf(file)} ${seconds.toFixed(1)} s`);
}

async function renew(file: string, isCheck: boolean, all: boolean, project: URL): Promise<NotebookResult> {
  const start = performance.now();
  const done = (state: NotebookResult["state"], error?: string): NotebookResult => ({
    file,
    state,
    ...error === undefined ? {} : { error },
    seconds: (performance.now() - start) / 1000,
  });
  try {
    return done(await renewed(file, isCheck, all, project));
  } catch (error) {
    return done("failed", (error as Error).message);
  }
}

/** Runs one notebook; answers what became of its file. */
async function renewed(
  file: string,
  isCheck: boolean,
  all: boolean,
  project: URL,
): Promise<"ok" | "renewed"> {
  const text = await Deno.readTextFile(file);
  const notebook = parseNotebook(text, baseNameOf(file));
  const config = pathOf(new URL("deno.json", project));
  const [types, run] = await Promise.allSettled([
    typeComplaints(notebook, config),
    runOnce(notebook, file, all, project),
  ]);
  if (types.status === "rejected") throw types.reason;
  if (types.value !== "") throw new Error(`its types are wrong:\n${types.value}`);
  if (run.status === "rejected") throw run.reason;
  const difference = firstDifference(notebook, run.value);
  if (isCheck && difference !== undefined) {
    throw new Error(
      `the outputs of cell ${difference} are not what it says now; \`grantlab notebook run\` renews them`,
    );
  }
  const fresh = formatNotebook(run.value);
  if (fresh === text) return "ok";
  if (isCheck) throw new Error("it is not written as Jupyter writes it; `grantlab notebook run` renews it");
  // Whole or not at all.
  const written = `${file}.${Deno.pid}.part`;
  await Deno.writeTextFile(written, fresh);
  await Deno.rename(written, file);
  return "renewed";
}

/**
 * Rights of the cells of a notebook: to write its folder, but for what leads out of it.
 *
 * @param file its real path
 */
export async function rightsOfCells(file: string, all: boolean): Promise<Rights> {
  if (all) return { all: true };
  const folder = folderOf(file);
  return { read: true, write: [folder], denyWrite: await linksOut(folder) };
}

/** The notebook, run on a kernel of its own in its own folder. */
async function runOnce(notebook: Notebook, file: string, all: boolean, project: URL): Promise<Notebook> {
  const rights = await rightsOfCells(await Deno.realPath(file), all);
  const kernel = await KernelClient.start({
    argv: [
      Deno.execPath(),
      "run",
      "--no-check",
      "--no-prompt",
      "--allow-read",
      "--allow-run",
      "--allow-net=127.0.0.1",
      pathOf(new URL("scripts/kernel.ts", project)),
      "{connection_file}",
      ...flagsOf(rights),
    ],
    cwd: folderOf(await Deno.realPath(file)),
  });
  try {
    return await runNotebook(notebook, kernel);
  } finally {
    await kernel.close();
  }
}

/** All notebooks of the project, in order. */
export function notebooksOf(project: URL): string[] {
  const folder = new URL("notebooks/", project);
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) =>
    name.endsWith(".ipynb")
  );
  return names.sort().map((name) => pathOf(new URL(name, folder)));
}
