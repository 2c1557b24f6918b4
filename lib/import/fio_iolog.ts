/**
 * fio's log of what it did (`write_iolog`), as requests. Versions 2 and 3: version 3 has a time in front of each line.
 *
 * ```text
 * fio version 2 iolog            fio version 3 iolog
 * /dev/xvda add                  0 /dev/xvda add
 * /dev/xvda open                 0 /dev/xvda open
 * /dev/xvda read 4096 8192       12 /dev/xvda read 4096 8192      offset and length in bytes, time in milliseconds
 * wait 1000                                                       version 2 only: a pause in microseconds
 * ```
 *
 * Left out: actions on files other than reads, writes, syncs and trims are noted as nothing. Read bytes before a block of
 * 512 are not: such a line is refused.
 *
 * @module
 */

/** One request of a recording. */
export interface RecordedIo {
  /** Milliseconds from the start. */
  readonly atMs: number;
  readonly operation: "read" | "write" | "flush" | "discard";
  /** Of 512 bytes. */
  readonly sector: number;
  readonly nrSectors: number;
}

const ACTIONS: Readonly<Record<string, RecordedIo["operation"] | null>> = {
  read: "read",
  write: "write",
  sync: "flush",
  datasync: "flush",
  trim: "discard",
  add: null,
  open: null,
  close: null,
};

/**
 * Reads the text.
 *
 * @throws {SyntaxError} for the first bad line, naming its number
 *
 * @example
 * ```ts
 * import { readFioIolog } from "grantlab/import";
 * const ios = readFioIolog("fio version 2 iolog\n/dev/xvda add\n/dev/xvda read 4096 8192\n");
 * if (ios[0]?.sector !== 8 || ios[0].nrSectors !== 16) throw new Error();
 * ```
 */
export function readFioIolog(text: string): RecordedIo[] {
  const lines = text.split("\n").map((line) => line.trim());
  const version = Number(/^fio version ([23]) iolog$/.exec(lines[0] ?? "")?.[1] ?? 0);
  if (version === 0) {
    throw new SyntaxError(
      `Cannot read line 1 of an iolog: "${
        lines[0] ?? ""
      }" is not "fio version 2 iolog" or "fio version 3 iolog"`,
    );
  }
  const ios: RecordedIo[] = [];
  let nowMs = 0;
  lines.forEach((line, i) => {
    if (i === 0 || line === "") return;
    const fields = line.split(/\s+/);
    if (version === 3) {
      const time = Number(fields.shift());
      if (!(time >= nowMs)) throw bad(i, line, "begins with no time, or one before that of the line above");
      nowMs = time;
    } else if (fields[0] === "wait") {
      const us = Number(fields[1]);
      if (!(us >= 0)) throw bad(i, line, "waits for no number of microseconds");
      nowMs += us / 1000;
      return;
    }
    const [, action = "", offset = "0", length = "0"] = fields;
    if (!Object.hasOwn(ACTIONS, action)) throw bad(i, line, `"${action}" is no action of fio`);
    const operation = ACTIONS[action];
    if (operation === null || operation === undefined) return;
    const [sector, nrSectors] = operation === "flush" ? [0, 0] : [Number(offset) / 512, Number(length) / 512];
    if (!Number.isInteger(sector) || !Number.isInteger(nrSectors) || sector < 0) {
      throw bad(i, line, "offset and length must be whole sectors of 512 bytes");
    }
    if (operation !== "flush" && nrSectors < 1) throw bad(i, line, "it has no length");
    ios.push({ atMs: nowMs, operation, sector, nrSectors });
  });
  return ios;
}

function bad(i: number, line: string, why: string): SyntaxError {
  return new SyntaxError(`Cannot read line ${i + 1} of an iolog: "${line}": ${why}`);
}
