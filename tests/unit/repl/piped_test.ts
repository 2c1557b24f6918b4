import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";

const FIXTURE = new URL("../../support/repl_fixture.ts", import.meta.url).href;

interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A session as a user pipes into it. */
async function piped(input: string, args: readonly string[] = []): Promise<Run> {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", FIXTURE, ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  const output = process.output();
  const writer = process.stdin.getWriter();
  // A session that has stopped reads no more.
  await writer.write(new TextEncoder().encode(input)).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await output;
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}

/** Entries and the one line that each gives. Run in one session, in this order. */
const ENTRIES: readonly (readonly [entry: string, line: string])[] = [
  ["1 + 1", "2"],
  ["const x: number = 5", "undefined"],
  ["x * 2", "10"],
  ["const x = 7n", "undefined"],
  ["x;", "0x7n"],
  ["-0x10n", "-0x10n"],
  ["-0", "-0"],
  ["NaN", "NaN"],
  ["undefined", "undefined"],
  ["null", "null"],
  ["ready", "0x10n"],
  ['"a\\nb"', '"a\\nb"'],
  ["`two\nlines`", '"two\\nlines"'],
  ["await Promise.resolve('late') as string", '"late"'],
  ["await new Promise((done) => setTimeout(done, 5, 3))", "3"],
  ['import { mfn } from "grantlab/core"', "undefined"],
  ["mfn(0x10)", "16"],
  ['import type { Mfn } from "grantlab/core"; mfn(1) as Mfn', "1"],
  ['import { Table as Grid } from "' + FIXTURE + '"; Grid.name', '"Table"'],
  ['import path, { join } from "node:path"; path.join === join', "true"],
  ["({ a: 1 })", "{a: 1}"],
  ["{ a: 1, 'b c': [2n] }", '{a: 1, "b c": [0x2n]}'],
  ["{ let y = 1; y + 1 }", "2"],
  ["table()", "Table {rows: [1, 2]}"],
  ["new Drawing()", "Drawing AA/BB"],
  ["enum Colour { Red, Green }", "undefined"],
  ["Colour.Green", "1"],
  ["type Row = { page: number }", "undefined"],
  ["function twice(n: number): number {\n  return n * 2;\n}", "undefined"],
  ["twice(\n  21,\n)", "42"],
  ["1 +\n2", "3"],
  ["for (const n of [1, 2])\n  n", "2"],
  ["class Q { constructor(private z: number) {} }", "undefined"],
  ["new Q(4)", "Q {z: 4}"],
  ["class Q { z = 5 }", "undefined"],
  ["new Q().z", "5"],
  ["/[}/]/.test('}')", "true"],
  ["new Error('one\\ntwo')", "Error: one\\ntwo"],
];

Deno.test("runPiped() gives one line per entry, in order, and nothing else", async () => {
  const { code, out, err } = await piped(ENTRIES.map(([entry]) => `${entry}\n`).join(""));
  assertEquals(out.split("\n"), [...ENTRIES.map(([, line]) => line), ""]);
  assertEquals(err, "");
  assertEquals(code, 0);
});

Deno.test("runPiped() reads CRLF, blank lines, comments and a last line without end", async () => {
  const { code, out, err } = await piped("1\r\n\r\n// no entry\r\n/* nor\r\nthis */\r\n[2,\r\n3]\r\n'end'");
  assertEquals({ code, out, err }, { code: 0, out: '1\n[2, 3]\n"end"\n', err: "" });
});

Deno.test("runPiped() gives nothing for nothing", async () => {
  assertEquals(await piped(""), { code: 0, out: "", err: "" });
});

Deno.test("runPiped() sends what the code writes to stderr", async () => {
  const { code, out, err } = await piped(
    'console.log("seen")\nDeno.stdout.writeSync(new TextEncoder().encode("too"))\nsetTimeout(() => { throw new Error("lost") }, 0); 7\n' +
      "await new Promise((done) => setTimeout(done, 20))\n",
  );
  assertEquals(out, "undefined\n3\n7\nundefined\n");
  assertEquals(err, "seen\ntooUncaught Error: lost\n");
  // All entries went well, but an error was lost on the way.
  assertEquals(code, 1);
});

/** Input whose last entry fails, the lines before it, and what stderr says. */
const FAILURES: readonly (readonly [input: string, out: string, err: string])[] = [
  ["1\nnope\n3\n", "1\n", "line 2: ReferenceError: nope is not defined\n"],
  ["1\n\n// c\nthrow 5\n", "1\n", "line 4: Uncaught 5\n"],
  ["throw { a: [1n] }\n", "", "line 1: Uncaught {a: [0x1n]}\n"],
  ["1\n.help\n", "1\n", "line 2: Cannot run .help: commands are for the prompt, piped input is code\n"],
  ["?world\n", "", "line 1: Cannot run ?world: commands are for the prompt, piped input is code\n"],
  ["throw new RangeError('Cannot map')\n", "", "line 1: RangeError: Cannot map\n"],
  ["const a = 1\na = 2\n", "undefined\n", "line 2: TypeError: Assignment to constant variable.\n"],
  ["1\n[1,\n 2].map(() => {\n  nope();\n})\n", "1\n", "line 4: ReferenceError: nope is not defined\n"],
  ["1 + )\n", "", "line 1: SyntaxError: Unexpected token ')'\n"],
  ["1\nlet {\n2", "1\n", "line 3: SyntaxError: Unexpected end of input\n"],
  ["'open\n", "", "line 1: SyntaxError: Invalid or unexpected token\n"],
  [
    'import { nope } from "node:path"\n',
    "",
    "line 1: SyntaxError: The requested module 'node:path' does not provide an export named 'nope'\n",
  ],
  ["await Promise.reject(new Error('no'))\n", "", "line 1: Error: no\n"],
];

for (const [input, out, err] of FAILURES) {
  Deno.test(`runPiped() stops at the first error: ${JSON.stringify(input)}`, async () => {
    const run = await piped(input);
    assertEquals(run.out, out);
    assertEquals(run.err, err);
    assertEquals(run.code, 1);
  });
}

Deno.test("runPiped() names a missing module and its line", async () => {
  const { code, out, err } = await piped('1\nimport "./no_such_file.ts"\n');
  assertEquals([code, out], [1, "1\n"]);
  assertMatch(err, /^line 2: TypeError: Module not found .*no_such_file\.ts/);
});

Deno.test("runSession() leaves with the code of Deno.exit", async () => {
  assertEquals(await piped("1\nDeno.exit(7)\n2\n"), { code: 7, out: "1\n", err: "" });
});

Deno.test("runSession() evaluates the lines of --eval", async () => {
  assertEquals(await piped("", ["--eval", "const a = 2", "--eval=a * 21"]), {
    code: 0,
    out: "undefined\n42\n",
    err: "",
  });
});

for (const args of [["--nope"], ["-e"], ["file.ts"]]) {
  Deno.test(`runSession() refuses ${args} with exit code 2`, async () => {
    const { code, out, err } = await piped("1\n", args);
    assertEquals([code, out], [2, ""]);
    assertStringIncludes(err, `Cannot use `);
    assertStringIncludes(err, args[0]!);
  });
}
