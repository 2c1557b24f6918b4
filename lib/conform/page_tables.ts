/**
 * Replays page-table images: registers, table frames and every answer recorded for the machine they were taken from.
 * Units: the registers, the frames, each address of `gva2gpa.json`, each leaf of `ptes.json`, and the whole listing
 * `info-tlb.txt` (it passes only if every line equals a leaf that we find, in the same order, and no leaf is missing).
 *
 * An image holds every table frame, so the listing can be walked completely; frames beyond the recorded memory occur
 * only as pages. Addresses are translated by the walk, as a supervisor read that no right can deny, because QEMU's
 * monitor answers without looking at rights.
 *
 * @module
 */

import { joinHalves, splitVaddr } from "../core/frames.ts";
import { PAGE_SIZE } from "../core/geometry.ts";
import { hex } from "../core/show.ts";
import { ACCESS_PEEK, ACCESS_READ, AccessResult, OUTCOME_NO_MEMORY, OUTCOME_OK } from "../x86/access.ts";
import { Cpu } from "../x86/cpu.ts";
import { entryAt, type Leaf, leavesOf } from "../x86/leaves.ts";
import { _PAGE_PRESENT } from "../x86/pte.ts";
import { validateTables } from "../x86/validate.ts";
import { walk } from "../x86/walk.ts";
import { arrayField, numberField, stringField } from "./fields.ts";
import { BadInput, type Format, type Input, numberedLines, parseJson, type Row } from "./format.ts";
import { type PageTableImage, readImage, readRegisters } from "./page_table_image.ts";
import type { Report } from "./report.ts";

/** QEMU's TCG processors have 40-bit physical addresses. */
const MAX_PHY_ADDR = 40;

/** The format. */
export const pageTables: Format = {
  name: "page-tables",
  detect: (head) =>
    head.kind === "folder" &&
    ["registers.txt", "frames.json", "frames.bin"].every((name) => head.names.has(name)),
  async replay(input, report) {
    const image = await readImage(input);
    const registers = await readRegisters(input);
    for (const name of ["CR0", "CR3", "CR4", "EFER"]) {
      const [a, b] = [registers.get(name), image.control.get(name)];
      if (a !== b) throw new BadInput(input.path, `${name} differs between registers.txt and frames.json`);
    }
    const cpu = processorOf(image);
    report.compare("registers", `${image.levels} levels`, `${cpu.isCanonical(1 << 16) ? 5 : 4} levels`);
    compareFrames(image, report);
    if (input.head.names.has("gva2gpa.json")) await compareAddresses(input, image, cpu, report);
    if (input.head.names.has("ptes.json")) await compareEntries(input, image, report);
    if (input.head.names.has("info-tlb.txt")) await compareListing(input, image, report);
  },
};

/** The recorded processor, as a supervisor whom no right stops from reading. */
function processorOf(image: PageTableImage): Cpu {
  const low = (name: string): number => splitVaddr(image.control.get(name)!)[1];
  const registers = { cr0: low("CR0"), cr4: low("CR4"), efer: low("EFER"), root: image.root, cpl: 0, ac: 1 };
  return new Cpu({ maxPhyAddr: MAX_PHY_ADDR, registers });
}

/** Each recorded table is reached in its recorded role, and nothing is wrong with the tables. */
function compareFrames(image: PageTableImage, report: Report): void {
  const { mem, root, levels, tableLevel } = image;
  const violations = validateTables(mem, root, { levels, maxPhyAddr: MAX_PHY_ADDR }).filter((v) =>
    v.rule !== "page without memory"
  );
  const roles = new Map<number, number>([[root, levels]]);
  for (const [table, level] of roles) {
    if (level === 1) continue;
    for (const below of tablesIn(image, table, level)) {
      if (!roles.has(below)) roles.set(below, level - 1);
    }
  }
  const strangers = [...tableLevel].filter(([frame, level]) => level !== 0 && roles.get(frame) !== level);
  const missing = [...roles].filter(([frame]) => !tableLevel.has(frame));
  const problems = [
    ...strangers.map(([f, l]) =>
      `frame ${hex(f)} is recorded as level ${l}, reached as level ${roles.get(f) ?? "none"}`
    ),
    ...missing.map(([f]) => `table frame ${hex(f)} is not in the image`),
    ...violations.map((v) => v.text),
  ];
  report.compare("frames", "all tables in their roles", problems[0] ?? "all tables in their roles");
}

/** Frames of the tables that the present entries of a table point to. */
function tablesIn({ mem }: PageTableImage, table: number, level: number): number[] {
  const found: number[] = [];
  const slot = mem.slotOf(table);
  for (let index = 0; slot >= 0 && index < 512; index++) {
    const lo = mem.words[slot << 10 | index << 1]!;
    const hi = mem.words[slot << 10 | index << 1 | 1]!;
    if ((lo & _PAGE_PRESENT) === 0 || level <= 3 && (lo & 0x80) !== 0) continue;
    found.push((hi & 0xfffff) * 0x100000 + (lo >>> 12));
  }
  return found;
}

async function compareAddresses(
  input: Input,
  image: PageTableImage,
  cpu: Cpu,
  report: Report,
): Promise<void> {
  const out = new AccessResult();
  for (const { row, where } of await rowsOf(input, "gva2gpa.json")) {
    const va = addressField(row, "va", where)!;
    const [hi, lo] = splitVaddr(va);
    const outcome = walk(cpu, image.mem, hi, lo, ACCESS_READ | ACCESS_PEEK, out);
    // QEMU answers "unmapped" for a non-canonical address too.
    const got = outcome === OUTCOME_OK
      ? hex(out.frame * PAGE_SIZE + (lo & 0xfff))
      : outcome === OUTCOME_NO_MEMORY
      ? `no memory behind table frame ${hex(out.frame)}`
      : "unmapped";
    report.compare(`gva2gpa ${hex(va)}`, show(addressField(row, "gpa", where)), got);
  }
}

async function compareEntries(input: Input, image: PageTableImage, report: Report): Promise<void> {
  for (const { row, where } of await rowsOf(input, "ptes.json")) {
    const va = addressField(row, "va", where)!;
    const level = numberField(row, "level", where);
    const entry = addressField(row, "entry", where)!;
    const gpa = addressField(row, "gpa", where);
    const found = entryAt(image.mem, image.root, image.levels, va);
    report.compare(
      `ptes ${hex(va)}`,
      `level ${level} ${hex(entry)} to ${show(gpa)}`,
      found === undefined ? "a table without memory" : describe(found, va),
    );
  }
}

function describe(found: { level: number; lo: number; hi: number; va: bigint }, va: bigint): string {
  const raw = joinHalves(found.hi, found.lo);
  const isPresent = (found.lo & _PAGE_PRESENT) !== 0;
  const base = raw & 0x000f_ffff_ffff_f000n & ~(BigInt([0, 0xfff, 0x1fffff, 0x3fffffff][found.level] ?? 0));
  return `level ${found.level} ${hex(raw)} to ${isPresent ? hex(base + (va - found.va)) : "unmapped"}`;
}

async function compareListing(input: Input, image: PageTableImage, report: Report): Promise<void> {
  const leaves = leavesOf(image.mem, image.root, image.levels);
  let lines = 0;
  for await (const { text, where } of numberedLines(input, "info-tlb.txt")) {
    if (!/^[0-9a-f]{16}: [0-9a-f]{16} [-XGPDACTUW]{9}\s*$/.test(text)) {
      throw new BadInput(where, "the line is not an address, a physical address and nine flags");
    }
    const next = leaves.next();
    const got = next.done ? "no further leaf" : listingLine(next.value);
    lines++;
    if (got !== text.trimEnd()) return report.fail(`info-tlb line ${lines}`, text.trimEnd(), got);
  }
  const rest = leaves.next();
  if (rest.done) report.pass();
  else report.fail("info-tlb", `${lines} mappings`, `also ${listingLine(rest.value)}`);
}

/** A leaf as QEMU's monitor lists it. */
function listingLine({ va, lo, hi, frame, level }: Leaf): string {
  const flag = (isSet: boolean, letter: string): string => isSet ? letter : "-";
  const bit = (n: number): boolean => (lo >>> n & 1) !== 0;
  const flags = [
    flag(hi < 0, "X"),
    flag(bit(8), "G"),
    flag(level > 1, "P"),
    flag(bit(6), "D"),
    flag(bit(5), "A"),
    flag(bit(4), "C"),
    flag(bit(3), "T"),
    flag(bit(2), "U"),
    flag(bit(1), "W"),
  ];
  const hex16 = (n: bigint): string => n.toString(16).padStart(16, "0");
  return `${hex16(va)}: ${hex16(BigInt(frame) << 12n)} ${flags.join("")}`;
}

async function rowsOf(input: Input, name: string): Promise<{ row: Row; where: string }[]> {
  const path = `${input.path}/${name}`;
  const list = parseJson(new TextDecoder().decode(await input.bytes(name)), path);
  if (!Array.isArray(list)) throw new BadInput(path, "the file is not a JSON array");
  return arrayField({ list }, "list", path).map((row, i) => {
    const where = `${path}[${i}]`;
    if (typeof row !== "object" || row === null) {
      throw new BadInput(where, "the element is not a JSON object");
    }
    return { row: row as Row, where };
  });
}

/** An address written as `0x…`, or `undefined` for a `null` in the field `gpa`. */
function addressField(row: Row, name: string, where: string): bigint | undefined {
  if (name === "gpa" && row[name] === null) return undefined;
  const text = stringField(row, name, where);
  if (!/^0x[0-9a-f]{1,16}$/i.test(text)) {
    throw new BadInput(where, `the field "${name}" is "${text}", not an address`);
  }
  return BigInt(text);
}

function show(gpa: bigint | undefined): string {
  return gpa === undefined ? "unmapped" : hex(gpa);
}
