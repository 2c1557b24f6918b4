import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ROOT } from "../../scripts/gate/project_files.ts";
import { runScript } from "../support/command.ts";

const SWEEP = ["--allow-read", "--allow-write", "--allow-env", "scripts/grantlab.ts", "sweep"];

/** Points that take long enough to be killed in the middle of, and few enough for a test. */
const POINTS = ["split_cost", "--axis", "vmas=0..59", "--axis", "design=linux4_0,linux6_1,linux3_19"];
const NR_POINTS = 180;

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function bytesBelow(folder: string): number {
  try {
    return [...Deno.readDirSync(folder)].reduce(
      (n, { name }) => n + Deno.statSync(`${folder}/${name}`).size,
      0,
    );
  } catch {
    return 0; // not there yet
  }
}

/** Starts a sweep and kills it when its parts have grown by so many bytes; true if it was still running. */
async function sweepAndKill(folder: string, bytes: number): Promise<boolean> {
  const before = bytesBelow(`${folder}/parts`);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-check", ...SWEEP, ...POINTS, "--out", folder, "--workers", "2"],
    cwd: ROOT,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  let isRunning = true;
  child.status.then(() => isRunning = false);
  while (isRunning && bytesBelow(`${folder}/parts`) < before + bytes) {
    await new Promise((r) => setTimeout(r, 5));
  }
  const wasRunning = isRunning;
  if (isRunning) child.kill("SIGKILL");
  await child.status;
  return wasRunning;
}

Deno.test("sweep, killed again and again, ends with the rows of one that was not", () =>
  inFolder(async (folder) => {
    const whole = `${folder}/whole`;
    const killed = `${folder}/killed`;
    const format = ["--as", "jsonl", "--as", "csv"];
    const once = await runScript([...SWEEP, ...POINTS, "--out", whole, "--workers", "1", ...format]);
    assertEquals(once.code, 0, once.stderr);
    assertStringIncludes(once.stdout, `${NR_POINTS} points: ${NR_POINTS} run, 0 from the folder`);
    const kills = [
      await sweepAndKill(killed, 1),
      await sweepAndKill(killed, 20_000),
      await sweepAndKill(killed, 5_000),
    ];
    assert(kills[0] && kills[1], `it ended before it was killed: ${kills}`);
    const last = await runScript([...SWEEP, ...POINTS, "--out", killed, ...format]);
    assertEquals(last.code, 0, last.stderr);
    const [, ran, found] = /^180 points: (\d+) run, (\d+) from the folder$/m.exec(last.stdout) ?? [];
    assertEquals(Number(ran) + Number(found), NR_POINTS);
    assert(Number(found) > 0, last.stdout);
    for (const name of ["rows.jsonl", "rows.csv"]) {
      assertEquals(await Deno.readTextFile(`${killed}/${name}`), await Deno.readTextFile(`${whole}/${name}`));
    }
  }));

Deno.test("sweep: other prices run no model; tasks of a cluster take their share", () =>
  inFolder(async (folder) => {
    const few = ["safe_unmap", "--axis", "heldMs=0..9", "--out", `${folder}/out`, "--workers", "1"];
    const env = (index: number) => ({ JOB_COMPLETION_INDEX: String(index), JOB_COMPLETIONS: "2" });
    const task = async (index: number) => {
      const { stdout } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-prompt", "--no-check", ...SWEEP, ...few],
        cwd: ROOT,
        env: env(index),
      }).output();
      return new TextDecoder().decode(stdout);
    };
    assertStringIncludes(
      await task(0),
      "5 points: 5 run, 0 from the folder\n5 points of other shards are missing",
    );
    assertStringIncludes(await task(1), "10 rows in ");
    const list = await Deno.readTextFile(new URL("lib/cost/assumed_cycles.json", ROOT));
    await Deno.writeTextFile(`${folder}/mine.json`, list.replace('"assumed_cycles"', '"mine"'));
    const { code, stdout } = await runScript([...SWEEP, ...few, "--prices", `${folder}/mine.json`]);
    assertEquals(code, 0);
    assertStringIncludes(stdout, "10 points: 0 run, 10 from the folder");
    const lines = (await Deno.readTextFile(`${folder}/out/rows.csv`)).trimEnd().split("\n");
    assertEquals([lines.length, lines.slice(1).every((line) => line.includes(",mine,"))], [11, true]);
  }));

Deno.test("sweep without a name lists the experiments; refusals show no stack trace", async () => {
  const { code, stdout } = await runScript(SWEEP);
  assertEquals([code, stdout.includes("gup_paths\n  What does pinning n pages cost")], [0, true]);
  const table: [args: string[], says: string][] = [
    [["gup_path"], 'did you mean "gup_paths"'],
    [["gup_paths", "--axis", "pages"], "it must be NAME=VALUE,…"],
    [["gup_paths", "--axis", "pages=0"], "Cannot try pages: 0"],
    [["gup_paths", "--axis", "pages=9..1"], 'Cannot take the range "9..1"'],
    [["gup_paths", "--axis", "pages=1", "--axis", "pages=2"], "pages is given twice"],
    [["gup_paths", "--shard", "3/2"], "it must be i/n"],
  ];
  for (const [args, says] of table) {
    const { code, stdout, stderr } = await runScript([...SWEEP, ...args]);
    assertEquals([code, stdout], [2, ""], stderr);
    assertStringIncludes(stderr, says);
    assertEquals(/^ +at /m.test(stderr), false, stderr);
  }
});
