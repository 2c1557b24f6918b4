/**
 * `grantlab experiment NAME`: one question, rows as table, chart, JSON, CSV or picture. Values of any axis by
 * `--axis NAME=VALUE,…`; `split_then_pin` without it is judged design by design.
 *
 * @module
 */

import { merge, object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { multiple, optional } from "@optique/core/modifiers";
import { argument, option } from "@optique/core/primitives";
import type { InferValue } from "@optique/core/parser";
import { integer, string } from "@optique/core/valueparser";
import { path } from "@optique/run/valueparser";
import type { Figure } from "../../plots/figure.ts";
import { experimentName, jsonFlag, kernelName, xenOption } from "../names.ts";
import { pathOf } from "../paths.ts";
import { EXIT, type Subcommand, subcommand } from "../subcommand.ts";

const parser = merge(
  object({
    name: argument(experimentName, { description: message`The experiment.` }),
  }),
  object({
    designs: multiple(option("--design", kernelName, {
      description: message`A kernel flavour; may be repeated; those of the question if not given.`,
    })),
    axes: multiple(option("--axis", string({ metavar: "NAME=VALUE,…" }), {
      description: message`Values on an axis; from..to..step makes a range of numbers. May be repeated.`,
    })),
    prices: optional(option("--prices", path({ metavar: "FILE" }), {
      description: message`Price list for the chart; the built-in assumed one if not given.`,
    })),
    xen: xenOption,
    pages: optional(option("--pages", integer({ metavar: "N" }), {
      description: message`Grants mapped, 2 to 4096; 8 if not given.`,
    })),
    cut: optional(option("--cut", integer({ metavar: "PAGE" }), {
      description: message`Page that is unmapped; the middle one if not given.`,
    })),
    out: optional(option("--out", path({ metavar: "FILE" }), {
      description: message`Write the chart: FILE ends in .png, .svg, .csv or .vl.json.`,
    })),
    json: jsonFlag,
  }),
);

/** The subcommand. */
export const command: Subcommand = subcommand({
  brief: "answer a question for several designs: table, chart, rows, picture",
  asks: "nothing; with --out writing FILE and reading the library's fonts, with --prices reading FILE",
  parser,
  rights: ({ out, prices }, { project }) => ({
    read: [...(out === undefined ? [] : [pathOf(project)]), ...(prices === undefined ? [] : [prices])],
    ...(out === undefined ? {} : { write: [out] }),
  }),
  async run(wish) {
    const isVerdict = wish.name === "split_then_pin" && wish.axes.length === 0;
    const { figure, rows, text } = await (isVerdict ? judged(wish) : counted(wish));
    if (wish.json) console.log(JSON.stringify(rows));
    else console.log(text);
    if (wish.out !== undefined) {
      const { saveFigure } = await import("../../plots/save.ts");
      await saveFigure(figure, wish.out);
      console.error(`chart written to ${wish.out}`);
    }
    return EXIT.ok;
  },
});

type Wish = InferValue<typeof parser>;

/** What an experiment answers, in its forms. */
interface Answer {
  readonly figure: Figure;
  /** For JSON. */
  readonly rows: unknown;
  readonly text: string;
}

const hasColour = () => Deno.stdout.isTerminal() && !Deno.noColor;

/** A run per design, each page with a verdict. */
async function judged({ designs, xen, pages, cut }: Wish): Promise<Answer> {
  const { compare } = await import("../../experiments/compare.ts");
  const { chart, chartCost, tabulate } = await import("../../repl/chart.ts");
  const comparison = compare("split_then_pin", designs.length > 0 ? designs : undefined, {
    ...(xen === undefined ? {} : { xen }),
    ...(pages === undefined ? {} : { pages }),
    ...(cut === undefined ? {} : { cut }),
  });
  const figure = chart(comparison);
  const colour = hasColour();
  const costs = chartCost(comparison).toText(100, { colour });
  const parts = [comparison.question, tabulate(comparison), figure.toText(100, { colour }), costs];
  return { figure, rows: { question: comparison.question, rows: comparison.rows }, text: parts.join("\n\n") };
}

/** Counts over axes; the short options name axes. */
async function counted({ name, axes, designs, xen, pages, cut, prices }: Wish): Promise<Answer> {
  const { EXPERIMENTS } = await import("../../experiments/catalogue.ts");
  const { runExperiment } = await import("../../experiments/experiment.ts");
  const { chartExperiment } = await import("../../repl/chart_experiment.ts");
  const { axisWishes, readPrices } = await import("../experiment_options.ts");
  const list = await readPrices(prices);
  const result = runExperiment(EXPERIMENTS[name as keyof typeof EXPERIMENTS], {
    ...(designs.length === 0 ? {} : { design: designs }),
    ...(xen === undefined ? {} : { xen }),
    ...(pages === undefined ? {} : { pages }),
    ...(cut === undefined ? {} : { cut }),
    ...axisWishes(axes),
  });
  const figure = chartExperiment(result, { prices: list });
  const colour = hasColour();
  const table = Deno.inspect(result, { colors: colour, breakLength: 100 });
  const rows = { question: result.experiment.question, rows: result.tidy() };
  return { figure, rows, text: `${table}\n\n${figure.toText(100, { colour })}` };
}
