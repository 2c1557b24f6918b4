/**
 * The command `grantlab`: `deno task grantlab SUBCOMMAND …`, or installed; `--help` tells the rest.
 *
 * @module
 */

import { grantlab } from "../lib/cli/mod.ts";

if (import.meta.main) {
  Deno.exit(
    await grantlab(Deno.args, {
      project: new URL("../", import.meta.url),
      entry: import.meta.url,
      os: Deno.build.os,
      variable: (name) => Deno.env.get(name),
    }),
  );
}
