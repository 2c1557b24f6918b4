/**
 * What a design takes of memory, whether grants are mapped or not: a word in *every* VMA of the machine, or a table.
 *
 * Both are what the design's own record says: `vmaWords` and `fixedBytes`. Nothing is counted, so nothing is priced. The
 * array of pages that gntdev keeps for each map is the same in all designs and left out.
 *
 * @cite list 2015-01-08 mm: allow for an alternate set of pages for userspace mappings
 * @module
 */

import { KERNEL_FLAVOURS } from "../linux/kernel.ts";
import { nameAxis, numberAxis } from "./axis.ts";
import { type Experiment, experiment } from "./experiment.ts";
import { GrantHost } from "./grant_host.ts";

/** Bytes of a word. */
const WORD = 8;

/** The experiment. */
export const memoryCost: Experiment = experiment({
  name: "memory_cost",
  question: "How much memory does each design take, used or not?",
  axes: {
    design: nameAxis("kernel flavour", KERNEL_FLAVOURS, [
      "linux3_19",
      "draft_b",
      "seed2014",
      "vma_pages_v1",
      "linux4_0",
      "linux6_1",
    ]),
    vmas: numberAxis("VMAs of the machine", [1_000, 10_000, 100_000, 1_000_000], {
      from: 1,
      to: 100_000_000,
    }),
  },
  run({ design, vmas }) {
    const host = new GrantHost({ kernel: design });
    const { scheme } = host.kernel;
    const fixed = scheme.fixedBytes ?? 0;
    return [{ amounts: { bytes: scheme.mm.vmaWords * WORD * vmas + fixed, fixed }, events: {} }];
  },
  figure: {
    kind: "lines",
    x: "vmas",
    series: "design",
    y: "bytes",
    title: "Memory that a design takes, whether grants are mapped or not",
  },
});
