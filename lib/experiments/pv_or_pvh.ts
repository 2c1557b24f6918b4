/**
 * The same life of n grants in a paravirtual dom0 and in a PVH one: two mappings and one batched flush against one
 * second-level entry and a flush for each.
 *
 * @module
 */

import { nameAxis, numberAxis } from "./axis.ts";
import { type Experiment, experiment } from "./experiment.ts";
import { lifeOfGrants } from "./grant_life.ts";
import { GUEST_KINDS } from "./grant_host.ts";

/** The experiment. */
export const pvOrPvh: Experiment = experiment({
  name: "pv_or_pvh",
  question: "What does a life of n grants cost in a PV and in a PVH dom0?",
  axes: {
    guest: nameAxis("kind of guest", GUEST_KINDS),
    batch: numberAxis("grants in one call", [1, 2, 4, 8, 16, 32, 33, 64, 128], { from: 1, to: 4096 }),
    cpus: numberAxis("CPUs", [1], { from: 1, to: 256 }),
  },
  run: ({ guest, batch, cpus }) => lifeOfGrants({ guest, cpus }, batch),
  figure: {
    kind: "layers",
    x: "step",
    series: "guest",
    where: { batch: 32, cpus: 1 },
    title: "Grants in a PV and a PVH dom0: what each step costs",
  },
});
