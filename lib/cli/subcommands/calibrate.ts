/**
 * `grantlab calibrate [--out FOLDER] FILE…`: fits price lists.
 *
 * Files of recorded costs (`.jsonl`, `.jsonl.gz`) give lists in instructions; a file of a user's own measurements (`.csv`:
 * operation, n, value, unit) gives a list of prices in its unit, for `parsePriceList` to read.
 *
 * Rows of all files are taken together, by machine: rows by layer say who executes what, totals what it is on other
 * processors. Totals of PVH machines hold intercepted RDTSC and are left out.
 * Releases are those that the folder of a file is named after (`linux6_12-xen4_20`), as in `grantlab conform`.
 *
 * Prints what was fitted and writes a list per machine into the folder of `--out`, named for release and machine.
 *
 * @module
 */

import { merge, object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { multiple, optional, withDefault } from "@optique/core/modifiers";
import { argument, option } from "@optique/core/primitives";
import { choice } from "@optique/core/valueparser";
import { path } from "@optique/run/valueparser";
import { numberedRows } from "../../conform/format.ts";
import { BadInput, openInput, type Releases, releasesFor } from "../../conform/mod.ts";
import {
  calibrate,
  type InstructionList,
  instructionListOf,
  isMeasured,
  type PriceList,
} from "../../cost/mod.ts";
import {
  BENCH_MACHINES,
  type BenchMachine,
  BenchRuns,
  frameOf,
  hostPrices,
  isCalm,
  observe,
} from "../../experiments/benches/mod.ts";
import { type CostRow, parseCostRow } from "../../import/cost_rows.ts";
import { parseMeasurements } from "../../import/measurements.ts";
import { jsonFlag, kernelOption, xenOption } from "../names.ts";
import { EXIT, type Subcommand, subcommand } from "../subcommand.ts";

const parser = merge(
  object({
    out: optional(option("--out", path({ metavar: "FOLDER" }), {
      description: message`Folder to write the lists into; without it they are only described.`,
    })),
    kernel: kernelOption,
    xen: xenOption,
    machine: withDefault(
      option("--machine", choice(BENCH_MACHINES), {
        description: message`What own measurements were made on; recordings say it themselves.`,
      }),
      "linux" as const,
    ),
    json: jsonFlag,
  }),
  object({
    files: multiple(
      argument(path({ metavar: "FILE" }), {
        description: message`Recorded costs, or a CSV of one's own host.`,
      }),
      {
        min: 1,
        errors: {
          tooFew:
            message`There must be a FILE of recorded costs or measurements: grantlab calibrate --out . my-host.csv`,
        },
      },
    ),
  }),
);

/** The subcommand. */
export const command: Subcommand = subcommand({
  brief: "fit price lists to recorded costs, or to measurements of your own host",
  asks: "reading the files named; with --out writing that folder",
  parser,
  rights: ({ files, out }) => out === undefined ? { read: files } : { read: files, write: [out] },
  async run({ out, machine: host, json, files, ...chosen }) {
    if (files.some((file) => file.endsWith(".csv"))) {
      const lists = await calibrateHost(files, host, { out, json });
      if (json) console.log(JSON.stringify(lists));
      return EXIT.ok;
    }
    const { kernel, xen } = oneRelease(files, chosen);
    const lists: InstructionList[] = [];
    const rows: CostRow[] = [];
    for (const file of files) rows.push(...await rowsOf(file));
    const names = files.map((file) => file.split("/").at(-1)!);
    for (const machine of new Set(rows.map((row) => row.machine))) {
      const own = rows.filter((row) => row.machine === machine);
      const list = fit(own, { machine, kernel, xen, names });
      if (list === null) {
        const tell = json ? console.error : console.log;
        tell(`${machine}: no row that can be used (on xenpvh only rows by layer can)`);
        continue;
      }
      lists.push(list);
      if (!json) describe(list);
      if (out !== undefined) await Deno.writeTextFile(`${out}/${list.name}.json`, formatList(list));
    }
    if (json) console.log(JSON.stringify(lists));
    return EXIT.ok;
  },
});

/**
 * The releases that all files were recorded on: those of their folder's name unless the options say otherwise.
 *
 * @throws {BadInput} if the folders name different ones
 */
function oneRelease(
  files: readonly string[],
  { kernel, xen }: { readonly kernel: string | undefined; readonly xen: string | undefined },
): Releases {
  const options = { ...kernel === undefined ? {} : { kernel }, ...xen === undefined ? {} : { xen } };
  const [first, ...others] = files.map((file) => releasesFor(file, options));
  const i = others.findIndex((other) => other.kernel !== first!.kernel || other.xen !== first!.xen);
  if (i < 0) return first!;
  const { kernel: otherKernel, xen: otherXen } = others[i]!;
  throw new BadInput(
    files[i + 1]!,
    `it was recorded on ${otherKernel} and ${otherXen}, the first file on ${first!.kernel} and ${first!.xen}`,
  );
}

/** One list for each file of own measurements. */
async function calibrateHost(
  files: readonly string[],
  machine: BenchMachine,
  { out, json }: { readonly out: string | undefined; readonly json: boolean },
): Promise<PriceList[]> {
  const lists: PriceList[] = [];
  for (const file of files) {
    const name = file.split("/").at(-1)!;
    const text = await Deno.readTextFile(file).catch((e) => {
      throw new BadInput(file, (e as Error).message);
    });
    const list = hostPrices(parseMeasurements(text, name), { machine });
    lists.push(list);
    if (!json) describeHost(name, list);
    if (out === undefined) continue;
    const path = `${out}/${name.replace(/\.csv$/, "")}.json`;
    await Deno.writeTextFile(path, `${JSON.stringify(list, null, 2)}\n`);
    console.error(`list written to ${path}`);
  }
  return lists;
}

function describeHost(name: string, list: PriceList): void {
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
}

function short(value: number): number {
  return Number(value.toPrecision(3));
}

async function rowsOf(file: string): Promise<CostRow[]> {
  const rows: CostRow[] = [];
  let others = 0;
  for await (const { row, where } of numberedRows(await openInput(file))) {
    // A line through costs is made of rows of another file and would count them twice; rows of two processors hold
    // the waiting for each other. `conform` checks both against the prices.
    if ("per_unit" in row || !("mode" in row)) {
      others++;
      continue;
    }
    try {
      rows.push(parseCostRow(row));
    } catch (e) {
      throw new BadInput(where, (e as Error).message);
    }
  }
  if (others > 0) console.error(`${file}: left out ${others} lines through costs or rows of two processors`);
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
  const runs = new BenchRuns(kernel, xen);
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
