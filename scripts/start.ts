/**
 * Opens a session: `deno task start`; `--help` tells the rest.
 *
 * @module
 */

import { openSession } from "../lib/repl/opening.ts";

if (import.meta.main) Deno.exit(await openSession(Deno.args, new URL("../", import.meta.url)));
