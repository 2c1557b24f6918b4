/**
 * What people mistype at the prompt where charts, experiments and files are asked for: each is refused with action,
 * value and reason.
 */

import { assertEquals, assertRejects } from "@std/assert";
import * as grantlab from "../../../mod.ts";

// deno-lint-ignore no-explicit-any
const g = grantlab as any;

const { EXPERIMENTS, PAGE } = grantlab;

/** A call of no type, as it is typed, and how the refusal reads. */
type Mistyped = readonly [call: () => unknown, says: string];

const walks = () => grantlab.runExperiment(EXPERIMENTS.nested_walk, { levels: 4 });
const compared = () => grantlab.compare("split_then_pin", ["linux6_1"], { pages: 2 });
const qemu = () => grantlab.world().process("qemu");

const EXPERIMENT_CALLS: readonly Mistyped[] = [
  [() => g.compare("split_then_pin", "linux6_1"), 'Cannot compare designs "linux6_1": it must be a list'],
  [() => g.compare("split_then_pin", []), "Cannot compare designs []: it must be a list of at least one"],
  [() => g.compare("split_then_pin", ["linux6_1"], { page: 4 }), 'did you mean "pages"'],
  [
    () => g.compare("split_then_pin", ["linux6_1"], null),
    "Cannot give split_then_pin null: it must be a record",
  ],
  [() => g.runExperiment(), "Cannot run as an experiment undefined: it must be one of EXPERIMENTS"],
  [() => g.runExperiment("nested_walk"), 'Cannot run as an experiment "nested_walk": it must be one of'],
  [() => g.runExperiment(EXPERIMENTS.nested_walk, 4), "Cannot set axes to 4: it must be a record"],
  [
    () => walks().where({ level: 4 }),
    'Cannot find the column "level": there is no such column; did you mean "levels"',
  ],
];

const CHART_CALLS: readonly Mistyped[] = [
  [() => g.chart(), "Cannot chart undefined: it must be what compare() or runExperiment() answers"],
  [() => g.chart(grantlab.world()), "Cannot chart host: xen4_17, dom0 runs"],
  [() => g.chart(compared(), { titel: "x" }), 'did you mean "title"'],
  [() => g.chartCost(5), "Cannot chart the cost of 5: it must be what compare() answers"],
  [() => g.chartCost(compared(), {}), "Cannot price with {}: it must be a price list"],
  [() => g.chartCost(compared(), "assumed"), 'Cannot price with "assumed": it must be a price list'],
  [() => g.tabulate(walks()), "Cannot tabulate How many references does a page walk make"],
  [() => g.chartExperiment(compared()), "Cannot chart linux6_1: 2 ok: it must be what runExperiment()"],
  [() => g.chartExperiment(walks(), { price: 1 }), 'did you mean "prices"'],
  [() => g.chartExperiment(walks(), { prices: {} }), "Cannot price with {}: it must be a price list"],
  [
    () => g.chartExperiment(walks(), { x: "pages" }),
    'Cannot find the column "pages": there is no such column; did you',
  ],
  [() => g.chartExperiment(walks(), { where: { nested: 1 } }), 'Cannot find the column "nested"'],
  [() => g.chartChange(walks(), "table", ["native", "ept"]), 'did you mean "tables"'],
  [
    () => g.chartChange(walks(), "tables"),
    "Cannot compare rows by tables: undefined: there must be two values",
  ],
  [() => g.chartChange(walks(), "tables", ["native", "npt"]), 'Cannot compare with tables "npt": no row has'],
  [
    () => g.releaseCosts({}),
    'Cannot compare costs of undefined: it must be a list of benches with sizes: [["mmap',
  ],
  [
    () => g.releaseCosts({ benches: ["mmap_anon"] }),
    'Cannot compare costs of ["mmap_anon"]: it must be a list',
  ],
  [() => g.releaseCosts({ benches: [], releases: "ab" }), 'Cannot compare releases "ab": it must be a list'],
  [() => g.releaseCosts({ benches: [], machine: "xen" }), 'Cannot find the machine "xen"'],
  [() => g.chartReleases({ benches: [["mmap_anon", 1]] }, { titel: "x" }), 'did you mean "title"'],
  [() => g.chartShootdown({ cpu: 4 }), 'did you mean "cpus"'],
  [() => g.chartShootdown(4), "Cannot give a shoot-down 4: it must be a record"],
  [() => g.chartCall(5), "Cannot chart a call of 5: it must be a process"],
  [() => g.chartCall(qemu(), "x"), "Cannot chart the call undefined: it must be a function"],
  [() => g.chartSplit(), "Cannot chart a range of undefined: it must be a process"],
  [() => g.chartSplit(qemu(), { start: PAGE, page: 1 }, () => {}), 'did you mean "pages"'],
  [() => g.chartSplit(qemu(), { start: PAGE, pages: 1 }), "Cannot chart what happens in undefined"],
  [() => g.chart(compared()).toText(80, { color: true }), 'did you mean "colour"'],
  [() => g.chart(compared()).save(5), "Cannot save a figure as 5: it must be the name of a file"],
];

const OTHER_CALLS: readonly Mistyped[] = [
  [() => g.diff(), "Cannot compare the release undefined: it must be the name of a flavour"],
  [() => g.diff("linux6_1", "linux7_2", { path: [] }), 'did you mean "paths"'],
  [() => g.diff("linux6_1", "linux7_2", { paths: "x" }), 'Cannot replay the files "x": it must be a list'],
  [() => g.diff("linux6_1", "linux7_2", { calls: -1 }), "Cannot show calls of a rule, of number -1"],
  [() => g.readMaps(NaN), "Cannot read the maps of process NaN: it must be a whole number from 1"],
  [() => g.readMaps(""), 'Cannot read "": there is no such file'],
  [() => g.readMaps("/"), "Cannot read /: it is a folder"],
  [() => g.hex("x"), 'Cannot write "x" in hexadecimal: it must be a number or a bigint'],
];

for (const [of, cases] of Object.entries({ EXPERIMENT_CALLS, CHART_CALLS, OTHER_CALLS })) {
  Deno.test(`a mistyped call is refused with action, value and reason: ${of.toLowerCase()}`, async () => {
    for (const [call, says] of cases) {
      await assertRejects(async () => await call(), Error, says, String(call));
    }
  });
}

Deno.test("chart() draws an experiment's rows, and takes words for a comparison", () => {
  assertEquals(grantlab.chart(walks()).toText(), grantlab.chartExperiment(walks()).toText());
  const figure = grantlab.chart(compared(), { title: "mine" });
  assertEquals(figure.toText().split("\n")[0], "mine");
});
