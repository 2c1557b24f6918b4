/**
 * `grantlab diff RELEASE RELEASE [PATH…]`: which calls behave otherwise on two releases, and by which rule. Text, or with
 * `--html` a page. Exit code 0 whatever was found.
 *
 * @module
 */

import { merge, object } from "@optique/core/constructs";
import { message, text } from "@optique/core/message";
import { multiple, withDefault } from "@optique/core/modifiers";
import { argument, flag, option } from "@optique/core/primitives";
import { integer, string } from "@optique/core/valueparser";
import { path } from "@optique/run/valueparser";
import { htmlView } from "../../core/views.ts";
import { jsonFlag } from "../names.ts";
import { pathOf } from "../paths.ts";
import { EXIT, type Subcommand, subcommand } from "../subcommand.ts";

/** A kernel, a hypervisor or both; an unknown one is refused with the nearest names before anything runs. */
const release = (which: string) =>
  argument(string({ metavar: "RELEASE" }), {
    description: message`${text(which)}: linux6_1, xen4_14 or linux6_1-xen4_14.`,
    errors: { endOfInput: message`There must be two RELEASEs: grantlab diff linux6_1 linux7_2` },
  });

const parser = merge(
  object({
    html: withDefault(flag("--html", { description: message`Print a page instead of text.` }), false),
    calls: withDefault(
      option("--calls", integer({ metavar: "N", min: 0 }), {
        description: message`How many calls to show for each rule.`,
      }),
      1,
    ),
    json: jsonFlag,
  }),
  object({
    first: release("One release"),
    second: release("The other"),
    paths: multiple(argument(path({ metavar: "PATH" }), {
      description: message`Recordings whose calls are replayed; those of the project if none is given.`,
    })),
  }),
);

/** The subcommand. */
export const command: Subcommand = subcommand({
  brief: "replay recorded calls on two releases: which behave otherwise, and why",
  asks: "reading the recordings",
  parser,
  rights: ({ paths }, { project }) => ({
    read: paths.length > 0 ? paths : [pathOf(new URL("tests/golden", project))],
  }),
  async run({ html, calls, json, first, second, paths }) {
    const { diff } = await import("../../conform/diff/diff.ts");
    const found = await diff(first, second, { calls, ...(paths.length > 0 && { paths }) });
    if (json) console.log(JSON.stringify(found));
    else console.log(html ? page(`${first} and ${second}`, found[htmlView]()) : String(found));
    return EXIT.ok;
  },
});

function page(title: string, body: string): string {
  return `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>${title}</title></head>\n` +
    `<body>${body}</body></html>`;
}
