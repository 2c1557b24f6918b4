/**
 * How a sweep of 1 000 points scales: `deno task bench:sweep [ROUNDS]`. One worker and two in turn, each in a process and a
 * folder of its own, from start to last line. Prints wall time and CPU time of each round, and the median ratio: wall time
 * is what a user waits for, but needs two CPUs that nobody else uses; CPU time says what the second worker costs.
 *
 * @module
 */

import process from "node:process";
import { sweep } from "../lib/sweep/sweep.ts";
import { median } from "./gate/ratios.ts";

const AXES = {
  vmas: Array.from({ length: 250 }, (_, i) => 4 * i),
  design: ["linux3_19", "seed2014", "linux4_0", "linux6_1"],
};
const GOAL = 1.7;

/** What one run took. */
interface Taken {
  readonly wallMs: number;
  readonly cpuMs: number;
}

if (import.meta.main) {
  const [first = "5", workers] = Deno.args;
  if (first === "--measure") console.log(JSON.stringify(await measure(Number(workers))));
  else if (/^[1-9]\d?$/.test(first)) await compareRounds(Number(first));
  else {
    console.error(`Cannot run ${JSON.stringify(first)} rounds: it must be a whole number from 1 to 99`);
    Deno.exit(2);
  }
}

/** One sweep, in this process. */
async function measure(workers: number): Promise<Taken> {
  const folder = await Deno.makeTempDir();
  try {
    const cpu = process.cpuUsage();
    const start = performance.now();
    const { ran } = await sweep({ experiment: "split_cost", axes: AXES, folder, workers });
    if (ran !== 1000) throw new Error(`${ran} points were run`);
    const { user, system } = process.cpuUsage(cpu);
    return { wallMs: performance.now() - start, cpuMs: (user + system) / 1000 };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function compareRounds(rounds: number): Promise<void> {
  console.log(`split_cost, 1000 points, ${navigator.hardwareConcurrency} CPUs`);
  const speedups: number[] = [];
  const costs: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    const load = Deno.loadavg()[0]!.toFixed(1);
    const one = await inProcess(1);
    const two = await inProcess(2);
    speedups.push(one.wallMs / two.wallMs);
    costs.push(two.cpuMs / one.cpuMs);
    console.log(`  round ${round}, load ${load}: one worker ${shown(one)}, two workers ${shown(two)}`);
  }
  const speedup = median(speedups);
  console.log(
    `two workers are ${speedup.toFixed(2)} × as fast (goal ≥ ${GOAL}: ${speedup >= GOAL ? "met" : "MISSED"})`,
  );
  console.log(
    `and take ${median(costs).toFixed(2)} × the CPU time: on two free CPUs, ${
      (2 / median(costs)).toFixed(2)
    } × as fast`,
  );
}

function shown({ wallMs, cpuMs }: Taken): string {
  return `${(wallMs / 1000).toFixed(1)} s (CPU ${(cpuMs / 1000).toFixed(1)} s)`;
}

async function inProcess(workers: number): Promise<Taken> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", new URL(import.meta.url).pathname, "--measure", String(workers)],
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(decoder.decode(stderr));
  return JSON.parse(decoder.decode(stdout)) as Taken;
}
