/**
 * Answers one question: `deno task experiment NAME [--axis NAME=VALUE,…]… [--png FILE]`. Prints a table of rows and the
 * chart; `--json` prints the rows and nothing else. Without a name it lists what there is.
 *
 * For more points than a table holds there is `deno task sweep`.
 *
 * @module
 */

import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { multiple, optional, withDefault } from "@optique/core/modifiers";
import { argument, flag, option } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import { run } from "@optique/run";
import { lookUp } from "../lib/core/nearest.ts";
import { EXPERIMENTS } from "../lib/experiments/catalogue.ts";
import { type Experiment, runExperiment } from "../lib/experiments/experiment.ts";
import { saveFigure } from "../lib/plots/save.ts";
import { chartExperiment } from "../lib/repl/chart_experiment.ts";
import { axisWishes, describeExperiments, readPrices, refusal } from "../lib/cli/experiment_options.ts";

const commandLine = object({
  name: optional(argument(string({ metavar: "NAME" }), {
    description: message`The experiment; without it all are listed.`,
  })),
  axes: multiple(option("--axis", string({ metavar: "NAME=VALUE,…" }), {
    description: message`Values on an axis; from..to..step makes a range of numbers. May be repeated.`,
  })),
  json: withDefault(flag("--json", { description: message`Rows as a JSON array.` }), false),
  prices: optional(option("--prices", string({ metavar: "FILE" }), {
    description: message`Price list for the chart; the built-in assumed one if not given.`,
  })),
  png: optional(option("--png", string({ metavar: "FILE" }), {
    description: message`Write the chart as a PNG file.`,
  })),
});

async function main(): Promise<number> {
  const { name, axes, json, prices, png } = run(commandLine, {
    programName: "experiment",
    args: Deno.args,
    help: "option",
    errorExitCode: 2,
    brief: message`Answers a question with a table and a chart.`,
  });
  if (name === undefined) {
    console.log(describeExperiments(EXPERIMENTS));
    return 0;
  }
  try {
    const list = await readPrices(prices);
    const result = runExperiment(lookUp<Experiment>("experiment", EXPERIMENTS, name), axisWishes(axes));
    if (json) console.log(JSON.stringify(result.tidy()));
    const figure = json && png === undefined ? undefined : chartExperiment(result, { prices: list });
    if (!json) {
      const colour = Deno.stdout.isTerminal() && !Deno.noColor;
      console.log(Deno.inspect(result, { colors: colour, breakLength: 100 }));
      console.log(`\n${figure!.toText(100, { colour })}`);
    }
    if (png !== undefined) {
      await saveFigure(figure!, png);
      console.error(`chart written to ${png}`);
    }
    return 0;
  } catch (error) {
    return refusal(error);
  }
}

if (import.meta.main) Deno.exit(await main());
