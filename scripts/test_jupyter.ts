/**
 * Runs a notebook of 200 cells 20 times through Jupyter's own nbconvert on the installed kernel, and counts outputs that
 * are missing; then the same on Deno's own kernel, for comparison: `deno task test:jupyter [RUNS]`.
 *
 * Needs Jupyter's client and nbconvert (on Debian: `apt-get install jupyter-client jupyter-nbconvert`). Both kernels are
 * installed in a folder of the test's own. Exit code 1 if our kernel has lost anything, 2 if there is no Jupyter.
 *
 * @module
 */

import {
  type Cell,
  type CellOutput,
  formatNotebook,
  parseNotebook,
  wholeText,
} from "../lib/jupyter/notebook.ts";
import { median } from "./gate/ratios.ts";

const PROJECT = decodeURIComponent(new URL("..", import.meta.url).pathname);
const CELLS = 200;

/** What a cell of each kind says; `#` stands for the cell's number. */
const KINDS: Readonly<Record<string, { readonly code: string; readonly says: readonly string[] }>> = {
  log: {
    code: 'for (let i = 0; i < 5; i++) console.log("log # line", i);',
    says: [0, 1, 2, 3, 4].map((i) => `stdout: log # line ${i}\n`),
  },
  "log and error log": {
    code: 'console.log("out #");\nconsole.error("err #");',
    says: ["stdout: out #\n", "stderr: err #\n"],
  },
  "log after await": {
    code: 'await new Promise((resolve) => setTimeout(resolve, 2));\nconsole.log("later #");',
    says: ["stdout: later #\n"],
  },
  display: { code: 'await show({ display: "#" });', says: ['display_data: { display: "#" }'] },
  "log, display, log, value": {
    code: 'console.log("one #");\nawait show(["two #"]);\nconsole.log("three #");\n"four #"',
    says: [
      "stdout: one #\n",
      'display_data: [ "two #" ]',
      "stdout: three #\n",
      'execute_result: "four #"',
    ],
  },
  value: { code: '({ value: "#" })', says: ['execute_result: { value: "#" }'] },
  "bigint value": { code: "BigInt(#)", says: ["execute_result: @"] },
  error: { code: 'throw new RangeError("bad #");', says: ["error: bad #"] },
  "syntax error": { code: 'const = "#";', says: ["error: "] },
  "large log": {
    code: 'console.log("x".repeat(100_000) + "#");\n"end #"',
    says: [`stdout: ${"x".repeat(100_000)}#\n`, 'execute_result: "end #"'],
  },
};

interface Tally {
  readonly said: number;
  readonly lost: Map<string, number>;
  /** Milliseconds from busy to idle, per cell. */
  readonly times: number[];
  readonly seconds: number[];
}

function notebookText(kernel: string): string {
  const kinds = Object.values(KINDS);
  const source = (i: number) => kinds[i % kinds.length]!.code.replaceAll("#", String(i));
  const cells: Cell[] = Array.from({ length: CELLS }, (_, i) => ({
    cell_type: "code",
    id: `c${i}`,
    metadata: {},
    execution_count: null,
    outputs: [],
    source: i === 0 ? `import { show } from "grantlab";\n${source(i)}` : source(i),
  }));
  const kernelspec = { name: kernel, display_name: kernel, language: "typescript" };
  return formatNotebook({ nbformat: 4, nbformat_minor: 5, metadata: { kernelspec }, cells });
}

const COLOUR = new RegExp(`${String.fromCharCode(0x1b)}\\[\\d+m`, "g");

/** All that a cell has said, as one text per kind of output. */
function saidBy(outputs: readonly CellOutput[]): string[] {
  return outputs.map((output) => {
    // Deno's own kernel writes values in colours.
    const plain = (text: string | readonly string[]) => wholeText(text).replaceAll(COLOUR, "");
    if (output.output_type === "stream") return `${output.name}: ${wholeText(output.text)}`;
    if (output.output_type === "error") return `error: ${output.evalue}`;
    return `${output.output_type}: ${plain(output.data["text/plain"] as string | string[] ?? "")}`;
  });
}

/** Counts what is missing. */
function count(text: string, tally: { lost: Map<string, number>; times: number[] }): number {
  let expected = 0;
  const kinds = Object.entries(KINDS);
  for (const [i, cell] of parseNotebook(text, "the result").cells.entries()) {
    const [kind, { says }] = kinds[i % kinds.length]!;
    const said = saidBy(cell.outputs ?? []);
    for (const words of says) {
      expected++;
      const whole = words.replaceAll("#", String(i)).replaceAll("@", `0x${i.toString(16)}n`);
      const [type, wanted] = [whole.slice(0, whole.indexOf(": ") + 2), whole.slice(whole.indexOf(": ") + 2)];
      const isThere = said.some((one) => one.startsWith(type) && one.includes(wanted)) ||
        // Deno's own kernel writes bigints in decimal, which is no loss.
        kind === "bigint value" && said.some((one) => one === `execute_result: ${i}n`);
      if (!isThere) tally.lost.set(kind, (tally.lost.get(kind) ?? 0) + 1);
    }
    const times = cell.metadata["execution"] as Record<string, string> | undefined;
    const [busy, idle] = [times?.["iopub.status.busy"], times?.["iopub.status.idle"]];
    if (busy !== undefined && idle !== undefined) tally.times.push(Date.parse(idle) - Date.parse(busy));
  }
  return expected;
}

async function runKernel(name: string, runs: number, data: string): Promise<Tally> {
  const tally = { lost: new Map<string, number>(), times: [] as number[], seconds: [] as number[] };
  let said = 0;
  // In the project's folder, where Deno's own kernel finds the names that cells import.
  const folder = await Deno.makeTempDir({ dir: PROJECT, prefix: "test-jupyter-" });
  try {
    await Deno.writeTextFile(`${folder}/in.ipynb`, notebookText(name));
    for (let i = 0; i < runs; i++) {
      const start = performance.now();
      const args = ["nbconvert", "--to", "notebook", "--execute", "--allow-errors", "--output", "out.ipynb"];
      const { success, stderr } = await new Deno.Command("jupyter", {
        args: [...args, "--ExecutePreprocessor.timeout=60", "in.ipynb"],
        cwd: folder,
        env: { JUPYTER_DATA_DIR: data },
      }).output();
      if (!success) {
        throw new Error(`nbconvert fails on ${name}:\n${new TextDecoder().decode(stderr).slice(-2000)}`);
      }
      tally.seconds.push((performance.now() - start) / 1000);
      said += count(await Deno.readTextFile(`${folder}/out.ipynb`), tally);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return { said, ...tally };
}

function report(name: string, { said, lost, times, seconds }: Tally): number {
  const missing = [...lost.values()].reduce((sum, n) => sum + n, 0);
  const sorted = times.toSorted((a, b) => a - b);
  console.log(
    `${name}: ${missing} of ${said} outputs missing (${(100 * missing / said).toFixed(2)} %); a cell takes ` +
      `${median(times).toFixed(1)} ms, 99 of 100 under ${
        sorted[Math.floor(sorted.length * 0.99)]!.toFixed(1)
      } ms; ` +
      `a run of ${CELLS} cells ${median(seconds).toFixed(1)} s`,
  );
  for (const [kind, n] of lost) console.log(`  ${kind}: ${n}`);
  return missing;
}

async function main([wish]: readonly string[]): Promise<number> {
  const runs = wish === undefined ? 20 : Number(wish);
  if (!Number.isInteger(runs) || runs < 1) {
    console.error("Usage: deno task test:jupyter [RUNS]");
    return 2;
  }
  const has = await new Deno.Command("jupyter", { args: ["nbconvert", "--version"] }).output().catch(() =>
    undefined
  );
  if (!has?.success) {
    console.error("There is no Jupyter here: `jupyter nbconvert` does not run");
    return 2;
  }
  const data = await Deno.makeTempDir({ prefix: "grantlab-jupyter-" });
  try {
    const installed = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", `${PROJECT}scripts/grantlab.ts`, "kernel", "install"],
      env: { JUPYTER_DATA_DIR: data },
    }).output();
    if (!installed.success) throw new Error(new TextDecoder().decode(installed.stderr));
    await Deno.mkdir(`${data}/kernels/deno`);
    await Deno.writeTextFile(
      `${data}/kernels/deno/kernel.json`,
      JSON.stringify({
        argv: [Deno.execPath(), "jupyter", "--kernel", "--conn", "{connection_file}"],
        display_name: "Deno",
        language: "typescript",
      }),
    );
    const missing = report("grantlab", await runKernel("grantlab", runs, data));
    report("Deno's own kernel", await runKernel("deno", runs, data));
    return missing > 0 ? 1 : 0;
  } finally {
    await Deno.remove(data, { recursive: true });
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
