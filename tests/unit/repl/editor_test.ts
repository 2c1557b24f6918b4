import { assertEquals } from "@std/assert";
import { type Answer, Editor } from "../../../lib/repl/editor/editor.ts";
import { History } from "../../../lib/repl/editor/history.ts";
import { KeyDecoder } from "../../../lib/repl/editor/keys.ts";
import { columnsOf, layout, listRows } from "../../../lib/repl/editor/layout.ts";
import { completeness } from "../../../lib/repl/source.ts";

const UP = "\x1b[A";
const DOWN = "\x1b[B";
const LEFT = "\x1b[D";
const RIGHT = "\x1b[C";

function edited(keys: string, past: readonly string[] = []): { editor: Editor; answers: Answer[] } {
  const editor = new Editor(new History(past), (source) => completeness(source) !== "unfinished");
  const decoder = new KeyDecoder();
  const answers = [...decoder.push(keys), ...decoder.flush()].map((key) => editor.press(key));
  return { editor, answers };
}

/** The text with the cursor as a bar. */
function withCursor({ buffer: { text, cursor } }: Editor): string {
  return `${text.slice(0, cursor)}|${text.slice(cursor)}`;
}

const KEYS: readonly (readonly [name: string, keys: string, text: string])[] = [
  ["text", "abc", "abc|"], // control
  ["left and right", `abc${LEFT}${LEFT}${RIGHT}X`, "abX|c"],
  ["left at the start", `${LEFT}a`, "a|"],
  ["home and end", "abc\x01X\x05Y", "XabcY|"],
  ["Home and End of terminals", "b\x1b[Ha\x1b[4~c", "abc|"],
  ["backspace", "abc\x7f", "ab|"],
  ["delete", `abc${LEFT}\x1b[3~`, "ab|"],
  ["Ctrl-D in text deletes", `ab${LEFT}\x04`, "a|"],
  ["Ctrl-K and Ctrl-Y", "abc def\x01\x1b[1;5C\x0b\x01\x19", " def|abc"],
  ["Ctrl-W cuts a word", "foo.bar\x17", "foo.|"],
  ["Ctrl-U cuts to the start of the line", "foo\x15bar", "bar|"],
  ["Alt-D", "foo bar\x01\x1bd", "| bar"],
  ["word motions", "foo bar\x1bb\x1bbX", "X|foo bar"],
  ["an unfinished entry goes on", "f(\r1", "f(\n  1|"],
  ["a closing bracket stands to the left", "f({\ra: 1,\r}", "f({\n  a: 1,\n}|"],
  ["Alt-Enter in a finished entry", "1\x1b\r2", "1\n2|"],
  ["up and down over lines keep the column", `ab(\r\x15cdef${UP}X${DOWN}Y`, "ab(X\ncdefY|"],
  ["up to a shorter line", `(\r\x15abcdef${UP}X`, "(X|\nabcdef"],
  ["a character of several code units is one", `a👍🏽${LEFT}b`, "ab|👍🏽"],
  ["backspace over a line break", "f(\r\x15\x7f", "f(|"],
  ["Tab at the start of a line indents", "f(\r\x15\t1", "f(\n  1|"],
  ["a paste is text, whatever is in it", "\x1b[200~a\tb\r\nc\x03\x1b[201~!", "a\tb\nc\x03!|"],
  ["keys nobody knows do nothing", "a\x1b[15~\x1b[<0;1;1Mb\x1bz", "ab|"],
];

for (const [name, keys, text] of KEYS) {
  Deno.test(`Editor: ${name}`, () => assertEquals(withCursor(edited(keys).editor), text));
}

const PAST = ["const a = 1", "world()", "const b = 2", "f(\n  x\n)"];

const WALKS: readonly (readonly [name: string, keys: string, text: string])[] = [
  ["up shows the last entry", UP, "f(\n  x\n)|"], // control
  ["up again the one before", UP + UP, "const b = 2|"],
  ["up with text: only what begins so", `const${UP}${UP}`, "const a = 1|"],
  ["up beyond the oldest stays", `const${UP}${UP}${UP}`, "const a = 1|"],
  ["down goes back to what was typed", `const${UP}${UP}${DOWN}${DOWN}`, "const|"],
  ["down in the present stays", `x${DOWN}`, "x|"],
  ["any other key ends the walk: a new beginning", `const${UP}\x7f${UP}`, "const b = 2|"],
  ["Ctrl-R finds inside", "\x12orld", "world()|"],
  ["Ctrl-R again finds older", "\x12const\x12", "const a = 1|"],
  ["Ctrl-S finds newer", "\x12const\x12\x13", "const b = 2|"],
  ["Ctrl-R keeps the last finding when there is none", "\x12const\x12\x12zz", "const a = 1|"],
  ["Escape keeps what was found", "\x12orld\x1b", "world()|"],
  ["Ctrl-G drops it", "mine\x12orld\x07", "mine|"],
  ["Ctrl-C drops it", "mine\x12orld\x03", "mine|"],
  ["an arrow keeps it and moves", `\x12orld${LEFT}X`, "world(X|)"],
  ["backspace searches anew", "\x12const a\x7f\x7f", "const b = 2|"],
];

for (const [name, keys, text] of WALKS) {
  Deno.test(`Editor, history: ${name}`, () => assertEquals(withCursor(edited(keys, PAST).editor), text));
}

const ANSWERS: readonly (readonly [name: string, keys: string, last: Answer])[] = [
  ["Enter on a finished entry", "1 + 1\r", { kind: "submit", text: "1 + 1" }], // control
  ["Enter in the middle of it", `1 + 1${LEFT}\r`, { kind: "submit", text: "1 + 1" }],
  ["Enter on nothing", "\r", { kind: "submit", text: "" }],
  ["Enter in a search runs what was found", "\x12orld\r", { kind: "submit", text: "world()" }],
  ["Ctrl-D on nothing", "\x04", { kind: "leave" }],
  ["Ctrl-C on text", "abc\x03", { kind: "cleared", hadText: true }],
  ["Ctrl-C on nothing", "\x03", { kind: "cleared", hadText: false }],
  ["Tab asks for names", "qemu.m\t", { kind: "complete", prefix: "qemu.m" }],
  ["Tab looks at what is before the cursor", `qemu.m()${LEFT}${LEFT}\t`, {
    kind: "complete",
    prefix: "qemu.m",
  }],
  ["Ctrl-L", "\x0c", { kind: "clear-screen" }],
];

for (const [name, keys, last] of ANSWERS) {
  Deno.test(`Editor, answer: ${name}`, () => assertEquals(edited(keys, PAST).answers.at(-1), last));
}

Deno.test("Editor.offer() puts in what all names share and lists them until the next key", () => {
  const { editor } = edited("qemu.m");
  editor.offer({ from: 5, names: ["mmap", "mmapGrants"] });
  assertEquals(withCursor(editor), "qemu.mmap|");
  assertEquals(editor.offered, ["mmap", "mmapGrants"]);
  editor.press({ kind: "text", text: "G" });
  assertEquals(editor.offered, []);
  editor.offer({ from: 5, names: ["mmapGrants"] });
  assertEquals([withCursor(editor), editor.offered], ["qemu.mmapGrants|", []]);
  editor.offer({ from: 15, names: [] });
  assertEquals(withCursor(editor), "qemu.mmapGrants|");
});

Deno.test("KeyDecoder.push() waits for the end of a sequence and of a paste", () => {
  const decoder = new KeyDecoder();
  assertEquals(decoder.push("\x1b["), []);
  assertEquals(decoder.isWaiting, true);
  assertEquals(decoder.push("A"), [{ kind: "name", name: "up" }]);
  assertEquals(decoder.push("\x1b[200~ab"), []);
  assertEquals(decoder.push("c\x1b[201~"), [{ kind: "paste", text: "abc" }]);
  assertEquals(decoder.push("\x1b"), []);
  assertEquals(decoder.flush(), [{ kind: "name", name: "escape" }]);
  assertEquals(decoder.isWaiting, false);
});

Deno.test("layout() wraps, marks lines that go on and places the cursor", () => {
  const { editor } = edited("\x1b[200~abcdefgh\nij\x1b[201~");
  assertEquals(layout(editor, { columns: 6, rows: 10 }), {
    rows: ["> abcd", "efgh", "… ij"],
    cursorRow: 2,
    cursorColumn: 4,
  });
  const full = edited("abcd").editor;
  assertEquals(layout(full, { columns: 6, rows: 10 }), {
    rows: ["> abcd", ""],
    cursorRow: 1,
    cursorColumn: 0,
  });
});

Deno.test("layout() shows the rows around the cursor of a tall entry and counts the others", () => {
  const lines = Array.from({ length: 200 }, (_, i) => `line ${i}`).join("\n");
  const { editor } = edited(`\x1b[200~${lines}\x1b[201~`);
  const end = layout(editor, { columns: 40, rows: 6 });
  assertEquals(end.rows, ["… 196 rows above", "… line 196", "… line 197", "… line 198", "… line 199"]);
  assertEquals(end.cursorRow, 4);
  editor.buffer.cursor = 0;
  const start = layout(editor, { columns: 40, rows: 6 });
  assertEquals([start.rows[0], start.rows.at(-1), start.cursorRow], ["> line 0", "… 196 rows below", 0]);
});

Deno.test("layout() puts the query of a search below the entry and the cursor in it", () => {
  const found = layout(edited("\x12orl", PAST).editor, { columns: 40, rows: 10 });
  assertEquals(found, { rows: ["> world()", "search: orl"], cursorRow: 1, cursorColumn: 11 });
  const none = layout(edited("\x12zz", PAST).editor, { columns: 40, rows: 10 });
  assertEquals(none.rows, ["> ", "search: zz  (nothing found)"]);
});

Deno.test("layout() shows control characters as pictures of them", () => {
  const { editor } = edited("\x1b[200~a\tb\x1b[2J\x1b[201~");
  assertEquals(layout(editor, { columns: 40, rows: 10 }).rows, ["> a  b␛[2J"]);
});

Deno.test("columnsOf() counts what a terminal gives a character", () => {
  assertEquals(["a", "é", "e\u0301", "漢", "👍"].map(columnsOf), [1, 1, 1, 2, 2]);
});

Deno.test("listRows() reads downward, fits the width and counts what does not fit", () => {
  assertEquals(listRows(["a", "bb", "c", "dd", "e"], 12), ["a   c   e", "bb  dd"]);
  const many = listRows(Array.from({ length: 30 }, (_, i) => `name${i}`), 8);
  assertEquals([many.length, many.at(-1)], [11, "… 20 more"]);
  assertEquals(listRows([], 12), []);
});
