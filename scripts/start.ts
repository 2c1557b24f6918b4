/**
 * Opens a session: `deno task start`; `--help` tells the rest.
 *
 * @module
 */

import { runSession } from "../lib/repl/session.ts";

const BANNER = `grantlab: w is a host (Xen, dom0 with Linux, one guest), qemu a process of dom0.
  const vma = qemu.mmapGrants(w.guest.grant(8))      map grants
  qemu.munmap(vma.start + 4 * PAGE, PAGE)            split the VMA
  explain(qemu.directRead(vma.start + 5 * PAGE, PAGE))   direct I/O, and why it went as it did
  explain(qemu)                                          what the last call of the process decided: cuts, merges, flushes
Tab completes, ?name explains, .help lists commands, Ctrl-C stops a line, Ctrl-D leaves.`;

/** Evaluated before the first line. */
const SETUP: readonly string[] = [`const w = world()`, `const qemu = w.process("qemu")`];

if (import.meta.main) {
  const module = new URL("../mod.ts", import.meta.url).href;
  Deno.exit(await runSession(Deno.args, { preamble: { module, setup: SETUP }, banner: BANNER }));
}
