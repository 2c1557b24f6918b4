/**
 * `.time expr`: evaluates a line and says how long it took on this machine.
 *
 * @module
 */

import type { Command, CommandContext } from "./command.ts";

/** How often an empty line is timed. */
const SAMPLES = 5;

/** The command. */
export const time: Command = {
  usage: ".time LINE",
  summary: "evaluate LINE and say how long it took here",
  async run(context: CommandContext, source: string): Promise<void> {
    if (source === "") return context.write("Cannot time nothing: write .time and a line");
    const empty = await emptyLine(context);
    const start = performance.now();
    const evaluation = await context.session.run(source);
    const took = performance.now() - start;
    await context.show(evaluation);
    context.write(
      `took ${milliseconds(Math.max(0, took - empty))}, beside ${milliseconds(empty)} for any line`,
    );
  },
};

/** What the way to the host and back takes. */
async function emptyLine({ session }: CommandContext): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < SAMPLES; i++) {
    const start = performance.now();
    await session.evaluator.evaluate("undefined");
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[SAMPLES >> 1]!;
}

function milliseconds(ms: number): string {
  return ms < 1
    ? `${(ms * 1000).toFixed(0)} µs`
    : ms < 1000
    ? `${ms.toFixed(1)} ms`
    : `${(ms / 1000).toFixed(2)} s`;
}
