/**
 * Types of a notebook: its code cells as one module, checked by Deno, complaints led back to cell and line.
 *
 * @module
 */

import { type Notebook, wholeText } from "./notebook.ts";

/** The code of a notebook as a module, and where each of its lines comes from. */
export interface NotebookModule {
  readonly code: string;
  /** Cell and line, both from 1, by line of the module from 0. */
  readonly origin: readonly { readonly cell: number; readonly line: number }[];
}

/** All code cells, one after the other. */
export function moduleOf(notebook: Notebook): NotebookModule {
  const lines: string[] = [];
  const origin: { cell: number; line: number }[] = [];
  for (const [i, { cell_type, source }] of notebook.cells.entries()) {
    if (cell_type !== "code") continue;
    for (const [at, line] of wholeText(source).split("\n").entries()) {
      lines.push(line);
      origin.push({ cell: i + 1, line: at + 1 });
    }
    // A cell that starts with a bracket must not go on with the last line of the one before.
    lines[lines.length - 1] += "\n;";
    origin.push({ cell: i + 1, line: wholeText(source).split("\n").length });
  }
  return { code: `${lines.join("\n")}\nexport {};\n`, origin };
}

/**
 * What the checker complains about; empty if it is content.
 *
 * @param config Deno's configuration, whose import map the cells use
 */
export async function typeComplaints(notebook: Notebook, config: string): Promise<string> {
  const { code, origin } = moduleOf(notebook);
  const folder = await Deno.makeTempDir({ prefix: "grantlab-notebook-" });
  try {
    await Deno.writeTextFile(`${folder}/notebook.ts`, code);
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--quiet", "--config", config, `${folder}/notebook.ts`],
      env: { NO_COLOR: "1" },
      stdin: "null",
    }).output();
    if (success) return "";
    return new TextDecoder().decode(stderr).trim()
      .replaceAll(/at file:\S*notebook\.ts:(\d+):(\d+)/g, (whole, line, column) => {
        const from = origin[Number(line) - 1];
        return from === undefined ? whole : `at cell ${from.cell}, line ${from.line}, column ${column}`;
      });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
