/**
 * `grantlab experiment [NAME] [--axis NAME=VALUE,…]…`: answers one question with a table and a chart; without a name it
 * lists the questions. For more points than a table holds there is `sweep`.
 *
 * @module
 */

import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import { argument, option } from "@optique/core/primitives";
import { path } from "@optique/run/valueparser";
import {
  axisOption,
  axisWishes,
  describeExperiments,
  pricesOption,
  readPrices,
} from "../experiment_options.ts";
import { experimentName, jsonFlag } from "../names.ts";
import { pathOf } from "../paths.ts";
import { EXIT, type Subcommand, subcommand } from "../subcommand.ts";
import type { Figure } from "../../plots/figure.ts";

const parser = object({
  name: optional(
    argument(experimentName, { description: message`The experiment; without it all are listed.` }),
  ),
  axes: axisOption,
  prices: pricesOption,
  out: optional(option("--out", "--png", path({ metavar: "FILE" }), {
    description: message`Write the chart: FILE ends in .png, .svg, .csv or .vl.json.`,
  })),
  json: jsonFlag,
});

/** What an experiment answered, before it is shown. */
interface Answer {
  readonly rows: unknown;
  readonly text: string;
  readonly figures: readonly Figure[];
}

/** The subcommand. */
export const command: Subcommand = subcommand({
  brief: "answer a question for several designs: table, chart, rows, picture",
  asks: "nothing; with --prices reading it; with --out writing FILE and reading the library's fonts",
  parser,
  rights({ out, prices }, { project }) {
    const read = prices === undefined ? [] : [prices];
    return out === undefined ? { read } : { read: [...read, pathOf(project)], write: [out] };
  },
  async run({ name, axes, prices, out, json }) {
    if (name === undefined) {
      const { EXPERIMENTS } = await import("../../experiments/catalogue.ts");
      const { VERDICT_EXPERIMENTS: JUDGED } = await import("../../experiments/compare.ts");
      const judged = Object.values(JUDGED).map(({ name, question, designs }) =>
        `${name}\n  ${question}\n    --axis design=${designs.join(",")}`
      );
      const others = Object.fromEntries(
        Object.entries(EXPERIMENTS).filter(([name]) => !Object.hasOwn(JUDGED, name)),
      );
      console.log([...judged, describeExperiments(others)].join("\n\n"));
      return EXIT.ok;
    }
    if (out !== undefined) (await import("../../plots/save.ts")).writerOf(out);
    const { rows, text, figures } = await answer(name, axisWishes(axes), prices);
    if (json) console.log(JSON.stringify(rows));
    else {
      const colour = Deno.stdout.isTerminal() && !Deno.noColor;
      console.log([text, ...figures.map((figure) => figure.toText(100, { colour }))].join("\n\n"));
    }
    if (out !== undefined) {
      const { saveFigure } = await import("../../plots/save.ts");
      await saveFigure(figures[0]!, out);
      console.error(`chart written to ${out}`);
    }
    return EXIT.ok;
  },
});

async function answer(
  name: string,
  axes: Readonly<Record<string, readonly string[]>>,
  prices: string | undefined,
): Promise<Answer> {
  const { EXPERIMENTS } = await import("../../experiments/catalogue.ts");
  const list = await readPrices(prices);
  const { VERDICT_EXPERIMENTS } = await import("../../experiments/compare.ts");
  // Verdicts are added up by design; the same rows over axes are what `sweep` takes.
  if (Object.hasOwn(VERDICT_EXPERIMENTS, name)) return await judged(name, axes, list);
  const { runExperiment } = await import("../../experiments/experiment.ts");
  const { chartExperiment } = await import("../../repl/chart_experiment.ts");
  const result = runExperiment(EXPERIMENTS[name as keyof typeof EXPERIMENTS], axes);
  const text = Deno.inspect(result, { colors: Deno.stdout.isTerminal() && !Deno.noColor, breakLength: 100 });
  return { rows: result.tidy(), text, figures: [chartExperiment(result, { prices: list })] };
}

/** An experiment with a verdict per page: its axes are `design`, and one value each of its parameters. */
async function judged(
  name: string,
  axes: Readonly<Record<string, readonly string[]>>,
  list: Awaited<ReturnType<typeof readPrices>>,
): Promise<Answer> {
  const { compare, VERDICT_EXPERIMENTS } = await import("../../experiments/compare.ts");
  const { chart, chartCost, tabulate } = await import("../../repl/chart.ts");
  const { lookUp } = await import("../../core/nearest.ts");
  const { outOfRange } = await import("../../core/misuse.ts");
  const known = { design: true, xen: true, pages: true, cut: true };
  for (const [axis, values] of Object.entries(axes)) {
    lookUp("axis", known, axis);
    if (axis !== "design" && values.length !== 1) {
      throw outOfRange(`try axis ${axis} at`, values.join(), `${name} takes one value of it`);
    }
  }
  const { design, xen, pages, cut } = axes;
  const comparison = compare(name as keyof typeof VERDICT_EXPERIMENTS, design, {
    ...(xen === undefined ? {} : { xen: xen[0]! }),
    ...(pages === undefined ? {} : { pages: Number(pages[0]) }),
    ...(cut === undefined ? {} : { cut: Number(cut[0]) }),
  });
  const text = `${comparison.question}\n\n${tabulate(comparison)}`;
  return { rows: comparison.rows, text, figures: [chart(comparison), chartCost(comparison, list)] };
}
