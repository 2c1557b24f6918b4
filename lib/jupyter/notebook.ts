/**
 * Notebook files (nbformat 4.5): read, checked, and written byte for byte as Jupyter writes them: keys sorted, one
 * space of indent, texts as lists of lines.
 *
 * @module
 */

/** A text, or the lines of one. */
export type Lines = string | readonly string[];

/** What a cell has said. */
export type CellOutput =
  | { readonly output_type: "stream"; readonly name: string; readonly text: Lines }
  | {
    readonly output_type: "display_data";
    readonly data: Readonly<Record<string, unknown>>;
    readonly metadata: Readonly<Record<string, unknown>>;
  }
  | {
    readonly output_type: "execute_result";
    readonly execution_count: number | null;
    readonly data: Readonly<Record<string, unknown>>;
    readonly metadata: Readonly<Record<string, unknown>>;
  }
  | {
    readonly output_type: "error";
    readonly ename: string;
    readonly evalue: string;
    readonly traceback: readonly string[];
  };

/** A cell. */
export interface Cell {
  readonly cell_type: "code" | "markdown" | "raw";
  readonly id?: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly source: Lines;
  readonly execution_count?: number | null;
  readonly outputs?: readonly CellOutput[];
}

/** A notebook. */
export interface Notebook {
  readonly nbformat: number;
  readonly nbformat_minor: number;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly cells: readonly Cell[];
}

/** A text whole. */
export function wholeText(lines: Lines): string {
  return typeof lines === "string" ? lines : lines.join("");
}

/**
 * The notebook in a file's text.
 *
 * @throws {Error} if it is none: torn, of another format, without cells
 */
export function parseNotebook(text: string, name: string): Notebook {
  const refused = (reason: string) => new Error(`Cannot read the notebook ${name}: ${reason}`);
  let found: Partial<Notebook>;
  try {
    found = JSON.parse(text);
  } catch (error) {
    throw refused((error as Error).message);
  }
  if (typeof found !== "object" || found === null) throw refused("it is not an object");
  if (found.nbformat !== 4) throw refused(`its format is ${found.nbformat}, not 4`);
  if (!Array.isArray(found.cells)) throw refused("it has no list of cells");
  for (const [i, cell] of found.cells.entries()) {
    const isCell = typeof cell === "object" && cell !== null &&
      ["code", "markdown", "raw"].includes(cell.cell_type) &&
      (typeof cell.source === "string" || Array.isArray(cell.source));
    if (!isCell) throw refused(`cell ${i + 1} is not one`);
  }
  return { ...found, metadata: found.metadata ?? {} } as Notebook;
}

/** A notebook as a file's text. */
export function formatNotebook(notebook: Notebook): string {
  const cells = notebook.cells.map((cell) => ({
    ...cell,
    source: linesOf(cell.source),
    ...cell.cell_type === "code" ? { outputs: (cell.outputs ?? []).map(storedOutput) } : {},
  }));
  return JSON.stringify(sorted({ ...notebook, cells }), null, 1) + "\n";
}

function storedOutput(output: CellOutput): unknown {
  if (output.output_type === "stream") return { ...output, text: linesOf(output.text) };
  if (output.output_type === "error") return output;
  const data = Object.entries(output.data).map(([type, value]) => [
    type,
    type.startsWith("text/") && isText(value) ? linesOf(value) : value,
  ]);
  return { ...output, data: Object.fromEntries(data) };
}

function isText(value: unknown): value is Lines {
  return typeof value === "string" || Array.isArray(value);
}

/** Lines with their ends. */
function linesOf(text: Lines): string[] {
  return wholeText(text).match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1);
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
