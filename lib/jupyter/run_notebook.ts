/**
 * Runs all cells of a notebook on a kernel and puts what they say in the place of what they said.
 *
 * @module
 */

import type { KernelClient } from "./kernel_client.ts";
import { type Cell, type CellOutput, formatNotebook, type Notebook, wholeText } from "./notebook.ts";

/** Tag of a cell that is meant to fail, as nbconvert has it. */
const MAY_FAIL = "raises-exception";

const COLOUR = new RegExp(`${String.fromCharCode(0x1b)}\\[\\d+m`, "g");

/**
 * The notebook with fresh outputs, its cells numbered from 1.
 *
 * @throws {Error} if a cell fails that is not tagged `raises-exception`
 */
export async function runNotebook(notebook: Notebook, kernel: KernelClient): Promise<Notebook> {
  const cells: Cell[] = [];
  for (const [i, cell] of notebook.cells.entries()) {
    const source = wholeText(cell.source);
    if (cell.cell_type !== "code" || source.trim() === "") {
      cells.push(cell);
      continue;
    }
    const { status, executionCount, outputs } = await kernel.execute(source);
    const tags = cell.metadata["tags"];
    if (status !== "ok" && !(Array.isArray(tags) && tags.includes(MAY_FAIL))) {
      throw new Error(`cell ${i + 1} fails: ${failureOf(outputs)}`);
    }
    cells.push({ ...cell, execution_count: executionCount, outputs });
  }
  return { ...notebook, cells };
}

function failureOf(outputs: readonly CellOutput[]): string {
  const error = outputs.find((output) => output.output_type === "error");
  return error?.traceback.join("\n").replaceAll(COLOUR, "") ?? "it says not why";
}

/** Number of the first cell, from 1, in which two notebooks differ; 0 if something else differs. */
export function firstDifference(a: Notebook, b: Notebook): number | undefined {
  if (formatNotebook(a) === formatNotebook(b)) return undefined;
  const one = (notebook: Notebook, i: number) =>
    formatNotebook({ ...notebook, metadata: {}, cells: notebook.cells.slice(i, i + 1) });
  for (let i = 0; i < Math.max(a.cells.length, b.cells.length); i++) {
    if (one(a, i) !== one(b, i)) return i + 1;
  }
  return 0;
}
