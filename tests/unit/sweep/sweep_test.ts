import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { parquetReadObjects } from "hyparquet";
import { ASSUMED_CYCLES } from "../../../lib/cost/assumed_cycles.ts";
import { EXPERIMENTS } from "../../../lib/experiments/catalogue.ts";
import { runExperiment } from "../../../lib/experiments/experiment.ts";
import { exportRows, flatRows } from "../../../lib/sweep/export_rows.ts";
import { modelKey, pointKey } from "../../../lib/sweep/point_key.ts";
import { progressBar } from "../../../lib/sweep/progress_bar.ts";
import { lineOf, ResultsFolder } from "../../../lib/sweep/results_folder.ts";
import { sweep } from "../../../lib/sweep/sweep.ts";

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const AXES = { tables: ["native", "ept"], levels: [4, 5], page: "4K", nestedPage: ["4K", "2M"] };

Deno.test("sweep() answers what runExperiment() answers, and runs nothing twice", () =>
  inFolder(async (folder) => {
    const options = { experiment: "nested_walk", axes: AXES, folder };
    const seen: number[] = [];
    const once = await sweep({ ...options, workers: 2, onProgress: ({ ran }) => seen.push(ran) });
    assertEquals(once.result.rows, runExperiment(EXPERIMENTS.nested_walk, AXES).rows);
    assertEquals([once.points, once.ran, once.found, once.missing], [8, 8, 0, 0]);
    assertEquals([seen[0], seen.at(-1)], [0, 8]);
    const again = await sweep({ ...options, workers: 1 });
    assertEquals([again.ran, again.found], [0, 8]);
    assertEquals(again.result.rows, once.result.rows);
    const more = await sweep({ ...options, axes: { ...AXES, page: ["4K", "2M"] }, workers: 1 });
    assertEquals([more.points, more.ran, more.found], [16, 8, 8]);
  }));

Deno.test("sweep() by shards: none runs another's points, and together they are the whole", () =>
  inFolder(async (folder) => {
    const options = { experiment: "nested_walk", axes: AXES, folder, workers: 1 };
    const missing: number[] = [];
    for (let index = 0; index < 3; index++) {
      const part = await sweep({ ...options, shard: { index, count: 3 } });
      assertEquals(part.found, 0);
      missing.push(part.missing);
    }
    assertEquals(missing, [5, 2, 0]);
    assertEquals((await sweep(options)).ran, 0);
  }));

Deno.test("sweep(): folders of two machines are merged by copying their parts together", () =>
  inFolder(async (folder) => {
    const options = { experiment: "nested_walk", axes: AXES, workers: 1 };
    const paths = [`${folder}/here`, `${folder}/there`];
    for (const [index, path] of paths.entries()) {
      await sweep({ ...options, folder: path, shard: { index, count: 2 } });
    }
    // One point on both machines: equal keys count once.
    await sweep({
      ...options,
      axes: { ...AXES, tables: "native", levels: 4, nestedPage: "4K" },
      folder: paths[1]!,
    });
    for (const { name } of Deno.readDirSync(`${paths[1]}/parts`)) {
      await Deno.copyFile(`${paths[1]}/parts/${name}`, `${paths[0]}/parts/${name}`);
    }
    const merged = await sweep({ ...options, folder: paths[0]! });
    assertEquals([merged.ran, merged.found, merged.missing], [0, 8, 0]);
    assertEquals(merged.result.rows, runExperiment(EXPERIMENTS.nested_walk, AXES).rows);
  }));

Deno.test("sweep() refuses before anything runs, and says at which point the model failed", () =>
  inFolder(async (folder) => {
    const table: [options: Record<string, unknown>, error: string][] = [
      [{ experiment: "nested_wolk" }, 'did you mean "nested_walk"'],
      [{ axes: { levels: 6 } }, "from 4 to 5"],
      [{ axes: { level: 4 } }, 'did you mean "levels"'],
      [{ workers: 0 }, "Cannot sweep with workers, of number 0"],
    ];
    for (const [options, error] of table) {
      await assertRejects(() => sweep({ experiment: "nested_walk", folder, ...options }), RangeError, error);
    }
    assertEquals([...Deno.readDirSync(folder)], []);
  }));

Deno.test("ResultsFolder: a line that was cut off is not read, equal keys count once, junk is named", () =>
  inFolder(async (path) => {
    const folder = new ResultsFolder(path);
    assertEquals((await folder.read()).size, 0);
    const run = (key: string, n: number) => ({ key, rows: [{ at: { n }, amounts: {}, events: {} }] });
    folder.append(lineOf(run("a", 1)));
    folder.append(lineOf(run("b", 2)) + lineOf(run("a", 1)).slice(0, -1));
    folder.close();
    // The next process writes a file of its own: it never continues a cut line.
    folder.append(lineOf(run("b", 2)) + lineOf(run("c", 3)));
    folder.close();
    const runs = await folder.read();
    assertEquals([...runs.keys()].sort(), ["a", "b", "c"]);
    assertEquals([...Deno.readDirSync(`${path}/parts`)].length, 2);
    await Deno.writeTextFile(`${path}/parts/zzz.jsonl`, '{"key":1}\n');
    await assertRejects(() => folder.read(), RangeError, "Cannot read line 1 of");
  }));

Deno.test("pointKey() depends on experiment, values and model, not on the order of axes", async () => {
  const key = pointKey("m", "e", { a: 1, b: "x" });
  assertEquals(pointKey("m", "e", { b: "x", a: 1 }), key);
  const others = [
    pointKey("n", "e", { a: 1, b: "x" }),
    pointKey("m", "f", { a: 1, b: "x" }),
    pointKey("m", "e", { a: 2, b: "x" }),
    pointKey("m", "e", { a: "1", b: "x" }),
  ];
  assertEquals(new Set([key, ...others]).size, 5);
  assertEquals(await modelKey(), await modelKey());
});

Deno.test("exportRows(): the same rows as CSV, JSON lines and Parquet, columns alike in all rows", async () => {
  const result = runExperiment(EXPERIMENTS.flush_batching, { cpus: [1, 2] });
  const rows = flatRows(result, { model: "m", prices: ASSUMED_CYCLES });
  assertEquals(new Set(rows.map((row) => Object.keys(row).join())).size, 1);
  assertEquals([rows[0]!["events.ipi"], rows[1]!["events.ipi"], rows[0]!["assumed"]], [0, 1, true]);
  assert((rows[1]!["throughput"] as number) > (rows[0]!["throughput"] as number));
  const lines = (exportRows("jsonl", rows) as string).trimEnd().split("\n");
  assertEquals(lines.map((line) => JSON.parse(line)), rows);
  const bytes = exportRows("parquet", rows) as Uint8Array<ArrayBuffer>;
  assertEquals(await parquetReadObjects({ file: bytes.buffer }), rows);
  const csv = (exportRows("csv", rows) as string).trimEnd().split("\n");
  assertEquals([csv.length, csv[0]], [rows.length + 1, Object.keys(rows[0]!).join()]);
  assertThrows(() => exportRows("xlsx", rows), RangeError, "there are csv, jsonl, parquet");
  assertThrows(() => exportRows("csv", []), RangeError, "0 rows");
});

Deno.test("flatRows() with other prices: same counts, other costs; instructions have no throughput", () => {
  const result = runExperiment(EXPERIMENTS.flush_batching, { cpus: 2, policy: "per_op" });
  const [plain] = flatRows(result, { model: "m" });
  assertEquals("cost" in plain!, false);
  const [row] = flatRows(result, { model: "m", prices: { ...ASSUMED_CYCLES, unit: "instructions" } });
  assertEquals(["cost" in row!, "throughput" in row!], [true, false]);
});

Deno.test("progressBar() says how far it is", () => {
  assertEquals(
    progressBar({ points: 1000, found: 200, ran: 300 }, 30.4),
    "[████████████░░░░░░░░░░░░] 500/1000 points, 50 %, 30 s, about 51 s left",
  );
  assertEquals(
    progressBar({ points: 4, found: 4, ran: 0 }, 0),
    "[████████████████████████] 4/4 points, 100 %, 0 s",
  );
  assertEquals(progressBar({ points: 0, found: 0, ran: 0 }, 0).includes("100 %"), true);
});
