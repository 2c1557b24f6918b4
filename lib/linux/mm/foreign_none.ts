/**
 * No design for foreign pages: what a kernel has that never heard of them.
 *
 * @module
 */

import type { MmForeignHooks } from "./flavour.ts";
import { NOT_SUPPLIED } from "./vm_ops.ts";

/** Hooks that do nothing and cost nothing. */
export const noForeignPages: MmForeignHooks = Object.freeze({
  vmaWords: 0,
  specialPage: () => NOT_SUPPLIED,
  pageBeforeChecks: () => NOT_SUPPLIED,
  pageBeforeFault: () => NOT_SUPPLIED,
  splitVma() {},
});
