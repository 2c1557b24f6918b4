/**
 * Fits price lists: `deno task calibrate [--out FOLDER] FILE…`.
 *
 * Files of recorded costs (`.jsonl`, `.jsonl.gz`) give lists in instructions; a file of a user's own measurements (`.csv`:
 * operation, n, value, unit) gives a list of prices in its unit, for `parsePriceList` to read.
 *
 * Rows of all files are taken together, by machine: rows by layer say who executes what, totals what it is on other
 * processors. Totals of PVH machines hold intercepted RDTSC and are left out.
 * Prints what was fitted and writes a list per machine into the folder of `--out`, named for release and machine.
 *
 * @module
 */

import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { multiple, optional, withDefault } from "@optique/core/modifiers";
import { argument, option } from "@optique/core/primitives";
import { choice, string } from "@optique/core/valueparser";
import { run } from "@optique/run";
import { BadInput, openInput } from "../lib/conform/mod.ts";
import { numberedRows } from "../lib/conform/format.ts";
import { calibrate, type InstructionList, instructionListOf, isMeasured } from "../lib/cost/mod.ts";
import {
  BENCH_MACHINES,
  type BenchMachine,
  BenchRuns,
  frameOf,
  hostPrices,
  isCalm,
  observe,
} from "../lib/experiments/benches/mod.ts";
import { type CostRow, parseCostRow } from "../lib/import/cost_rows.ts";
import { parseMeasurements } from "../lib/import/measurements.ts";

const commandLine = object({
  out: optional(option("--out", string({ metavar: "FOLDER" }), {
    description: message`Folder to write the lists into; without it they are only described.`,
  })),
  kernel: withDefault(
    option("--kernel", string({ metavar: "NAME" }), { description: message`Kernel release recorded.` }),
    "linux6_1",
  ),
  xen: withDefault(
    option("--xen", string({ metavar: "NAME" }), { description: message`Hypervisor release recorded.` }),
    "xen4_17",
  ),
  machine: withDefault(
    option("--machine", choice(BENCH_MACHINES), {
      description: message`What own measurements were made on; recordings say it themselves.`,
    }),
    "linux" as const,
  ),
  files: multiple(argument(string({ metavar: "FILE" })), { min: 1 }),
});

async function main(): Promise<number> {
  const { out, kernel, xen, machine: host, files } = run(commandLine, {
    programName: "calibrate",
    args: Deno.args,
    help: "option",
    errorExitCode: 2,
    brief: message`Fit price lists to recorded instruction counts.`,
  });
  try {
    if (files.some((file) => file.endsWith(".csv"))) return await calibrateHost(files, host, out);
    const rows: CostRow[] = [];
    for (const file of files) rows.push(...await rowsOf(file));
    const names = files.map((file) => file.split("/").at(-1)!);
    for (const machine of new Set(rows.map((row) => row.machine))) {
      const own = rows.filter((row) => row.machine === machine);
      const list = fit(own, { machine, kernel, xen, names });
      if (list === null) {
        console.log(`${machine}: no row that can be used (on xenpvh only rows by layer can)`);
        continue;
      }
      describe(list);
      if (out !== undefined) {
        await Deno.writeTextFile(`${out}/${list.name}.json`, formatList(list));
      }
    }
    return 0;
  } catch (e) {
    if (!(e instanceof BadInput || e instanceof RangeError || e instanceof TypeError)) throw e;
    console.error(`error: ${e.message}`);
    return 2;
  }
}

/** One list for each file of own measurements. */
async function calibrateHost(
  files: readonly string[],
  machine: BenchMachine,
  out: string | undefined,
): Promise<number> {
  for (const file of files) {
    const name = file.split("/").at(-1)!;
    const text = await Deno.readTextFile(file).catch((e) => {
      throw new BadInput(file, (e as Error).message);
    });
    const list = hostPrices(parseMeasurements(text, name), { machine });
    const measured = Object.entries(list.prices).filter(([, price]) => isMeasured(price));
    console.log(
      `${name}: ${measured.length} of ${Object.keys(list.prices).length} prices measured, in ${list.unit}`,
    );
    console.table(
      measured.map(([event, { per, low, high }]) => ({
        event,
        per: short(per),
        low: short(low),
        high: short(high),
      })),
    );
    if (out === undefined) continue;
    const path = `${out}/${name.replace(/\.csv$/, "")}.json`;
    await Deno.writeTextFile(path, `${JSON.stringify(list, null, 2)}\n`);
    console.log(`written to ${path}`);
  }
  return 0;
}

function short(value: number): number {
  return Number(value.toPrecision(3));
}

async function rowsOf(file: string): Promise<CostRow[]> {
  const rows: CostRow[] = [];
  for await (const { row, where } of numberedRows(await openInput(file))) {
    try {
      rows.push(parseCostRow(row));
    } catch (e) {
      throw new BadInput(where, (e as Error).message);
    }
  }
  return rows;
}

interface Recorded {
  readonly machine: string;
  readonly kernel: string;
  readonly xen: string;
  readonly names: readonly string[];
}

/** The list of one machine. Time stamps on PVH are intercepted, so totals of that machine are not costs. */
function fit(rows: readonly CostRow[], { machine, kernel, xen, names }: Recorded): InstructionList | null {
  const used = machine === "xenpvh" ? rows.filter(({ layers }) => layers !== null) : rows;
  const runs = new BenchRuns(kernel);
  const frame = frameOf(used);
  const observations = used.filter(isCalm).flatMap((row) => observe(row, runs, frame) ?? []);
  if (observations.length === 0) return null;
  const isNative = machine === "linux";
  const platform = isNative ? "native" : machine.replace("xen", "");
  return calibrate(observations, {
    name: [kernel, ...(isNative ? [] : [xen]), platform].join("-"),
    machine,
    kernel,
    xen: isNative ? null : xen,
    source: `measured: ${names.join(", ")}, ${observations.length} rows`,
  }, relativeOf(machine, kernel, xen));
}

/** The list of the release recorded by layer, for any other. */
function relativeOf(machine: string, kernel: string, xen: string): InstructionList | undefined {
  const relative = instructionListOf(machine, "linux6_1", "xen4_17");
  return relative?.kernel === kernel && (relative.xen === null || relative.xen === xen)
    ? undefined
    : relative;
}

/** JSON with a line for each event, bench and size: short, and a change of one price is a change of one line. */
export function formatList(list: InstructionList): string {
  const members = Object.entries(list).map(([key, value]) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      return `  ${JSON.stringify(key)}: ${JSON.stringify(value)}`;
    }
    const rows = Object.entries(value).map(([name, row]) =>
      `    ${JSON.stringify(name)}: ${JSON.stringify(row)}`
    );
    return `  ${JSON.stringify(key)}: {${rows.length === 0 ? "" : `\n${rows.join(",\n")}\n  `}}`;
  });
  return `{\n${members.join(",\n")}\n}\n`;
}

function describe(list: InstructionList): void {
  console.log(`${list.name}: ${list.source}`);
  const rows = Object.entries(list.prices).map(([kind, price]) => ({
    event: kind,
    user: price.per.user,
    kernel: price.per.kernel,
    xen: price.per.xen,
    range: `${price.low} to ${price.high}`,
    "residual %": Number((100 * price.residual).toFixed(1)),
    benches: price.benches,
    rows: price.rows,
  }));
  console.table(rows);
  for (const [kind, bench] of Object.entries(list.unpriced)) {
    console.log(`  no price for ${kind}: it happens in ${bench} only`);
  }
}

if (import.meta.main) Deno.exit(await main());
