/**
 * An address space: where its tables are, its VMAs, its drawing.
 *
 * @module
 */

import { hex } from "../../../core/show.ts";
import type { View } from "../../../core/view.ts";
import { viewOf } from "../../../core/shown.ts";
import type { MmStruct } from "../mm_struct.ts";
import { Maps } from "./maps.ts";

/** The VMAs of {@linkcode Maps} under a line about the tables. */
export function mmView(mm: MmStruct): View {
  const { line, blocks = [] } = new Maps(mm)[viewOf]();
  return {
    line: `address space: ${line}, top table in frame ${hex(mm.pgdFrame)}, ${mm.nrTables} tables below it`,
    blocks,
  };
}
