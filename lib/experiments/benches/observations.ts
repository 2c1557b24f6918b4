/**
 * From recorded rows to observations: each row's bench is run over the model, and what the recorder itself cost is taken
 * off.
 *
 * @module
 */

import type { Observation } from "../../cost/observation.ts";
import type { CostCounts } from "../../cost/operations.ts";
import { type CostRow, hasErms, hasTimerNoise } from "../../import/cost_rows.ts";
import { benchCounts, BENCHES } from "./benches.ts";
import { BENCH_MACHINES, type BenchMachine, type BenchMode, type BenchTables } from "./machine.ts";

/** The bench that measures nothing: its cost is the recorder's own. */
export const FRAME_BENCH = "rdtsc_pair_overhead";

/** Instructions of the recorder in the user part of a row by layer, where the file has no row of the frame. */
const FRAME_USER_INSTRUCTIONS = 17;

/** Instructions in Xen that two intercepted RDTSC add on a PVH machine, without and with a system call between them. */
const INTERCEPTED_PAIR = { alone: 12554, withCall: 18109 } as const;

/** A row with what the model counts for it. */
export interface ObservedRow extends Observation {
  readonly row: CostRow;
}

/** Runs benches once for each setting and remembers the counts. */
export class BenchRuns {
  readonly #counts = new Map<string, CostCounts>();

  /**
   * @param kernel flavour of the release recorded
   * @param xen likewise, for machines on Xen
   */
  constructor(readonly kernel: string, readonly xen: string) {}

  /** Counts of a row's bench, or null if there is no such bench, machine, mode or size. */
  countsOf({ machine, mode, tables, bench, n }: CostRow): CostCounts | null {
    const key = [machine, mode, tables, bench, n].join(" ");
    const known = this.#counts.get(key);
    if (known !== undefined) return known;
    if (!BENCHES.some(({ name }) => name === bench) || !BENCH_MACHINES.includes(machine as BenchMachine)) {
      return null;
    }
    const counts = benchCounts(bench, n, {
      machine: machine as BenchMachine,
      mode: mode as BenchMode,
      tables: tables as BenchTables,
      kernel: this.kernel,
      xen: this.xen,
    });
    this.#counts.set(key, counts);
    return counts;
  }
}

/** The observation of a row; null for the frame itself and for benches that the model does not run. */
export function observe(row: CostRow, runs: BenchRuns, frame = FRAME_USER_INSTRUCTIONS): ObservedRow | null {
  if (row.bench === FRAME_BENCH) return null;
  const run = runs.countsOf(row);
  if (run === null) return null;
  const counts = row.machine === "xenpvh" ? asTranslated(run) : run;
  const common = {
    row,
    bench: row.bench,
    n: row.n,
    counts,
    cpu: { erms: hasErms(row) },
    kernel: runs.kernel,
  };
  if (row.layers === null) return { ...common, total: row.median! };
  const user = Math.max(0, row.layers.user - frame);
  const { kernel } = row.layers;
  const xen = row.machine === "xenpvh" ? withoutInterception(row) : row.layers.xen;
  return { ...common, total: user + kernel + xen, layers: { user, kernel, xen } };
}

/**
 * Counts of a PVH machine. Its TLB is flushed by a new address-space identifier when it runs next, which takes no
 * instruction of its own. Reads of the time-stamp counter by the kernel, each an exit to Xen on a PVH machine: on the way out of every system call
 * and fault (the offset of the kernel stack is drawn from it), and for each block request. The one of the first system
 * call is taken off the recording with the recorder's own two.
 */
function asTranslated(counts: CostCounts): CostCounts {
  const { syscall = 0, fault_entry = 0, block_io = 0 } = counts;
  const { tlb_flush_full: _byIdentifier, flush_tlb_mask: _of, ...executed } = counts;
  return { ...executed, tsc_read: syscall + fault_entry + block_io - (syscall > 0 ? 1 : 0) };
}

/** Rows that prices may be fitted to: no timer interrupt inside. */
export function isCalm(row: CostRow): boolean {
  return !hasTimerNoise(row);
}

/** Instructions of Xen less those of the intercepted RDTSC; a run without any work there leaves nothing. */
function withoutInterception({ layers }: CostRow): number {
  const { xen, events } = layers!;
  const added = (events.u_syscall ?? 0) > 0 ? INTERCEPTED_PAIR.withCall : INTERCEPTED_PAIR.alone;
  return Math.max(0, xen - added);
}

/** User instructions of the frame, by machine, from the rows of {@linkcode FRAME_BENCH}. */
export function frameOf(rows: readonly CostRow[]): number {
  const own = rows.find(({ bench, layers }) => bench === FRAME_BENCH && layers !== null);
  return own?.layers?.user ?? FRAME_USER_INSTRUCTIONS;
}
