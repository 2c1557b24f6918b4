/**
 * Experiments that end in a verdict per page: one question, a run per design, rows with provenance. Experiments that
 * count over axes have the form of `experiment.ts`; both know nothing of
 * charts.
 *
 * @module
 */

import { Shown, viewOf } from "../core/shown.ts";
import { drawing, type View } from "../core/view.ts";

/** Where rows come from. */
export interface Provenance {
  readonly experiment: string;
  readonly xen: string;
  readonly parameters: Readonly<Record<string, number | string>>;
}

/** An experiment over designs. `Options` are its parameters, each with a default. */
export interface VerdictExperiment<Row, Options> {
  readonly name: string;
  /** The question, as a user would ask it. */
  readonly question: string;
  /** Designs compared when none are named. */
  readonly designs: readonly string[];
  /** Rows of one design. */
  run(design: string, options: Options): Row[];
  /** Parameters as they were used, defaults filled in. */
  provenance(options: Options): Provenance;
}

/** Rows of several designs, with where they come from. */
export class Comparison<Row extends { readonly design: string; readonly verdict: string }> extends Shown {
  constructor(readonly question: string, readonly rows: readonly Row[], readonly provenance: Provenance) {
    super();
  }

  /** Per design how many rows came out how: `seed2014: 5 ok, 3 wrong-page`. */
  get summary(): string[] {
    const designs = [...new Set(this.rows.map((row) => row.design))];
    return designs.map((design) => {
      const counts = new Map<string, number>();
      for (const row of this.rows) {
        if (row.design === design) counts.set(row.verdict, (counts.get(row.verdict) ?? 0) + 1);
      }
      return `${design}: ${[...counts].map(([verdict, n]) => `${n} ${verdict}`).join(", ")}`;
    });
  }

  override toString(): string {
    return [this.question, ...this.summary].join("\n  ");
  }

  override [viewOf](): View {
    const { experiment, xen, parameters } = this.provenance;
    const given = Object.entries(parameters).map(([name, value]) => `${name} ${value}`).join(", ");
    return {
      line: this.summary.join("; "),
      title: this.question,
      blocks: [
        drawing(this.summary.map((text) => `  ${text}`)),
        drawing([`  ${experiment} on ${xen}: ${given}`]),
      ],
    };
  }
}

/** Runs an experiment for each design. */
export function runVerdictExperiment<
  Row extends { readonly design: string; readonly verdict: string },
  Options,
>(
  experiment: VerdictExperiment<Row, Options>,
  designs: readonly string[],
  options: Options,
): Comparison<Row> {
  const rows = designs.flatMap((design) => experiment.run(design, options));
  return new Comparison(experiment.question, rows, experiment.provenance(options));
}
