/**
 * Results of a sweep in a folder: files of lines, one line a run, each under its content key. Every process appends to
 * a file of its own, whole lines only, so processes need no lock, on one machine or on a shared file system; folders are
 * merged by copying files together.
 *
 * ```text
 * FOLDER/parts/<when>-<random>.jsonl    {"key": …, "rows": [ … ]}
 * FOLDER/rows.csv, .jsonl, .parquet     made from the parts, written whole and renamed
 * ```
 *
 * A line without its newline was cut off by a kill: it is not read, and no process ever appends after it.
 *
 * @module
 */

import type { ExperimentRow } from "../experiments/experiment.ts";

/** One run as a line. */
export interface StoredRun {
  readonly key: string;
  readonly rows: readonly ExperimentRow[];
}

/** A folder of results. */
export class ResultsFolder {
  readonly #parts: string;
  #own: Deno.FsFile | null = null;

  /** @param path made if it is not there */
  constructor(readonly path: string) {
    this.#parts = `${path}/parts`;
  }

  /** Lines of all runs that are here, by key; the first of equal keys counts. */
  async read(): Promise<Map<string, readonly ExperimentRow[]>> {
    const runs = new Map<string, readonly ExperimentRow[]>();
    for (const name of await this.#names()) {
      const text = await Deno.readTextFile(`${this.#parts}/${name}`);
      const lines = text.split("\n");
      lines.pop(); // nothing, or a line that was cut off
      lines.forEach((line, i) => {
        const { key, rows } = parseLine(line, `${this.#parts}/${name}`, i + 1);
        if (!runs.has(key)) runs.set(key, rows);
      });
    }
    return runs;
  }

  /** Appends whole lines, each with its newline, to this process's own file. */
  append(lines: string): void {
    let bytes = new TextEncoder().encode(lines);
    while (bytes.length > 0) bytes = bytes.subarray(this.#file().writeSync(bytes));
  }

  /** Writes a file of the folder, whole or not at all. */
  async write(name: string, content: string | Uint8Array): Promise<string> {
    const path = `${this.path}/${name}`;
    const part = `${path}.${uniqueName()}.part`;
    await Deno.mkdir(this.path, { recursive: true });
    if (typeof content === "string") await Deno.writeTextFile(part, content);
    else await Deno.writeFile(part, content);
    await Deno.rename(part, path);
    return path;
  }

  /** Lets go of this process's own file. */
  close(): void {
    this.#own?.close();
    this.#own = null;
  }

  #file(): Deno.FsFile {
    if (this.#own === null) {
      Deno.mkdirSync(this.#parts, { recursive: true });
      this.#own = Deno.openSync(`${this.#parts}/${uniqueName()}.jsonl`, { createNew: true, append: true });
    }
    return this.#own;
  }

  async #names(): Promise<string[]> {
    try {
      const names = (await Array.fromAsync(Deno.readDir(this.#parts))).map(({ name }) => name);
      return names.filter((name) => name.endsWith(".jsonl")).sort();
    } catch (e) {
      if (e instanceof Deno.errors.NotFound) return [];
      throw e;
    }
  }
}

/** A run as its line. */
export function lineOf(run: StoredRun): string {
  return JSON.stringify(run) + "\n";
}

function parseLine(line: string, file: string, number: number): StoredRun {
  try {
    const run = JSON.parse(line) as StoredRun;
    if (typeof run.key === "string" && Array.isArray(run.rows)) return run;
  } catch {
    // Said below.
  }
  throw new RangeError(`Cannot read line ${number} of ${file}: it is no result of a sweep`);
}

function uniqueName(): string {
  return `${new Date().toISOString().replaceAll(/[:.]/g, "-")}-${crypto.randomUUID().slice(0, 8)}`;
}
