/**
 * What does each step in the life of n grants cost: map, first touch by the program, direct I/O, unmap? By design, all
 * n grants in one call each.
 *
 * @module
 */

import { PAGE_SIZE } from "../core/geometry.ts";
import { directIo } from "../drivers/direct_io.ts";
import { RamDisk } from "../drivers/ram_disk.ts";
import { KERNEL_FLAVOURS } from "../linux/kernel.ts";
import { XEN_FLAVOURS, xenFlavour } from "../xen/flavours.ts";
import { nameAxis, numberAxis } from "./axis.ts";
import { type Experiment, experiment, type Observation } from "./experiment.ts";
import { GrantHost, type GrantHostOptions, must } from "./grant_host.ts";

/** The four steps, each counted by itself. */
export function lifeOfGrants(options: GrantHostOptions, batch: number): Observation[] {
  const host = new GrantHost({ ...options, grants: batch });
  const disk = new RamDisk(batch * PAGE_SIZE, () => 1);
  let at = 0;
  const steps: Record<string, () => void> = {
    map: () => at = host.mapGrants(0, batch),
    touch: () => host.touch(at, batch),
    io: () => {
      const request = { direction: "read", address: at, length: batch * PAGE_SIZE, diskOffset: 0 } as const;
      must(directIo(host.mm, disk, request));
    },
    unmap: () => host.unmapGrants(at, batch),
  };
  return Object.entries(steps).map(([step, body]) => ({ columns: { step }, events: host.count(body) }));
}

/** The experiment. */
export const grantLife: Experiment = experiment({
  name: "grant_life",
  question: "What do mapping, touching, direct I/O and unmapping of n grants cost?",
  axes: {
    design: nameAxis("kernel flavour", KERNEL_FLAVOURS, [
      "linux3_19",
      "vma_pages_v1",
      "linux4_0",
      "linux6_1",
    ]),
    xen: nameAxis("xen flavour", XEN_FLAVOURS, ["xen4_17"]),
    batch: numberAxis("grants in one call", [1, 2, 4, 8, 16, 32, 33, 64, 128], { from: 1, to: 4096 }),
  },
  run: ({ design, xen, batch }) => lifeOfGrants({ kernel: design, xen: xenFlavour(xen) }, batch),
  figure: {
    kind: "layers",
    x: "step",
    series: "design",
    where: { batch: 32 },
    title: "32 grants: what each step costs, and who pays",
  },
});
