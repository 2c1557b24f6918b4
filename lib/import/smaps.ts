/**
 * `/proc/PID/smaps` as rows: what each mapping is, how much of it is resident, its VmFlags.
 *
 * @cite linux 6.1 fs/proc/task_mmu.c show_smap
 * @module
 */

/** One mapping of the text. */
export interface ProcSmapsRow {
  /** Line of its head, from 1. */
  readonly line: number;
  readonly start: number;
  readonly end: number;
  /** `rw-p`. */
  readonly permissions: string;
  /** Bytes. */
  readonly offset: number;
  /** Path or `[heap]`; empty for anonymous memory. */
  readonly name: string;
  /** Fields in KiB by name: `Rss`, `Private_Dirty` … */
  readonly kib: Readonly<Record<string, number>>;
  /** Letters: `rd wr mr mw me ac sd`. */
  readonly vmFlags: string;
}

const HEAD = /^([0-9a-f]+)-([0-9a-f]+) ([r-][w-][x-][ps]) ([0-9a-f]+) [0-9a-f]+:[0-9a-f]+ \d+ *(.*)$/;

/**
 * Reads the text.
 *
 * @throws {SyntaxError} for the first bad line, naming its number
 *
 * @example
 * ```ts
 * import { readSmaps } from "grantlab/import";
 * const [row] = readSmaps("1000-3000 rw-p 00000000 00:00 0\nRss:    8 kB\nVmFlags: rd wr mr mw me ac sd\n");
 * if (row?.kib.Rss !== 8 || row.end !== 0x3000) throw new Error();
 * ```
 */
export function readSmaps(text: string): ProcSmapsRow[] {
  const rows: ProcSmapsRow[] = [];
  let kib: Record<string, number> = {};
  text.split("\n").forEach((given, i) => {
    if (given.trim() === "") return;
    const line = i + 1;
    const head = HEAD.exec(given);
    if (head !== null) {
      const [, start, end, permissions, offset, name] = head;
      kib = {};
      rows.push({
        line,
        start: parseInt(start!, 16),
        end: parseInt(end!, 16),
        permissions: permissions!,
        offset: parseInt(offset!, 16),
        name: name!,
        kib,
        vmFlags: "",
      });
      return;
    }
    const last = rows.at(-1);
    const field = /^(\w+):\s+(.*?)\s*$/.exec(given);
    if (last === undefined || field === null) {
      throw new SyntaxError(
        `Cannot read line ${line} of smaps: "${given}" is neither a mapping nor a field of one`,
      );
    }
    const [, key, value] = field;
    const amount = /^(\d+) kB$/.exec(value!);
    if (key === "VmFlags") rows[rows.length - 1] = { ...last, vmFlags: value! };
    else if (amount !== null) kib[key!] = Number(amount[1]);
  });
  return rows;
}
