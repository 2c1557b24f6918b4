import { assertEquals, assertThrows } from "@std/assert";
import { moduleOf } from "../../../lib/jupyter/check_types.ts";
import { outputsOf } from "../../../lib/jupyter/kernel_client.ts";
import type { JupyterMessage } from "../../../lib/jupyter/message.ts";
import { type Cell, formatNotebook, type Notebook, parseNotebook } from "../../../lib/jupyter/notebook.ts";
import { firstDifference } from "../../../lib/jupyter/run_notebook.ts";

const code = (source: string, outputs: Cell["outputs"] = []): Cell => ({
  cell_type: "code",
  id: "c",
  metadata: {},
  source,
  execution_count: 1,
  outputs,
});
const notebook = (...cells: Cell[]): Notebook => ({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells });

Deno.test("formatNotebook() writes as Jupyter does: keys sorted, texts as lines, pictures whole", () => {
  const cell = code("a\nb\n", [
    { output_type: "stream", name: "stdout", text: "x\ny" },
    { output_type: "display_data", metadata: {}, data: { "text/plain": "t\nu\n", "image/png": "QQ==\n" } },
  ]);
  assertEquals(
    formatNotebook(notebook(cell)),
    `{
 "cells": [
  {
   "cell_type": "code",
   "execution_count": 1,
   "id": "c",
   "metadata": {},
   "outputs": [
    {
     "name": "stdout",
     "output_type": "stream",
     "text": [
      "x\\n",
      "y"
     ]
    },
    {
     "data": {
      "image/png": "QQ==\\n",
      "text/plain": [
       "t\\n",
       "u\\n"
      ]
     },
     "metadata": {},
     "output_type": "display_data"
    }
   ],
   "source": [
    "a\\n",
    "b\\n"
   ]
  }
 ],
 "metadata": {},
 "nbformat": 4,
 "nbformat_minor": 5
}
`,
  );
});

Deno.test("parseNotebook() reads back what formatNotebook() writes", () => {
  const text = formatNotebook(notebook(code("1"), { cell_type: "markdown", metadata: {}, source: "m" }));
  assertEquals(formatNotebook(parseNotebook(text, "n")), text);
});

Deno.test("parseNotebook() refuses torn and foreign files by name and reason", () => {
  const text = formatNotebook(notebook(code("1")));
  const rows: [string, string][] = [
    [text.slice(0, -20), "Cannot read the notebook n.ipynb: "],
    ["", "Cannot read the notebook n.ipynb: "],
    ["null", "it is not an object"],
    ["[]", "its format is undefined, not 4"],
    [text.replace('"nbformat": 4', '"nbformat": 3'), "its format is 3, not 4"],
    ['{"nbformat": 4}', "it has no list of cells"],
    ['{"nbformat": 4, "cells": [{"cell_type": "code"}]}', "cell 1 is not one"],
    ['{"nbformat": 4, "cells": [null]}', "cell 1 is not one"],
  ];
  for (const [file, reason] of rows) assertThrows(() => parseNotebook(file, "n.ipynb"), Error, reason);
});

Deno.test("firstDifference() names the cell whose output changed", () => {
  const says = (text: string) => code("f()", [{ output_type: "stream", name: "stdout", text }]);
  const a = notebook(code("1"), says("x"));
  assertEquals(firstDifference(a, notebook(code("1"), says("x"))), undefined);
  assertEquals(firstDifference(a, notebook(code("1"), says("y"))), 2);
  assertEquals(firstDifference(a, { ...a, metadata: { other: true } }), 0);
});

Deno.test("moduleOf() leads lines back to cells", () => {
  const { code: text, origin } = moduleOf(
    notebook(code("const a = 1\na"), { cell_type: "markdown", metadata: {}, source: "# no" }, code("[a]")),
  );
  assertEquals(text, "const a = 1\na\n;\n[a]\n;\nexport {};\n");
  assertEquals(origin[0], { cell: 1, line: 1 });
  assertEquals(origin[1], { cell: 1, line: 2 });
  assertEquals(origin[3], { cell: 3, line: 1 });
});

Deno.test("outputsOf() joins text of one stream in a row and leaves the rest apart", () => {
  const message = (msg_type: string, content: Record<string, unknown>): JupyterMessage => ({
    identities: [],
    header: { msg_id: "", msg_type, session: "", username: "", date: "", version: "" },
    parentHeader: {},
    metadata: {},
    content,
  });
  const stream = (name: string, text: string) => message("stream", { name, text });
  assertEquals(
    outputsOf([
      message("status", { execution_state: "busy" }),
      stream("stdout", "a\n"),
      stream("stdout", "b\n"),
      stream("stderr", "c\n"),
      stream("stdout", "d\n"),
      message("display_data", { data: { "text/plain": "x" }, metadata: {}, transient: {} }),
    ]),
    [
      { output_type: "stream", name: "stdout", text: "a\nb\n" },
      { output_type: "stream", name: "stderr", text: "c\n" },
      { output_type: "stream", name: "stdout", text: "d\n" },
      { output_type: "display_data", data: { "text/plain": "x" }, metadata: {} },
    ],
  );
});
