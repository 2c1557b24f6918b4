/**
 * What a session opens with: a host with Xen, a PV dom0 and one guest as `w`, and a process of dom0 as `qemu`.
 *
 * @module
 */

import { runSession } from "./session.ts";

const BANNER = `grantlab: w is a host (Xen, dom0 with Linux, one guest), qemu a process of dom0.
  const vma = qemu.mmapGrants(w.guest.grant(8))      map grants
  qemu.munmap(vma.start + 4 * PAGE, PAGE)            split the VMA
  explain(qemu.directRead(vma.start + 5 * PAGE, PAGE))   direct I/O, and why it went as it did
  explain(qemu)                                          what the last call of the process decided: cuts, merges, flushes
Tab completes, ?name explains, .help lists commands, Ctrl-C stops a line, Ctrl-D leaves.`;

/** Evaluated before the first line. */
const SETUP: readonly string[] = [`const w = world()`, `const qemu = w.process("qemu")`];

/**
 * Runs a session to its end.
 *
 * @param args of the command, `--eval` and `--help`
 * @param project the folder of `mod.ts`
 * @returns the exit code
 */
export async function openSession(args: readonly string[], project: URL): Promise<number> {
  const module = new URL("mod.ts", project).href;
  return await runSession(args, { preamble: { module, setup: SETUP }, banner: BANNER });
}
