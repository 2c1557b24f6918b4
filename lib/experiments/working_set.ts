/**
 * `tlb_working_set.ts` as rows over axes, so that it can be swept.
 *
 * @module
 */

import { PAGE_SIZES, type PageSizeName } from "../x86/page_table.ts";
import { TLB_PRESETS, type TlbPresetName } from "../x86/tlb_presets.ts";
import { nameAxis, numberAxis } from "./axis.ts";
import { type Experiment, experiment } from "./experiment.ts";
import { tlbWorkingSet } from "./tlb_working_set.ts";

/** The experiment. */
export const workingSet: Experiment = experiment({
  name: "tlb_working_set",
  question: "How many references to page tables does an access cost as the working set grows?",
  axes: {
    tlb: nameAxis("TLB preset", TLB_PRESETS, ["skylake", "zen2"]),
    pageSize: nameAxis("page size", PAGE_SIZES, ["4K"]),
    pages: numberAxis("pages of 4 KiB", [16, 64, 256, 1024, 2048, 4096, 16384, 65536], {
      from: 1,
      to: 2 ** 18,
    }),
    seed: numberAxis("seed", [1], { from: 0, to: 2 ** 31 - 1 }),
  },
  run({ tlb, pageSize, pages, seed }) {
    const sizes = [pages];
    const [row] = tlbWorkingSet({
      tlbs: [tlb as TlbPresetName],
      pageSize: pageSize as PageSizeName,
      sizes,
      seed,
    });
    const { referencesPerAccess, firstLevel, secondLevel, walks, bytes } = row!;
    return [{ amounts: { bytes, referencesPerAccess, firstLevel, secondLevel, walks }, events: {} }];
  },
  figure: {
    kind: "lines",
    x: "pages",
    series: "tlb",
    y: "referencesPerAccess",
    yTitle: "page-table references per access",
    title: "What a TLB that is too small costs",
  },
});
