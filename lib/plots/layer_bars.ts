/**
 * Rows of costs by layer as bars in groups, with the words that picture and terminal twin share.
 *
 * @module
 */

import { seriesStyle } from "./series_style.ts";

/** What one layer pays for one bar. */
export interface LayerCostRow {
  /** Group of the bar: a step. */
  readonly group: string;
  /** The bar in the group: a design; the same in all rows if groups have one bar. */
  readonly bar: string;
  readonly layer: string;
  readonly amount: number;
  readonly low?: number;
  readonly high?: number;
  /** The same in all rows. */
  readonly unit: string;
  readonly source: string;
}

/** A bar: its parts in the order of layers. */
export interface LayerBar {
  readonly group: string;
  readonly bar: string;
  readonly parts: readonly { readonly layer: string; readonly amount: number }[];
  readonly total: number;
  readonly low: number;
  readonly high: number;
}

/** What picture and twin are drawn from. */
export interface LayerChart {
  readonly bars: readonly LayerBar[];
  readonly layers: readonly string[];
  readonly title: string;
  readonly subtitle: string;
  readonly axisTitle: string;
}

/** Bars in the order of the rows. */
export function barsOf(rows: readonly LayerCostRow[], layers: readonly string[]): LayerBar[] {
  const groups = [...new Set(rows.map((row) => row.group))];
  return groups.flatMap((group) => {
    const inGroup = rows.filter((row) => row.group === group);
    return [...new Set(inGroup.map((row) => row.bar))].map((bar) => {
      const own = inGroup.filter((row) => row.bar === bar);
      const sum = (of: (row: LayerCostRow) => number) => own.reduce((total, row) => total + of(row), 0);
      const parts = layers.flatMap((layer) => {
        const amount = own.filter((row) => row.layer === layer).reduce((total, row) => total + row.amount, 0);
        return amount > 0 ? [{ layer, amount }] : [];
      });
      return {
        group,
        bar,
        parts,
        total: sum((row) => row.amount),
        low: sum((row) => row.low ?? row.amount),
        high: sum((row) => row.high ?? row.amount),
      };
    });
  });
}

/** Words beside a bar: group and bar, or the one that says something. */
export function barLabel({ group, bar }: LayerBar): string {
  return group === bar || bar === "" ? seriesStyle(group).label : `${group} · ${seriesStyle(bar).label}`;
}
