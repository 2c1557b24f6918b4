/**
 * Starting Deno on this process's own streams.
 *
 * @module
 */

/** Runs `deno run` with these arguments; answers its exit code. */
export async function start(args: readonly string[]): Promise<number> {
  // Ctrl-C reaches the whole group; who started waits for what it does to the other.
  const stay = () => {};
  Deno.addSignalListener("SIGINT", stay);
  try {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-check", ...args],
      stdin: "inherit",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn();
    const { code } = await child.status;
    return code;
  } finally {
    Deno.removeSignalListener("SIGINT", stay);
  }
}
