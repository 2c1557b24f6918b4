import { assertEquals } from "@std/assert";
import { History } from "../../../lib/repl/editor/history.ts";
import { Prompt } from "../../../lib/repl/prompt.ts";
import { completeness } from "../../../lib/repl/source.ts";
import { settled, VirtualTerminal } from "../../support/virtual_terminal.ts";

interface Stage {
  readonly terminal: VirtualTerminal;
  readonly prompt: Prompt;
  interrupts: number;
}

function stage(columns = 40, rows = 10, names: readonly string[] = []): Stage {
  const terminal = new VirtualTerminal(columns, rows);
  const made: Stage = {
    terminal,
    interrupts: 0,
    prompt: new Prompt(terminal, new History(["old entry"]), {
      isFinished: (source) => completeness(source) !== "unfinished",
      complete: (prefix) => Promise.resolve({ from: prefix.lastIndexOf(".") + 1, names }),
      interrupt: () => void made.interrupts++,
    }),
  };
  return made;
}

Deno.test("Prompt.ask() shows what is typed and answers the entry", async () => {
  const { terminal, prompt } = stage();
  const entry = prompt.ask();
  await terminal.type("1 + 1");
  assertEquals([terminal.text, terminal.cursor], ["> 1 + 1", "0,7"]);
  await terminal.type("\r");
  assertEquals([await entry, terminal.text, terminal.cursor], ["1 + 1", "> 1 + 1", "1,0"]);
  await terminal.hangUp();
});

Deno.test("Prompt.ask() takes an entry of several lines and edits within it", async () => {
  const { terminal, prompt } = stage();
  const entry = prompt.ask();
  await terminal.type("f(\ra\x1b[A\x1b[Hg.\x1b[B\x1b[4~)\r");
  assertEquals(await entry, "g.f(\n  a)");
  assertEquals(terminal.text, "> g.f(\n…   a)");
  await terminal.hangUp();
});

Deno.test("Prompt.ask() takes a paste of 200 lines as one entry and leaves all of it on the screen", async () => {
  const { terminal, prompt } = stage(40, 8);
  const lines = ["[", ...Array.from({ length: 198 }, (_, i) => `${i},`), "].length"];
  const entry = prompt.ask();
  await terminal.type(`\x1b[200~${lines.join("\r")}\x1b[201~`);
  assertEquals(terminal.text.split("\n").length, 7);
  await terminal.type("\r");
  assertEquals(await entry, lines.join("\n"));
  assertEquals(terminal.text.split("\n").length, 200);
  assertEquals(terminal.text.split("\n").at(-1), "… ].length");
  await terminal.hangUp();
});

Deno.test("Prompt.write() puts output above the entry that is being typed", async () => {
  const { terminal, prompt } = stage();
  const entry = prompt.ask();
  await terminal.type("half");
  prompt.write("tick\n");
  prompt.write("no line break");
  assertEquals(terminal.text, "tick\nno line break\n> half");
  await terminal.type(" done\r");
  assertEquals([await entry, terminal.text], ["half done", "tick\nno line break\n> half done"]);
  await terminal.hangUp();
});

Deno.test("Prompt.ask() begins a line of its own after output without a line break", async () => {
  const { terminal, prompt } = stage();
  prompt.write("abc");
  void prompt.ask();
  await settled();
  assertEquals(terminal.text, "abc\n>");
  await terminal.hangUp();
});

Deno.test("Prompt holds keys while a line runs, and Ctrl-C drops them and interrupts", async () => {
  const set = stage();
  const { terminal, prompt } = set;
  const first = prompt.ask();
  await terminal.type("a\r");
  assertEquals(await first, "a");
  await terminal.type("b\r");
  const second = prompt.ask();
  assertEquals(await second, "b");
  await terminal.type("dropped\r\x03");
  assertEquals(set.interrupts, 1);
  const third = prompt.ask();
  await terminal.type("c\r");
  assertEquals([await third, set.interrupts], ["c", 1]);
  await terminal.hangUp();
});

Deno.test("Prompt.ask() clears a half-typed entry by Ctrl-C and goes on", async () => {
  const set = stage();
  const entry = set.prompt.ask();
  await set.terminal.type("half(\r\x03x\r");
  assertEquals([await entry, set.interrupts], ["x", 0]);
  assertEquals(set.terminal.text, "> half(\n…\n> x");
  await set.terminal.hangUp();
});

for (const keys of ["\x04", ""]) {
  Deno.test(`Prompt.ask() answers nothing after ${keys === "" ? "a hang-up" : "Ctrl-D"}`, async () => {
    const { terminal, prompt } = stage();
    const entry = prompt.ask();
    if (keys !== "") await terminal.type(keys);
    await terminal.hangUp();
    assertEquals(await entry, undefined);
    if (keys === "") assertEquals(await prompt.ask(), undefined);
  });
}

Deno.test("Prompt shows names below the entry and takes them away with the next key", async () => {
  const { terminal, prompt } = stage(40, 10, ["mmap", "mmapGrants"]);
  const entry = prompt.ask();
  await terminal.type("q.m\t");
  assertEquals([terminal.text, terminal.cursor], ["> q.mmap\nmmap        mmapGrants", "0,8"]);
  await terminal.type("(1)\r");
  assertEquals([await entry, terminal.text], ["q.mmap(1)", "> q.mmap(1)"]);
  await terminal.hangUp();
});

Deno.test("Prompt searches the past by Ctrl-R", async () => {
  const { terminal, prompt } = stage();
  const entry = prompt.ask();
  await terminal.type("\x12ent");
  assertEquals(terminal.text, "> old entry\nsearch: ent");
  await terminal.type("\r");
  assertEquals([await entry, terminal.text], ["old entry", "> old entry"]);
  await terminal.hangUp();
});

Deno.test("Prompt draws anew when the width changes", async () => {
  const { terminal, prompt } = stage(20);
  void prompt.ask();
  await terminal.type("abcdefghijklmnopqrstuvwxyz");
  assertEquals(terminal.text, "> abcdefghijklmnopqr\nstuvwxyz");
  terminal.resize(40);
  assertEquals(terminal.text, "> abcdefghijklmnopqrstuvwxyz");
  await terminal.type("\x0c");
  assertEquals(terminal.text, "> abcdefghijklmnopqrstuvwxyz");
  await terminal.hangUp();
});
