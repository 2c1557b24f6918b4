/**
 * All formats of golden data, in the order in which they are tried.
 *
 * @module
 */

import { costLayers, costs } from "./costs/costs.ts";
import { costLines } from "./costs/lines.ts";
import { costsSmp } from "./costs/smp.ts";
import type { Format, Head } from "./format.ts";
import { grantCases } from "./grant_cases.ts";
import { grantDumpRows } from "./grant_dump.ts";
import { mmuFaults } from "./mmu_faults.ts";
import { mmuTranslate } from "./mmu_translate.ts";
import { pageTables } from "./page_tables.ts";
import { tlbRules } from "./tlb_rules.ts";
import { tlbScenarios } from "./tlb_scenarios.ts";
import { vmaSequences } from "./vma_sequences.ts";

/** The formats. */
export const FORMATS: readonly Format[] = Object.freeze([
  mmuTranslate,
  tlbRules,
  tlbScenarios,
  pageTables,
  vmaSequences,
  mmuFaults,
  grantCases,
  costs,
  costLayers,
  costLines,
  costsSmp,
  grantDumpRows,
]);

/** The format of an input, by its beginning. */
export function detectFormat(head: Head): Format | undefined {
  return FORMATS.find((format) => format.detect(head));
}
