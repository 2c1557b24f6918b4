/**
 * Cost rows as bars: one per design, parts by layer, with the words that picture and terminal twin share.
 *
 * @module
 */

import { outOfRange } from "../core/misuse.ts";
import type { CostRow } from "./cost_by_design.ts";
import { designsOf } from "./design_axis.ts";
import { priceNote } from "./price_note.ts";
import { orderLayers } from "./theme.ts";

/** One part of a bar: the rows of a design and a layer, added up. */
export interface CostPart {
  readonly design: string;
  readonly layer: string;
  readonly amount: number;
  /** The distinct sources of its rows. */
  readonly source: string;
}

/** What the chart is made from. */
export interface CostBars {
  /** In the order of the rows. */
  readonly designs: readonly string[];
  /** In the order of the parts of a bar. */
  readonly layers: readonly string[];
  /** By design, then by layer. */
  readonly parts: readonly CostPart[];
  readonly totals: ReadonlyMap<string, number>;
  /** `cycles for one run (assumed prices)`. */
  readonly axisTitle: string;
}

/** @throws {RangeError} if there are no rows or units differ or an amount is negative or not finite */
export function costBars(rows: readonly CostRow[], per: string): CostBars {
  if (rows.length === 0) throw new RangeError("Cannot draw a chart of costs: there are no rows");
  const unit = rows[0]?.unit ?? "";
  for (const { design, layer, amount, unit: own } of rows) {
    if (own !== unit) throw outOfRange(`draw ${unit} together with`, own, "a chart has one unit");
    if (!(amount >= 0 && Number.isFinite(amount))) {
      throw outOfRange(
        `draw ${layer} ${own} of ${design}`,
        amount,
        "it must be a finite number from 0",
      );
    }
  }
  const designs = designsOf(rows);
  const layers = orderLayers(rows.map((row) => row.layer));
  const parts = designs.flatMap((design) => layers.flatMap((layer) => partOf(rows, design, layer)));
  const totals = new Map(
    designs.map((design) => [design, sum(parts.filter((part) => part.design === design))]),
  );
  return {
    designs,
    layers,
    parts,
    totals,
    axisTitle: `${unit} for ${per}${priceNote(rows.map((row) => row.source))}`,
  };
}

function partOf(rows: readonly CostRow[], design: string, layer: string): CostPart[] {
  const own = rows.filter((row) => row.design === design && row.layer === layer);
  if (own.length === 0) return [];
  return [{
    design,
    layer,
    amount: sum(own),
    source: [...new Set(own.map((row) => row.source))].join("; "),
  }];
}

function sum(parts: readonly { readonly amount: number }[]): number {
  return parts.reduce((total, part) => total + part.amount, 0);
}
