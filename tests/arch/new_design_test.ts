/**
 * CONTRIBUTING's walk-through, done to a copy of the project exactly as written: one new file, one line in each of two
 * others, and the conformance table passes for the new design.
 *
 * @module
 */

import { assertEquals } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);

/** Code blocks of the walk-through by the file they go to, without the indentation of the list. */
function blocks(markdown: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, indent, file, body] of markdown.matchAll(/^( *)```ts title="([^"]+)"\n([\s\S]*?)^ *```$/gm)) {
    const lines = body!.split("\n").map((line) => line.slice(indent!.length));
    found.set(file!, lines.join("\n"));
  }
  return found;
}

async function copy(from: URL, to: string, skip: ReadonlySet<string>): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const entry of Deno.readDir(from)) {
    if (skip.has(entry.name)) continue;
    if (entry.isDirectory) await copy(new URL(`${entry.name}/`, from), `${to}/${entry.name}`, skip);
    else if (entry.isFile) await Deno.copyFile(new URL(entry.name, from), `${to}/${entry.name}`);
  }
}

/** Inserts `line` behind the last line that `marks`. */
function insertAfterLast(text: string, marks: (line: string) => boolean, line: string): string {
  const lines = text.split("\n");
  lines.splice(lines.findLastIndex(marks) + 1, 0, line);
  return lines.join("\n");
}

Deno.test("a new design is one file, one line in flavours.ts and one column of one table", async () => {
  const steps = blocks(await Deno.readTextFile(new URL("CONTRIBUTING.md", ROOT)));
  const design = "lib/linux/xen/foreign/vma_pages_pgoff.ts";
  const list = "lib/linux/flavours.ts";
  const table = "tests/conformance/foreign_pages.ts";
  assertEquals([...steps.keys()], [design, list, table]);
  for (const file of [list, table]) assertEquals(steps.get(file)!.trimEnd().split("\n").length, 1, file);

  const dir = await Deno.makeTempDir();
  try {
    await copy(ROOT, dir, new Set([".git", "node_modules", "coverage", "golden", "out"]));
    await Deno.symlink(new URL("node_modules", ROOT).pathname, `${dir}/node_modules`);
    await Deno.writeTextFile(`${dir}/${design}`, steps.get(design)!);
    const edit = async (file: string, marks: (line: string) => boolean) => {
      const text = await Deno.readTextFile(`${dir}/${file}`);
      await Deno.writeTextFile(`${dir}/${file}`, insertAfterLast(text, marks, steps.get(file)!.trimEnd()));
    };
    await edit(list, (line) => line.startsWith("export {"));
    const run = () =>
      new Deno.Command(Deno.execPath(), {
        args: ["test", "--no-prompt", "--allow-read", "tests/conformance/foreign_pages_test.ts"],
        cwd: dir,
        env: { NO_COLOR: "1" },
      }).output();
    // Without its column the build itself refuses.
    const without = await run();
    const decoder = new TextDecoder();
    assertEquals(without.success, false);
    assertEquals(decoder.decode(without.stderr).includes("vma_pages_pgoff"), true);
    await edit(table, (line) => /^ {2}linux6_1:/.test(line));
    const output = await run();
    const text = decoder.decode(output.stdout) + decoder.decode(output.stderr);
    assertEquals(output.success, true, text);
    assertEquals(/vma_pages_pgoff: split: page of the upper piece \.\.\. ok/.test(text), true, text);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
