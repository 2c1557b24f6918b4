/**
 * Which calls behave otherwise on two releases, and by which rule: `deno task diff linux6_1 linux7_2`.
 *
 * The text goes to stdout, with `--html` a page instead. Exit code 0 whatever was found, 2 for an unknown name or a path
 * that cannot be read.
 *
 * @module
 */

import { merge, object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { multiple, withDefault } from "@optique/core/modifiers";
import { argument, option } from "@optique/core/primitives";
import { integer, string } from "@optique/core/valueparser";
import { run } from "@optique/run";
import { BadInput } from "../lib/conform/format.ts";
import { diff } from "../lib/conform/diff/diff.ts";
import { htmlView } from "../lib/core/views.ts";

const commandLine = merge(
  object({
    html: option("--html", { description: message`Print a page instead of text.` }),
    calls: withDefault(
      option("--calls", integer({ metavar: "N", min: 0 }), {
        description: message`How many calls to show for each rule.`,
      }),
      1,
    ),
  }),
  object({
    first: argument(string({ metavar: "RELEASE" })),
    second: argument(string({ metavar: "RELEASE" })),
    paths: multiple(argument(string({ metavar: "PATH" }))),
  }),
);

async function main(): Promise<number> {
  const { html, calls, first, second, paths } = run(commandLine, {
    programName: "diff",
    args: Deno.args,
    help: "option",
    errorExitCode: 2,
    brief: message`Replay recorded calls on two releases and tell which behave otherwise, and why.`,
  });
  try {
    const found = await diff(first, second, { calls, ...(paths.length > 0 && { paths }) });
    console.log(html ? page(`${first} and ${second}`, found[htmlView]()) : String(found));
    return 0;
  } catch (e) {
    if (!(e instanceof BadInput) && !(e instanceof RangeError)) throw e;
    console.error(`error: ${e.message}`);
    return 2;
  }
}

function page(title: string, body: string): string {
  return `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>${title}</title></head>\n` +
    `<body>${body}</body></html>`;
}

if (import.meta.main) Deno.exit(await main());
