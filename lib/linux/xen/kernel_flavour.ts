/**
 * What a kernel flavour is: one choice per seam and where the choice can be read about. Frozen data; a new one is
 * derived by spreading an old one.
 *
 * @module
 */

import type { MmFlavour } from "../mm/flavour.ts";
import type { GntdevRange } from "./gntdev_range.ts";
import type { SchemeMaker } from "./foreign/scheme.ts";

/** One kernel. */
export interface KernelFlavour {
  /** A line for people. */
  readonly title: string;
  /** Seams of `mm/`, but for the hooks of the design for foreign pages. */
  readonly mm: Omit<MmFlavour, "foreign">;
  /** The design for foreign pages. */
  readonly scheme: SchemeMaker;
  /** Where gntdev takes the range of a map from; default: the map, as since October 2022. */
  readonly gntdevRange?: GntdevRange;
  /** Where it can be read about, in the form of `@cite`. */
  readonly cite: string;
}
