import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { subcommands } from "../../lib/cli/grantlab.ts";
import { runScript } from "../support/command.ts";

const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);
const FULL = ["--allow-read", "--allow-run", "scripts/grantlab.ts"];

const grantlab = (...words: string[]) => runScript([...FULL, ...words]);

/** Runs with a folder that is gone afterwards. */
async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("grantlab refuses what it does not know with exit code 2 and names near ones", async () => {
  const rows: [words: string[], says: string][] = [
    [["confrom"], 'did you mean "conform"'],
    [["kernel", "instal"], 'did you mean "install"'],
    [["notebook"], "notebook needs one of run, check"],
    [["conform", "--shwo", "1", "x"], "Did you mean `--show`"],
    [["conform", "--kernel", "linux6_2", "x"], '"linux6_1"'],
    [["experiment", "split_then_pn"], 'did you mean "split_then_pin"'],
    [["experiment", "split_then_pin", "--axis", "design=seed2015"], '"seed2014"'],
    [["experiment", "split_then_pin", "--axis", "desing=seed2014"], 'did you mean "design"'],
    [["experiment", "grant_life", "--axis", "batsch=1"], 'did you mean "batch"'],
    [["sweep", "grant_lif"], '"grant_life"'],
    [["diff", "linux6_1", "linux7_3"], '"linux7_2"'],
    [["experiment", "split_then_pin", "--axis", "pages=1"], "Error: Cannot map grants to split, of number 1"],
    [["import"], "There must be a FILE to read, or -: grantlab import - < /proc/self/maps"],
    [["conform"], "There must be the PATH of a recording: grantlab conform tests/golden/"],
    [["run"], "There must be a FILE to run: grantlab run split.ts"],
    [["diff", "linux6_1"], "There must be two RELEASEs: grantlab diff linux6_1 linux7_2"],
    [["calibrate"], "There must be a FILE of recorded costs or measurements: grantlab calibrate --out"],
    [["explain", "--json"], "There must be a WORD to explain"],
    [
      ["experiment", "flush_batching", "--axis", "touched=maybe"],
      '"maybe": there is no such value; there are no, yes',
    ],
    [["import", "no-such-file"], "no-such-file"],
    [["import", "--kind", "strase", "x"], '"strace"'],
    [["import", "/proc/self/maps"], "grantlab import - < /proc/self/maps"],
    [["run", "no-such-file.ts"], "Error: Cannot run no-such-file.ts: there is no such file"],
    [["explain"], "There must be a WORD to explain: grantlab explain GNTST_bad_gntref"],
    [["import", "nowhere/x.maps"], "Cannot read nowhere/x.maps: no such file or directory"],
    [["experiment", "nested_walk", "--out", "x.gif"], "its name must end in one of .png"],
  ];
  for (const [words, says] of rows) {
    const { code, stdout, stderr } = await grantlab(...words);
    assertEquals([code, stdout], [2, ""], `${words.join(" ")}: ${stderr}`);
    assert(stderr.includes(says), `${words.join(" ")}: ${stderr}`);
    assert(!/^ +at /m.test(stderr), stderr);
  }
});

Deno.test("grantlab tells its subcommands, their options and its version", async () => {
  const { code, stdout } = await grantlab("--help");
  assertStrictEquals(code, 0);
  for (const [name, { brief }] of await subcommands()) {
    assertMatch(stdout, new RegExp(`^  ${name} +${brief.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`, "m"));
  }
  const help = await grantlab("conform", "--help");
  assertEquals([help.code, help.stdout.includes("Asks for: reading the files named")], [0, true]);
  const { version } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  assertEquals((await grantlab("--version")).stdout, `${version}\n`);
  const group = await grantlab("kernel", "--help");
  assertEquals([group.code, group.stdout.includes("kernel uninstall")], [0, true]);
  assertEquals(group.stdout.includes("notebook run"), false);
  const status = await grantlab("explain", "-3", "--json");
  assertEquals([status.code, status.stdout.includes("GNTST_bad_gntref")], [0, true], status.stderr);
  const nothing = await grantlab();
  assertEquals([nothing.code, nothing.stdout, nothing.stderr], [2, "", stdout]);
});

Deno.test("README names every subcommand with the rights it asks for", async () => {
  const readme = (await Deno.readTextFile(`${ROOT}README.md`)).replaceAll(/ +/g, " ");
  for (const [name, { asks }] of await subcommands()) {
    assert(readme.includes(`| \`${name}\` | ${asks} |`), `README lacks: | \`${name}\` | ${asks} |`);
  }
});

Deno.test("grantlab is installed by the line in README, and works in any folder", async () => {
  const line = /^deno install -g .*$/m.exec(await Deno.readTextFile(`${ROOT}README.md`))![0];
  await inFolder(async (folder) => {
    await Deno.symlink(Deno.execPath(), `${folder}/deno`);
    const PATH = `${folder}:${folder}/bin:/usr/bin:/bin`;
    const sh = async (script: string, cwd: string) => {
      const { code, stdout, stderr } = await new Deno.Command("sh", {
        args: ["-c", script],
        cwd,
        env: { PATH, DENO_INSTALL_ROOT: folder, NO_COLOR: "1" },
      }).output();
      assertStrictEquals(code, 0, new TextDecoder().decode(stderr));
      return new TextDecoder().decode(stdout);
    };
    await sh(line, ROOT);
    assertMatch(await sh("grantlab --version", folder), /^\d+\.\d+\.\d+\n$/);
    await Deno.writeTextFile(`${folder}/s.ts`, 'import { hex } from "grantlab"; console.log(hex(17));');
    assertEquals(await sh("grantlab run s.ts", folder), "0x11\n");
    assertEquals(JSON.parse(await sh("grantlab explain --json EFAULT", folder))[0].meanings[0].kind, "errno");
  });
});

Deno.test("grantlab completes subcommands, options and names for every shell", async () => {
  for (const shell of ["bash", "zsh", "fish", "pwsh", "nu"]) {
    const { code, stdout } = await grantlab("completion", shell);
    assertEquals([code, stdout.includes("grantlab")], [0, true], shell);
  }
  const rows: [words: string[], offered: string][] = [
    [["conf"], "conform"],
    [["kernel", ""], "uninstall"],
    [["conform", "--ker"], "--kernel"],
    [["conform", "--kernel", "linux6"], "linux6_1"],
    [["experiment", "spl"], "split_then_pin"],
  ];
  for (const [words, offered] of rows) {
    const { stdout } = await grantlab("completion", "bash", ...words);
    assert(stdout.split("\n").includes(offered), `${words.join(" ")}: ${stdout}`);
  }
});

Deno.test("grantlab conform --json is one value, and its exit code the verdict", async () => {
  const fixture = "tests/commands/fixture/conform";
  const { code, stdout } = await grantlab("conform", "--json", "--show", "1", `${fixture}/wrong.csv`);
  const { results, total } = JSON.parse(stdout);
  assertEquals([code, total], [1, { passed: 1, failed: 5, advisory: 0 }]);
  assertEquals([results[0].format, results[0].differences.length], ["mmu-translate", 1]);
  const missing = await grantlab("conform", "--json", `${fixture}/missing.csv`);
  assertEquals([missing.code, JSON.parse(missing.stdout).results[0].path], [2, `${fixture}/missing.csv`]);
});

Deno.test("grantlab calibrate --json is one value, with lists written and without", async () => {
  await inFolder(async (folder) => {
    const csv = `${folder}/mine.csv`;
    await Deno.writeTextFile(csv, "operation,n,value,unit\ngetpid,1,95,ns\n");
    const host = await grantlab("calibrate", "--json", "--out", folder, csv);
    assertEquals([host.code, host.stderr], [0, `list written to ${folder}/mine.json\n`]);
    const [list] = JSON.parse(host.stdout);
    assertEquals([list.unit, Math.round(list.prices.syscall.per)], ["ns", 95]);
    assertEquals(JSON.parse(await Deno.readTextFile(`${folder}/mine.json`)), list);
    const recorded = await grantlab("calibrate", "--json", `${ROOT}tests/golden/costs.jsonl.gz`);
    assertStrictEquals(recorded.code, 0, recorded.stderr);
    assert(JSON.parse(recorded.stdout).length > 0);
  });
});

Deno.test("grantlab experiment answers rows, and writes a picture only where it is told", async () => {
  await inFolder(async (folder) => {
    const words = [
      "experiment",
      "split_then_pin",
      "--axis",
      "design=seed2014",
      "--axis",
      "pages=4",
      "--json",
    ];
    const { code, stdout, stderr } = await grantlab(...words, "--out", `${folder}/c.svg`);
    const rows = JSON.parse(stdout);
    assertEquals([code, stderr, rows.length], [0, `chart written to ${folder}/c.svg\n`, 4]);
    assertEquals(rows.map(({ verdict }: { verdict: string }) => verdict).includes("wrong-page"), true);
    assertMatch(await Deno.readTextFile(`${folder}/c.svg`), /^<svg /);
  });
});

Deno.test("grantlab import tells formats apart and writes rows to the folder named", async () => {
  await inFolder(async (folder) => {
    const maps = "00400000-00404000 rw-p 00000000 00:00 0 [heap]\n";
    const files: Record<string, [text: string, kind: string, code: number]> = {
      "m": [maps, "maps", 0],
      "s": [`${maps}Rss:    8 kB\nVmFlags: rd wr\n`, "smaps", 0],
      "good.log": [
        "mmap(NULL, 4096, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000000000\n",
        "strace",
        0,
      ],
      "bad.log": ["munmap(0x1001, 4096) = 0\n", "strace", 1],
      "g": [
        "(XEN) grant-table for remote d5 (v1)\n(XEN) [0x008]  0 0x0365c6 0x00000002   0 0x0365c6 0x19\n",
        "grant-dump",
        0,
      ],
    };
    for (const [name, [text, kind, expected]] of Object.entries(files)) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
      const { code, stdout, stderr } = await grantlab(
        "import",
        "--json",
        "--to",
        `${folder}/out`,
        `${folder}/${name}`,
      );
      assertEquals([code, JSON.parse(stdout)[0].kind], [expected, kind], stderr);
      assertEquals(JSON.parse(await Deno.readTextFile(`${folder}/out/${name}.json`)).kind, kind);
    }
    await Deno.writeFile(`${folder}/p`, new Uint8Array(16));
    const pages = await grantlab("import", "--kind", "pagemap", `${folder}/p`);
    assertEquals([pages.code, pages.stdout], [0, `${folder}/p: pagemap: 2 pages, 0 present\n  ..\n`]);
    const piped = await runScript([...FULL, "import", "-", "--to", folder], maps);
    assertEquals(
      [piped.code, piped.stdout.startsWith("-: maps: imported process: 1 VMA")],
      [0, true],
      piped.stdout,
    );
    assertEquals(JSON.parse(await Deno.readTextFile(`${folder}/stdin.json`)).rows.rows.length, 1);
    const unknown = await grantlab("import", `${folder}/p`);
    assertEquals([unknown.code, unknown.stderr.includes("--kind says what it is")], [2, true]);
  });
});

Deno.test("an imported file cannot make grantlab write outside the folder named", async () => {
  await inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/out`);
    await Deno.writeTextFile(`${folder}/precious`, "mine");
    // A name within the data, a link in the folder, a path that climbs.
    await Deno.writeTextFile(`${folder}/m`, "00400000-00404000 rw-p 00000000 00:00 0 ../../precious\n");
    await Deno.symlink(`${folder}/precious`, `${folder}/out/m.json`);
    assertEquals((await grantlab("import", "--to", `${folder}/out`, `${folder}/m`)).code, 0);
    assertEquals(await Deno.readTextFile(`${folder}/precious`), "mine");
    assertEquals((await Deno.lstat(`${folder}/out/m.json`)).isSymlink, false);
    assertEquals((await grantlab("import", "--to", `${folder}/out`, `${folder}/out/..`)).code, 2);
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), ["m", "out", "precious"]);
    assertEquals([...Deno.readDirSync(`${folder}/out`)].map(({ name }) => name), ["m.json"]);
  });
});

Deno.test("a script that grantlab runs reads its folder and the library, and writes what is named", async () => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(
      `${folder}/s.ts`,
      `import { hex } from "grantlab";
       console.log(hex(255), Deno.args.join());
       console.log(Deno.readTextFileSync(new URL("s.ts", import.meta.url)).length > 0);
       Deno.writeTextFileSync(Deno.args[0]!, "x");`,
    );
    const refused = await grantlab("run", `${folder}/s.ts`, "--", `${folder}/o`, "b");
    assertEquals([refused.code, refused.stdout], [1, `0xff ${folder}/o,b\ntrue\n`]);
    assert(refused.stderr.includes("NotCapable"), refused.stderr);
    const allowed = await grantlab("run", "--write", `${folder}/o`, `${folder}/s.ts`, "--", `${folder}/o`);
    assertEquals([allowed.code, await Deno.readTextFile(`${folder}/o`)], [0, "x"], allowed.stderr);
  });
});

Deno.test("grantlab explain answers by table, citation and docstring", async () => {
  const { code, stdout } = await grantlab("explain", "--json", "GNTST_bad_gntref", "vm_normal_page", "world");
  const kinds = (JSON.parse(stdout) as { meanings: { kind: string }[] }[]).map(({ meanings }) =>
    meanings[0]?.kind
  );
  assertEquals([code, kinds[0], kinds[2]], [0, "grant status", "grantlab"]);
  assertMatch(kinds[1]!, /^linux /);
  const unknown = await grantlab("explain", "EFAUT");
  assertEquals([unknown.code, unknown.stderr], [
    1,
    'EFAUT: nothing here has that name; did you mean "EFAULT"\n',
  ]);
});

Deno.test("grantlab session evaluates lines, and what they say is their own", async () => {
  const { code, stdout, stderr } = await grantlab("session", "-e", "1 + 1", "-e", "hex(255)");
  assertEquals([code, stdout], [0, '2\n"0xff"\n'], stderr);
});

Deno.test("a notebook cannot write outside its folder, unless told", async () => {
  await inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/n`);
    const source = (path: string) => `Deno.writeTextFileSync(${JSON.stringify(path)}, "x"); 1`;
    const notebook = (path: string) =>
      JSON.stringify({
        cells: [{
          cell_type: "code",
          execution_count: null,
          id: "a",
          metadata: {},
          outputs: [],
          source: source(path),
        }],
        metadata: {},
        nbformat: 4,
        nbformat_minor: 5,
      });
    const file = `${folder}/n/a.ipynb`;
    const run = (...words: string[]) =>
      runScript(["-A", "scripts/grantlab.ts", "notebook", "run", ...words, file]);
    await Deno.writeTextFile(file, notebook(`${folder}/n/inside`));
    const inside = await run();
    assertEquals(inside.code, 0, inside.stderr);
    await Deno.writeTextFile(file, notebook(`${folder}/outside`));
    const outside = await run("--json");
    assertEquals(outside.code, 1);
    const [{ state, error }] = JSON.parse(outside.stdout);
    assertEquals([state, error.includes("NotCapable")], ["failed", true], error);
    assertEquals((await run("-A")).code, 0);
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), ["n", "outside"]);
  });
});
