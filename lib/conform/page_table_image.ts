/**
 * Reading a page-table image: which frames it holds, their content, and the control registers.
 *
 * @module
 */

import type { Mfn } from "../core/frames.ts";
import { PAGE_SIZE } from "../core/geometry.ts";
import { PhysMem, WORDS_PER_FRAME } from "../x86/phys_mem.ts";
import { arrayField, numberField, stringField } from "./fields.ts";
import { BadInput, type Input, numberedLines, parseRow, type Row } from "./format.ts";

/** An image in memory. */
export interface PageTableImage {
  readonly mem: PhysMem;
  readonly root: Mfn;
  readonly levels: 4 | 5;
  /** CR0, CR3, CR4, EFER. */
  readonly control: ReadonlyMap<string, bigint>;
  /** Recorded level of each frame, 0 for data. */
  readonly tableLevel: ReadonlyMap<number, number>;
}

/** Reads `frames.json` and `frames.bin`. @throws {BadInput} if they are malformed or do not fit each other */
export async function readImage(input: Input): Promise<PageTableImage> {
  const where = `${input.path}/frames.json`;
  const index = parseRow(new TextDecoder().decode(await input.bytes("frames.json")), where);
  const levels = numberField(index, "levels", where);
  if (levels !== 4 && levels !== 5) throw new BadInput(where, `the field "levels" is ${levels}, not 4 or 5`);
  const cr = recordOf(index.cr, where, "cr");
  const control = new Map(
    ["CR0", "CR3", "CR4", "EFER"].map((n) => [n, word(stringField(cr, n, where), where)]),
  );

  const mem = new PhysMem(framesOf(numberField(index, "memory_bytes", where), where));
  const content = await input.bytes("frames.bin");
  const frames = arrayField(index, "frames", where);
  if (content.length !== frames.length * PAGE_SIZE) {
    throw new BadInput(
      `${input.path}/frames.bin`,
      `it holds ${content.length} bytes, but frames.json lists ${frames.length} frames of ${PAGE_SIZE}`,
    );
  }
  const tableLevel = new Map<number, number>();
  const words = new DataView(content.buffer, content.byteOffset, content.byteLength);
  frames.forEach((value, i) => {
    const row = recordOf(value, where, `frames[${i}]`);
    const frame = Number(word(stringField(row, "pa", where), where)) / PAGE_SIZE;
    if (!Number.isInteger(frame) || !mem.isBacked(frame)) {
      throw new BadInput(where, `frames[${i}] is no frame of the ${mem.nrFrames} of this machine`);
    }
    tableLevel.set(frame, numberField(row, "table_level", where));
    const slot = mem.makeSlot(frame);
    for (let word = 0; word < WORDS_PER_FRAME; word++) {
      mem.words[slot * WORDS_PER_FRAME + word] = words.getInt32(i * PAGE_SIZE + word * 4, true);
    }
  });
  const root = Number(control.get("CR3")! >> 12n) as Mfn;
  return { mem, root, levels, control, tableLevel };
}

/** Reads the control registers out of `registers.txt`. @throws {BadInput} if one is missing */
export async function readRegisters(input: Input): Promise<ReadonlyMap<string, bigint>> {
  const registers = new Map<string, bigint>();
  for await (const { text } of numberedLines(input, "registers.txt")) {
    for (const [, name, value] of text.matchAll(/\b(CR[0-4]|EFER)=([0-9a-f]+)/g)) {
      registers.set(name!, BigInt(`0x${value}`));
    }
  }
  for (const name of ["CR0", "CR3", "CR4", "EFER"]) {
    if (!registers.has(name)) throw new BadInput(`${input.path}/registers.txt`, `${name} is missing`);
  }
  return registers;
}

function recordOf(value: unknown, where: string, name: string): Row {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Row;
  throw new BadInput(where, `"${name}" is not a JSON object`);
}

function word(text: string, where: string): bigint {
  if (/^0x[0-9a-f]{1,16}$/i.test(text)) return BigInt(text);
  throw new BadInput(where, `"${text}" is not a hexadecimal number of at most 64 bits`);
}

function framesOf(bytes: number, where: string): number {
  const frames = bytes / PAGE_SIZE;
  if (Number.isInteger(frames) && frames >= 1 && frames <= 2 ** 31 - 1) return frames;
  throw new BadInput(where, `the field "memory_bytes" is ${bytes}, not a whole number of frames up to 8 TiB`);
}
