/**
 * `grantlab experiment NAME`: one question, a run per design, rows as table, chart, JSON, CSV or picture.
 *
 * @module
 */

import { merge, object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { multiple, optional } from "@optique/core/modifiers";
import { argument, option } from "@optique/core/primitives";
import { integer } from "@optique/core/valueparser";
import { path } from "@optique/run/valueparser";
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
  asks: "nothing; with --out writing FILE and reading the library's fonts",
  parser,
  rights: ({ out }, { project }) => out === undefined ? {} : { read: [pathOf(project)], write: [out] },
  async run({ name, designs, xen, pages, cut, out, json }) {
    const { compare, EXPERIMENTS } = await import("../../experiments/compare.ts");
    const { chart, chartCost, tabulate } = await import("../../repl/chart.ts");
    const chosen = name as keyof typeof EXPERIMENTS;
    const comparison = compare(chosen, designs.length > 0 ? designs : undefined, {
      ...(xen === undefined ? {} : { xen }),
      ...(pages === undefined ? {} : { pages }),
      ...(cut === undefined ? {} : { cut }),
    });
    const figure = chart(comparison);
    if (json) console.log(JSON.stringify({ question: comparison.question, rows: comparison.rows }));
    else {
      const colour = Deno.stdout.isTerminal() && !Deno.noColor;
      console.log(`${comparison.question}\n\n${tabulate(comparison)}`);
      console.log(`\n${figure.toText(100, { colour })}\n\n${chartCost(comparison).toText(100, { colour })}`);
    }
    if (out !== undefined) {
      const { saveFigure } = await import("../../plots/save.ts");
      await saveFigure(figure, out);
      console.error(`chart written to ${out}`);
    }
    return EXIT.ok;
  },
});
