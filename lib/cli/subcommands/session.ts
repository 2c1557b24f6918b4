/**
 * `grantlab session [--eval LINE]…`: a prompt on a modelled host, or lines from a pipe.
 *
 * @module
 */

import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { multiple } from "@optique/core/modifiers";
import { option } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import { type Subcommand, subcommand } from "../subcommand.ts";

const parser = object({
  lines: multiple(option("-e", "--eval", string({ metavar: "LINE" }), {
    description: message`Evaluate LINE as if it were piped in, then leave; may be repeated.`,
  })),
});

/** The subcommand. */
export const command: Subcommand = subcommand({
  brief: "open a session on a modelled host",
  asks: "everything: what is typed at the prompt is the user's own code",
  parser,
  rights: () => ({ all: true }),
  async run({ lines }, { project }) {
    const { openSession } = await import("../../repl/opening.ts");
    return await openSession(lines.flatMap((line) => ["--eval", line]), project);
  },
});
