import { assert, assertEquals, assertThrows } from "@std/assert";
import deno from "../../../deno.json" with { type: "json" };
import { VERSION } from "../../../lib/core/version.ts";
import { ASSUMED_CYCLES } from "../../../lib/cost/assumed_cycles.ts";
import { priceList } from "../../../lib/cost/price_list.ts";
import { numberAxis, pointsOf, valuesOf } from "../../../lib/experiments/axis.ts";
import { EXPERIMENTS } from "../../../lib/experiments/catalogue.ts";
import { type Experiment, experiment, runExperiment } from "../../../lib/experiments/experiment.ts";
import { pricedByLayer, pricedRows, throughputRows } from "../../../lib/experiments/priced_rows.ts";
import { EVENT_KINDS } from "../../../lib/trace/events.ts";

const toy = experiment({
  name: "toy",
  question: "How many?",
  axes: {
    n: numberAxis("things", [1, 2], { from: 0, to: 9 }),
    cpus: numberAxis("CPUs", [1, 4], { from: 1, to: 9 }),
  },
  run: ({ n }) => [{ columns: { kind: "all" }, amounts: { twice: 2 * n }, events: { hypercall: n } }],
  figure: { kind: "lines", x: "n", title: "Toy" },
});

Deno.test("runExperiment() makes a row per point, the last axis fastest, wishes instead of defaults", () => {
  const { rows } = runExperiment(toy);
  assertEquals(rows.map(({ at }) => at), [
    { n: 1, cpus: 1, kind: "all" },
    { n: 1, cpus: 4, kind: "all" },
    { n: 2, cpus: 1, kind: "all" },
    { n: 2, cpus: 4, kind: "all" },
  ]);
  assertEquals(runExperiment(toy, { n: "3", cpus: [2] }).tidy(), [
    { experiment: "toy", n: 3, cpus: 2, kind: "all", twice: 6, events: { hypercall: 3 }, version: VERSION },
  ]);
});

Deno.test("runExperiment() refuses before anything runs", () => {
  let runs = 0;
  const counted: Experiment = { ...toy, run: (point) => (runs++, toy.run(point)) };
  const table: [wishes: Record<string, never>, error: string][] = [
    [{ m: 1 } as never, 'Cannot find the axis "m": there is no such axis; did you mean "n"'],
    [{ n: 10 } as never, "Cannot try things: 10: it must be a whole number from 0 to 9"],
    [{ n: "1.5" } as never, 'Cannot try things: "1.5"'],
    [{ n: [] } as never, "there must be a value"],
    [{ n: [1, "1"] } as never, "a value is twice"],
    [{ n: [1, 99] } as never, "Cannot try things: 99"],
  ];
  for (const [wishes, error] of table) assertThrows(() => runExperiment(counted, wishes), Error, error);
  assertEquals(runs, 0);
});

Deno.test("pricing again runs no model", () => {
  let runs = 0;
  const real = EXPERIMENTS.flush_batching;
  const counted: Experiment = { ...real, run: (point) => (runs++, real.run(point)) };
  const { rows } = runExperiment(counted, { policy: ["per_batch", "per_op"], cpus: [1, 2, 4] });
  assertEquals(runs, 6);
  const dearer = priceList({
    ...ASSUMED_CYCLES,
    prices: Object.fromEntries(EVENT_KINDS.map((kind) => {
      const { per, low, high, source } = ASSUMED_CYCLES.prices[kind];
      return [kind, { per: 2 * per, low: 2 * low, high: 2 * high, source }];
    })),
  }, { name: "dearer" });
  const [once, twice] = [pricedRows(rows, ASSUMED_CYCLES), pricedRows(rows, dearer)];
  once.forEach(({ amount }, i) => assertEquals(twice[i]!.amount, 2 * amount));
  assert(throughputRows(rows, dearer).every(({ assumed }) => assumed));
  assert(pricedByLayer(rows, dearer).length > rows.length);
  assertEquals(runs, 6);
});

Deno.test("every experiment answers tidy rows at its first point, the same each time", () => {
  for (const [name, chosen] of Object.entries(EXPERIMENTS)) {
    assertEquals(chosen.name, name);
    const values = valuesOf(chosen.axes, {});
    for (const [axis, { parse }] of Object.entries(chosen.axes)) {
      for (const value of values[axis]!) assertEquals(parse(value), value, `${name} ${axis}`);
    }
    const first = Object.fromEntries(Object.entries(values).map(([axis, list]) => [axis, list[0]!]));
    const { rows } = runExperiment(chosen, first);
    assert(rows.length > 0, name);
    assertEquals(runExperiment(chosen, first).rows, rows, name);
    const columns = new Set([
      "cost",
      "throughput",
      ...Object.keys(rows[0]!.at),
      ...Object.keys(rows[0]!.amounts),
    ]);
    const { x, series, y = "cost", per, where = {} } = chosen.figure;
    for (const column of [x, series, y, per, ...Object.keys(where)]) {
      assert(column === undefined || columns.has(column), `${name}: the figure wants ${column}`);
    }
    const wanted = pointsOf(values).filter((point) =>
      Object.entries(where).every(([column, value]) => !(column in values) || point[column] === value)
    );
    assert(wanted.length > 0, `${name}: the figure shows no point`);
  }
});

Deno.test("a result shows itself as a table", () => {
  assertEquals(String(runExperiment(toy)), "How many? (toy: 4 rows)");
  assertEquals(runExperiment(toy).where({ n: 1 }).rows.length, 2);
});

Deno.test("VERSION is that of deno.json", () => assertEquals(VERSION, deno.version));
