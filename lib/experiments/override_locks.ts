/**
 * m2p_override finds the page of a foreign frame in one global hash under one lock. What do n CPUs that do direct I/O
 * on grants get out of it, against the designs that followed?
 *
 * `operation: "io"` is direct I/O on grants that stay mapped: a look-up a page. `life` maps, does the I/O and unmaps. The
 * model counts it on a host of so many CPUs; how CPUs get into each other's way is computed from the counts
 * (`lib/cost/contention.ts`).
 *
 * @module
 */

import { KERNEL_FLAVOURS } from "../linux/kernel.ts";
import { addCounts } from "../trace/add_counts.ts";
import { nameAxis, numberAxis } from "./axis.ts";
import { type Experiment, experiment } from "./experiment.ts";
import { lifeOfGrants } from "./grant_life.ts";

/** Steps of a grant's life that make up one operation. */
export const OPERATIONS: Readonly<Record<string, readonly string[]>> = Object.freeze({
  io: ["io"],
  life: ["map", "touch", "io", "unmap"],
});

/** The experiment. */
export const overrideLocks: Experiment = experiment({
  name: "override_locks",
  question: "What does the lock of m2p_override cost as CPUs grow, against later designs?",
  axes: {
    design: nameAxis("kernel flavour", KERNEL_FLAVOURS, [
      "linux3_19",
      "vma_pages_v1",
      "linux4_0",
      "linux6_1",
    ]),
    operation: nameAxis("operation", OPERATIONS),
    batch: numberAxis("grants in one call", [32], { from: 1, to: 4096 }),
    cpus: numberAxis("CPUs", [1, 2, 4, 8, 12, 16, 20, 24, 32], { from: 1, to: 256 }),
  },
  run({ design, operation, batch, cpus }) {
    const steps = lifeOfGrants({ kernel: design, cpus }, batch)
      .filter(({ columns }) => OPERATIONS[operation]!.includes(String(columns?.["step"])));
    return [{ events: addCounts(steps.map(({ events }) => events)) }];
  },
  figure: {
    kind: "peak",
    x: "cpus",
    series: "design",
    y: "throughput",
    where: { operation: "io", batch: 32 },
    title: "Direct I/O on mapped grants on every CPU, by design",
  },
});
