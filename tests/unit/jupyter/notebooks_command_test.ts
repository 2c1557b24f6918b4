import { assert, assertEquals } from "@std/assert";
import { KernelClient } from "../../../lib/jupyter/kernel_client.ts";
import { type Cell, formatNotebook, parseNotebook, wholeText } from "../../../lib/jupyter/notebook.ts";

const ROOT = decodeURIComponent(new URL("../../../", import.meta.url).pathname);

const code = (id: string, source: string): Cell => ({
  cell_type: "code",
  id,
  metadata: {},
  source,
  execution_count: null,
  outputs: [],
});
const notebook = (...cells: Cell[]) =>
  formatNotebook({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells });

/** Runs the command on a notebook; tells what it said and what the file holds afterwards. */
async function run(
  text: string,
  what = "run",
): Promise<{ code: number; says: string; text: string }> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/n.ipynb`, text);
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "-A", `${ROOT}scripts/grantlab.ts`, "notebook", what, `${folder}/n.ipynb`],
      env: { NO_COLOR: "1" },
    }).output();
    const says = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["n.ipynb"]);
    return { code, says, text: await Deno.readTextFile(`${folder}/n.ipynb`) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("notebook run writes outputs, and the same ones again", async () => {
  const first = await run(notebook(code("a", 'import { hex } from "grantlab";\nhex(255)')));
  assertEquals([first.code, first.says.slice(0, 15)], [0, "renewed n.ipynb"]);
  const [output] = parseNotebook(first.text, "n").cells[0]!.outputs!;
  assertEquals(
    output?.output_type === "execute_result" && wholeText(output.data["text/plain"] as string[]),
    '"0xff"',
  );
  const again = await run(first.text, "check");
  assertEquals([again.code, again.says.slice(0, 10), again.text], [0, "ok n.ipynb", first.text]);
  const changed = await run(first.text.replace("0xff", "0xfe"), "check");
  assertEquals(changed.code, 1);
  assert(
    changed.says.startsWith("FAILED n.ipynb: the outputs of cell 1 are not what it says now"),
    changed.says,
  );
});

Deno.test("notebook run refuses bad notebooks and leaves their files alone", async () => {
  const good = notebook(code("a", "1"));
  const rows: [text: string, says: string][] = [
    [good.slice(0, -30), "FAILED n.ipynb: Cannot read the notebook n.ipynb: "],
    [notebook(code("a", "1"), code("b", "nope()")), "FAILED n.ipynb: its types are wrong:\n"],
    [notebook(code("a", "const x: number = 1;\nconst y: string = x;")), "at cell 1, line 2, column 7"],
    [
      notebook(code("a", "1"), code("b", 'throw new RangeError("hm")')),
      "FAILED n.ipynb: cell 2 fails: RangeError: hm",
    ],
  ];
  for (const [text, says] of rows) {
    const result = await run(text);
    assertEquals([result.code, result.text], [1, text]);
    assert(result.says.includes(says), result.says);
  }
});

/** Runs a notebook in a session of its own, as a reader does: names of one must not meet those of another. */
async function runOnStockKernel(name: string): Promise<void> {
  const kernel = await KernelClient.start({
    argv: [Deno.execPath(), "jupyter", "--kernel", "--conn", "{connection_file}"],
    env: { NO_COLOR: "1" },
    cwd: `${ROOT}notebooks`,
  });
  try {
    const { cells } = parseNotebook(await Deno.readTextFile(`${ROOT}notebooks/${name}`), name);
    for (const { cell_type, source } of cells) {
      if (cell_type !== "code") continue;
      const { status } = await kernel.execute(wholeText(source));
      assertEquals(status, "ok", `${name}: ${wholeText(source)}`);
    }
  } finally {
    await kernel.close();
  }
}

for (const { name } of Deno.readDirSync(`${ROOT}notebooks`)) {
  if (name.endsWith(".ipynb")) {
    Deno.test(`Deno's own kernel runs ${name}, too`, () => runOnStockKernel(name));
  }
}
