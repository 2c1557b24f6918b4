/**
 * Answers the question of October 2014: `deno run scripts/seed.ts`.
 *
 * Maps grants through gntdev, unmaps a middle page so that the VMA splits, and does direct I/O on every page, under
 * each design. Prints a table and a chart; `--json` prints the rows as a JSON array and nothing else; `--png FILE`
 * writes the chart (needs `--allow-read --allow-write`).
 *
 * @module
 */

import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { multiple, optional, withDefault } from "@optique/core/modifiers";
import { flag, option } from "@optique/core/primitives";
import { integer, string } from "@optique/core/valueparser";
import { run } from "@optique/run";
import { compare } from "../lib/experiments/compare.ts";
import { saveFigure } from "../lib/plots/save.ts";
import { chart, chartCost, tabulate } from "../lib/repl/chart.ts";

const commandLine = object({
  json: withDefault(flag("--json", { description: message`Rows as a JSON array.` }), false),
  png: optional(option("--png", string({ metavar: "FILE" }), {
    description: message`Write the chart as a PNG file.`,
  })),
  pages: optional(option("--pages", integer({ metavar: "N" }), {
    description: message`Grants mapped, 2 to 4096; 8 if not given.`,
  })),
  cut: optional(option("--cut", integer({ metavar: "PAGE" }), {
    description: message`Page that is unmapped; the middle one if not given.`,
  })),
  designs: multiple(option("--design", string({ metavar: "NAME" }), {
    description: message`A kernel flavour; may be repeated; all six if not given.`,
  })),
});

async function main(): Promise<number> {
  const { json, png, pages, cut, designs } = run(commandLine, {
    programName: "seed",
    args: Deno.args,
    help: "option",
    errorExitCode: 2,
    brief: message`Which page does direct I/O reach after a VMA of grant mappings splits?`,
  });
  try {
    const comparison = compare("split_then_pin", designs.length > 0 ? designs : undefined, {
      ...(pages === undefined ? {} : { pages }),
      ...(cut === undefined ? {} : { cut }),
    });
    const figure = chart(comparison);
    if (json) console.log(JSON.stringify(comparison.rows));
    else {
      console.log(`${comparison.question}\n`);
      console.log(tabulate(comparison));
      const colour = Deno.stdout.isTerminal() && !Deno.noColor;
      console.log(`\n${figure.toText(100, { colour })}`);
      console.log(`\n${chartCost(comparison).toText(100, { colour })}`);
    }
    if (png !== undefined) {
      await saveFigure(figure, png);
      console.error(`chart written to ${png}`);
    } else if (!json) {
      console.error(
        "\nchart as a picture: deno task seed",
      );
    }
    return 0;
  } catch (e) {
    const isExpected = e instanceof RangeError || e instanceof TypeError ||
      e instanceof Deno.errors.NotFound ||
      e instanceof Deno.errors.NotCapable || e instanceof Deno.errors.PermissionDenied;
    if (!isExpected) throw e;
    console.error(`error: ${e.message}`);
    return 2;
  }
}

if (import.meta.main) Deno.exit(await main());
