/**
 * `.undo` and `.redo`: the session without its last line, and with it again. How: `journal.ts`.
 *
 * @module
 */

import { firstLine } from "../journal.ts";
import type { Command, CommandContext } from "./command.ts";

/** Takes the last line back. */
export const undo: Command = {
  usage: ".undo",
  summary: "take the last line back: the world and all variables are as before it",
  async run({ session, write }: CommandContext): Promise<void> {
    const result = await session.undo();
    if (result.kind === "nothing") return write("Nothing to undo");
    if (result.kind === "failed") {
      return write("The replay did not come to its end; the session is as it was");
    }
    for (const difference of result.differences) write(`Line ${difference}`);
    write(`Undone: ${firstLine(result.entry.source)}`);
  },
};

/** Runs the line again that was undone last. */
export const redo: Command = {
  usage: ".redo",
  summary: "run the line again that was undone last",
  async run({ session, write, show }: CommandContext): Promise<void> {
    const done = await session.redo();
    if (done === undefined) return write("Nothing to redo");
    write(`Again: ${firstLine(done.entry.source)}`);
    await show(done.evaluation);
  },
};
