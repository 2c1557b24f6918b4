/**
 * What does it cost to unmap one page in the middle of a grant mapping, so that its VMA splits, by design and by how
 * many VMAs the process has beside it?
 *
 * Left out: the depth of the VMA tree. A look-up counts once however many VMAs there are, so the number of VMAs shows
 * only where a design really touches more of them.
 *
 * @module
 */

import { PAGE_SIZE } from "../core/geometry.ts";
import { KERNEL_FLAVOURS } from "../linux/kernel.ts";
import { mmap } from "../linux/mm/mmap.ts";
import { munmap } from "../linux/mm/munmap.ts";
import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE } from "../linux/mm/prot.ts";
import { nameAxis, numberAxis } from "./axis.ts";
import { type Experiment, experiment } from "./experiment.ts";
import { GrantHost, must } from "./grant_host.ts";

/** The experiment. */
export const splitCost: Experiment = experiment({
  name: "split_cost",
  question: "What does splitting a VMA of grants cost, by design and number of VMAs?",
  axes: {
    design: nameAxis("kernel flavour", KERNEL_FLAVOURS, [
      "linux3_19",
      "seed2014",
      "vma_pages_v1",
      "linux4_0",
      "linux6_1",
    ]),
    vmas: numberAxis("further VMAs of the process", [0, 10, 100, 1000], { from: 0, to: 20_000 }),
    pages: numberAxis("grants in the mapping", [8], { from: 3, to: 4096 }),
  },
  run({ design, vmas, pages }) {
    const host = new GrantHost({ kernel: design, grants: pages });
    for (let i = 0; i < vmas; i++) {
      // Neighbours of different rights do not merge.
      const prot = i % 2 === 0 ? PROT_READ : PROT_READ | PROT_WRITE;
      must(mmap(host.mm, { length: PAGE_SIZE, prot, flags: MAP_PRIVATE | MAP_ANONYMOUS }));
    }
    const at = host.mapGrants(0, pages);
    const before = host.mm.vmas.size;
    const middle = at + (pages >> 1) * PAGE_SIZE;
    const events = host.count(() => must(munmap(host.mm, middle, PAGE_SIZE)));
    return [{ amounts: { newVmas: host.mm.vmas.size - before }, events }];
  },
  figure: {
    kind: "layers",
    x: "design",
    where: { vmas: 100, pages: 8 },
    title: "Unmapping one page in the middle: the split and what goes with it",
  },
});
