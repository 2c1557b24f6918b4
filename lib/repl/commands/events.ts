/**
 * `.events expr`: evaluates a line and shows which events it caused in the worlds of the session, with prices.
 *
 * @module
 */

import { HOST } from "../source.ts";
import type { Command, CommandContext } from "./command.ts";

/** The command. */
export const events: Command = {
  usage: ".events LINE",
  summary: "evaluate LINE and show what it cost, by event; prices are assumed",
  async run({ session, show, write }: CommandContext, source: string): Promise<void> {
    if (source === "") return write("Cannot count the events of nothing: write .events and a line");
    const { evaluator } = session;
    const names = await evaluator.sessionNames();
    // A name that was never initialized throws when it is read; the host passes over it.
    const readers = `[${names.map((name) => `() => ${name}`).join(", ")}]`;
    await evaluator.evaluate(`${HOST}.beginEvents(${readers}); undefined`);
    const evaluation = await session.run(source);
    await show(evaluation);
    if (evaluation.kind === "ended") return;
    const after = await evaluator.sessionNames();
    const later = `[${after.map((name) => `() => ${name}`).join(", ")}]`;
    const tally = await evaluator.evaluate(`await ${HOST}.endEvents(${later})`);
    await show(tally);
  },
};
