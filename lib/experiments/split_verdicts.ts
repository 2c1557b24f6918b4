/**
 * `split_then_pin.ts` as rows over axes, so that it can be swept: each page after a split, by which path it was reached
 * and whether it was the right one.
 *
 * @module
 */

import { KERNEL_FLAVOURS } from "../linux/kernel.ts";
import { nameAxis, numberAxis } from "./axis.ts";
import { type Experiment, experiment } from "./experiment.ts";
import { splitThenPin } from "./split_then_pin.ts";

/** The experiment. */
export const splitVerdicts: Experiment = experiment({
  name: "split_then_pin",
  question: splitThenPin.question,
  axes: {
    design: nameAxis("kernel flavour", KERNEL_FLAVOURS, splitThenPin.designs),
    pages: numberAxis("grants mapped", [8], { from: 2, to: 4096 }),
    cut: numberAxis("page that is unmapped", [4], { from: 0, to: 4095 }),
  },
  run: ({ design, pages, cut }) =>
    splitThenPin.run(design, { pages, cut }).map(({ page, path, reached, expected, verdict, events }) => ({
      columns: { page, path, reached, expected, verdict },
      amounts: { wrong: verdict === "ok" ? 0 : 1 },
      events,
    })),
  figure: {
    kind: "lines",
    x: "page",
    series: "design",
    y: "wrong",
    yTitle: "1: wrong page, errno or crash",
    title: "Pages that direct I/O does not reach as it must",
  },
});
