/**
 * Rights of a process as data, and as flags of `deno run`.
 *
 * @module
 */

/** What a process may do; what is left out it may not. */
export interface Rights {
  /** Everything: only where the code that runs is the user's own. */
  readonly all?: true;
  /** Files and folders, or all. */
  readonly read?: readonly string[] | true;
  readonly write?: readonly string[] | true;
  /** Of what may be written: what may not. */
  readonly denyWrite?: readonly string[];
  /** Other programs; whoever may start Deno may do everything. */
  readonly run?: true;
  /** Hosts. */
  readonly net?: readonly string[];
  /** Environment variables. */
  readonly env?: readonly string[];
}

/**
 * Flags for `deno run`. A comma within a name is written twice, as Deno has it.
 *
 * @example
 * ```ts
 * import { flagsOf } from "grantlab/cli";
 * const flags = flagsOf({ read: ["a,b", "c"], run: true });
 * if (flags.join(" ") !== "--no-prompt --allow-read=a,,b,c --allow-run") throw new Error(flags.join(" "));
 * ```
 */
export function flagsOf({ all, run, denyWrite = [], ...lists }: Rights): string[] {
  if (all) return ["--allow-all"];
  const flags = ["--no-prompt"];
  const named = (list: readonly string[]) => list.map((each) => each.replaceAll(",", ",,")).join(",");
  for (const name of ["read", "write", "net", "env"] as const) {
    const list = lists[name];
    if (list === true) flags.push(`--allow-${name}`);
    else if (list !== undefined && list.length > 0) flags.push(`--allow-${name}=${named(list)}`);
  }
  if (denyWrite.length > 0) flags.push(`--deny-write=${named(denyWrite)}`);
  return run ? [...flags, "--allow-run"] : flags;
}
