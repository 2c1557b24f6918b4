/**
 * References to page tables per access against the size of the working set: a line per TLB geometry, the size on a
 * logarithmic axis. The terminal twin is a table with a bar per size and geometry.
 *
 * @module
 */

import { outOfRange } from "../core/misuse.ts";
import { tint } from "./ansi.ts";
import { type ChartOptions, Figure } from "./figure.ts";
import { VEGA_LITE_SCHEMA, type VegaLiteSpec } from "./spec.ts";
import { columnsOf, fitLeft, fitRight, truncate, wrapWords } from "../core/text_fit.ts";
import { chartConfig, designStyle } from "./theme.ts";

/** One geometry at one size. */
export interface WorkingSetRow {
  /** Name of the geometry. */
  readonly tlb: string;
  /** Size of the working set in bytes, above 0. */
  readonly bytes: number;
  /** From 0. */
  readonly referencesPerAccess: number;
}

const SIZE = { width: 640, height: 360 } as const;
const Y_TITLE = "page-table references per access";
const LONGEST_NAME = 16;

/**
 * Chart of {@linkcode WorkingSetRow}s.
 *
 * @throws {RangeError} if there are no rows, or a size or a count is out of range
 * @example
 * ```ts
 * import { referencesByWorkingSet } from "grantlab/plots";
 * const figure = referencesByWorkingSet([{ tlb: "skylake", bytes: 65536, referencesPerAccess: 0.5 }]);
 * if (!figure.toText().includes("64 KiB")) throw new Error(figure.toText());
 * ```
 */
export function referencesByWorkingSet(
  rows: readonly WorkingSetRow[],
  options: ChartOptions = {},
): Figure<WorkingSetRow> {
  for (const { tlb, bytes, referencesPerAccess: n } of rows) {
    if (!(bytes > 0 && Number.isFinite(bytes))) {
      throw outOfRange(`draw the working set of ${tlb}`, bytes, "it must be a number of bytes above 0");
    }
    if (!(n >= 0 && Number.isFinite(n))) {
      throw outOfRange(`draw the references of ${tlb}`, n, "it must be a finite number from 0");
    }
  }
  const title = options.title ?? "What a TLB that is too small costs";
  const subtitle = options.subtitle ?? "random reads over the working set";
  return new Figure({
    title,
    rows,
    size: SIZE,
    spec: specOf(rows, title, subtitle),
    text: (width, { colour }) => textOf(rows, [title, subtitle], width, colour),
  });
}

function specOf(rows: readonly WorkingSetRow[], title: string, subtitle: string): VegaLiteSpec {
  const names = namesOf(rows);
  const y = { field: "referencesPerAccess", type: "quantitative", title: Y_TITLE, scale: { zero: true } };
  const x = {
    field: "bytes",
    type: "quantitative",
    title: "working set",
    scale: { type: "log", base: 2 },
    axis: { values: sizesOf(rows), labelExpr: SIZE_LABEL, labelOverlap: true, grid: false },
  };
  const colour = {
    field: "tlb",
    type: "nominal",
    title: "TLBs",
    scale: { domain: names, range: names.map((name) => designStyle(name).colour) },
  };
  return {
    $schema: VEGA_LITE_SCHEMA,
    title: subtitle === "" ? { text: title } : { text: title, subtitle },
    ...SIZE,
    autosize: { type: "fit", contains: "padding" },
    padding: 10,
    data: { values: rows.map((row) => ({ ...row })) },
    // Colour is not the only carrier: each geometry has its own mark and dashes.
    layer: [
      {
        mark: { type: "line" },
        encoding: { x, y, color: colour, strokeDash: { field: "tlb", title: "TLBs" } },
      },
      {
        mark: { type: "point", filled: true, size: 50 },
        encoding: { x, y, color: colour, shape: { field: "tlb" } },
      },
    ],
    config: chartConfig(),
  };
}

const SIZE_LABEL =
  "datum.value >= 1073741824 ? datum.value / 1073741824 + ' GiB' : datum.value >= 1048576 ? " +
  "datum.value / 1048576 + ' MiB' : datum.value / 1024 + ' KiB'";

function textOf(
  rows: readonly WorkingSetRow[],
  headings: readonly string[],
  width: number,
  colour: boolean,
): string {
  const names = namesOf(rows);
  const nameWidth = Math.min(LONGEST_NAME, Math.max(...names.map(columnsOf)));
  const most = Math.max(...rows.map((row) => row.referencesPerAccess)) || 1;
  const room = Math.max(1, width - 10 - nameWidth - 2 - 6);
  const lines = [...headings, Y_TITLE].flatMap((text) => wrapWords(text, width));
  lines.push("");
  for (const bytes of sizesOf(rows)) {
    let label = sizeText(bytes);
    for (const name of names) {
      const row = rows.find((r) => r.tlb === name && r.bytes === bytes);
      if (row === undefined) continue;
      const bar = "█".repeat(Math.round(row.referencesPerAccess / most * room));
      lines.push(
        truncate(`${fitRight(label, 9)} ${fitLeft(name, nameWidth)} │`, width) +
          `${tint(bar, designStyle(name).colour, colour)} ${row.referencesPerAccess.toFixed(2)}`,
      );
      label = "";
    }
  }
  return lines.join("\n");
}

function namesOf(rows: readonly WorkingSetRow[]): string[] {
  return [...new Set(rows.map((row) => row.tlb))];
}

function sizesOf(rows: readonly WorkingSetRow[]): number[] {
  return [...new Set(rows.map((row) => row.bytes))].sort((a, b) => a - b);
}

function sizeText(bytes: number): string {
  for (const [unit, size] of [["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10]] as const) {
    if (bytes >= size) return `${Number((bytes / size).toFixed(1))} ${unit}`;
  }
  return `${bytes} B`;
}
