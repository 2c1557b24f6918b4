import { assertEquals } from "@std/assert";
import { MOST_ENTRIES } from "../../../lib/repl/editor/history.ts";
import { HistoryFile, historyPath } from "../../../lib/repl/editor/history_file.ts";

function env(values: Readonly<Record<string, string>>): { get(name: string): string | undefined } {
  return { get: (name) => values[name] };
}

Deno.test("historyPath() follows XDG", () => {
  assertEquals(historyPath(env({ XDG_STATE_HOME: "/state", HOME: "/home" })), "/state/grantlab/history");
  assertEquals(historyPath(env({ HOME: "/home" })), "/home/.local/state/grantlab/history");
  assertEquals(
    historyPath(env({ XDG_STATE_HOME: "relative", HOME: "/home" })),
    "/home/.local/state/grantlab/history",
  );
  assertEquals(historyPath(env({})), undefined);
});

Deno.test("HistoryFile keeps entries whole, passes torn lines over and shortens what is too long", () => {
  const folder = Deno.makeTempDirSync();
  try {
    const path = `${folder}/deep/history`;
    const warnings: string[] = [];
    const file = new HistoryFile(path, (message) => warnings.push(message));
    assertEquals(file.load(), []);
    file.append("one");
    file.append("two\nlines");
    Deno.writeTextFileSync(path, '"torn', { append: true });
    assertEquals(new HistoryFile(path, () => {}).load(), ["one", "two\nlines"]);
    Deno.writeTextFileSync(path, '"again"\n'.repeat(2 * MOST_ENTRIES + 1));
    file.load();
    assertEquals(Deno.readTextFileSync(path).split("\n").length - 1, MOST_ENTRIES);
    assertEquals(warnings, []);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("HistoryFile warns once and goes on where nothing can be written", () => {
  const folder = Deno.makeTempDirSync();
  try {
    Deno.writeTextFileSync(`${folder}/file`, "");
    const warnings: string[] = [];
    const file = new HistoryFile(`${folder}/file/history`, (message) => warnings.push(message));
    file.append("a");
    file.append("b");
    assertEquals(warnings.length, 1);
    assertEquals(warnings[0]!.startsWith("The history is kept for this session only: "), true);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
  const warnings: string[] = [];
  assertEquals(new HistoryFile(undefined, (message) => warnings.push(message)).load(), []);
  assertEquals(warnings.length, 1);
});
