/**
 * Commands as a user runs them: a script of `scripts` in a process of its own.
 *
 * @module
 */

import { ROOT } from "../../scripts/gate/project_files.ts";

/** What a command left behind. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs `deno run` with these rights and arguments in the project's root.
 *
 * @param input given to its standard input, if any
 */
export async function runScript(args: readonly string[], input = ""): Promise<CommandResult> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-check", ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  // A command that stops early closes its input; that is its right.
  await writer.write(new TextEncoder().encode(input)).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
