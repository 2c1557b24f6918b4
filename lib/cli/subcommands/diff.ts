/**
 * `grantlab diff RELEASE RELEASE [PATH…]`: which calls behave otherwise on two releases, and by which rule.
 *
 * Exit code 0 whatever was found, 2 for an unknown name or a path that cannot be read.
 *
 * @module
 */

import { merge, object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { multiple, withDefault } from "@optique/core/modifiers";
import { argument, option } from "@optique/core/primitives";
import { integer, string } from "@optique/core/valueparser";
import { path } from "@optique/run/valueparser";
import { htmlView } from "../../core/views.ts";
import { pathOf } from "../paths.ts";
import { EXIT, type Subcommand, subcommand } from "../subcommand.ts";

const release = () =>
  argument(string({ metavar: "RELEASE" }), {
    description: message`A kernel, a hypervisor or both: linux6_1, xen4_14, linux6_1-xen4_14.`,
  });

const parser = merge(
  object({
    html: option("--html", { description: message`Print a page instead of text.` }),
    calls: withDefault(
      option("--calls", integer({ metavar: "N", min: 0 }), {
        description: message`How many calls to show for each rule; 1 if not given.`,
      }),
      1,
    ),
  }),
  object({
    first: release(),
    second: release(),
    paths: multiple(argument(path({ metavar: "PATH" }), {
      description: message`A recording whose calls are replayed; the golden data if none is given.`,
    })),
  }),
);

/** The subcommand. */
export const command: Subcommand = subcommand({
  brief: "tell which calls behave otherwise on two releases, and by which rule",
  asks: "reading the files named, or the project's golden data",
  parser,
  rights: ({ paths }, { project }) => ({ read: paths.length > 0 ? paths : [pathOf(project)] }),
  async run({ html, calls, first, second, paths }) {
    const { diff } = await import("../../conform/diff/diff.ts");
    const found = await diff(first, second, { calls, ...(paths.length > 0 && { paths }) });
    console.log(html ? page(`${first} and ${second}`, found[htmlView]()) : String(found));
    return EXIT.ok;
  },
});

function page(title: string, body: string): string {
  return `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>${title}</title></head>\n` +
    `<body>${body}</body></html>`;
}
