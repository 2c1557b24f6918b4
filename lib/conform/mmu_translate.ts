/**
 * Replays translation outcomes, one access a row: the tables are laid out as recorded, the access is made on a
 * processor with an empty TLB, and outcome, error code, physical address and accessed/dirty bits are compared.
 * Rows that rest on a reading of the manual alone (`--s`) are advisory.
 *
 * @module
 */

import { type Maddr, type Mfn, splitVaddr } from "../core/frames.ts";
import { PAGE_SIZE } from "../core/geometry.ts";
import {
  ACCESS_FETCH,
  ACCESS_IMPLICIT,
  ACCESS_READ,
  ACCESS_WRITE,
  AccessResult,
  OUTCOME_GENERAL_PROTECTION,
  OUTCOME_NO_MEMORY,
  OUTCOME_OK,
} from "../x86/access.ts";
import { Cpu } from "../x86/cpu.ts";
import { indexAt } from "../x86/levels.ts";
import { translate } from "../x86/mmu.ts";
import { PhysMem } from "../x86/phys_mem.ts";
import { CR0_PE, CR0_PG, CR0_WP, CR4_LA57, EFER_LMA, EFER_LME, EFER_NXE } from "../x86/registers.ts";
import { oneOf, parseHex, parseHexNumber } from "./fields.ts";
import { BadInput, type Format, numberedLines } from "./format.ts";

const COLUMNS = "id,grp,kind,cpl,wp,cr4,nxe,ac,pkru,pkrs,va,cr3,entries,out,err,pa,set,src,note".split(",");
const MAX_PHY_ADDR = 40;
const TABLE_ADDRESS = 0x000f_ffff_ffff_f000n;
const ACCESSED = 1n << 5n;
const DIRTY = 1n << 6n;

const ACCESS = { r: ACCESS_READ, w: ACCESS_WRITE, x: ACCESS_FETCH, i: ACCESS_IMPLICIT } as const;

/** One parsed row. */
interface TranslateRow {
  readonly id: string;
  readonly access: number;
  readonly va: bigint;
  readonly entries: readonly bigint[];
  readonly expected: string;
  /** `A`, `D`, `B` or `.` per entry. */
  readonly set: string;
  readonly isFault: boolean;
  readonly isAdvisory: boolean;
  readonly registers: NonNullable<Parameters<Cpu["load"]>[0]>;
}

/** The format. */
export const mmuTranslate: Format = {
  name: "mmu-translate",
  detect: (head) => head.lines[0] === COLUMNS.join(","),
  async replay(input, report) {
    const machine = new Machine();
    let isHeader = true;
    for await (const { text, where } of numberedLines(input)) {
      if (isHeader) {
        isHeader = false;
        continue;
      }
      const row = parse(text, where);
      if (row.isAdvisory) report.advise();
      else {
        const { expected, got } = machine.replay(row);
        report.compare(row.id, expected, got);
      }
    }
  },
};

function parse(text: string, where: string): TranslateRow {
  const cells = text.split(",");
  if (cells.length !== COLUMNS.length) {
    throw new BadInput(where, `the row has ${cells.length} columns, not ${COLUMNS.length}`);
  }
  const cell = (name: string): string => cells[COLUMNS.indexOf(name)]!;
  const num = (name: string): number => parseHexNumber(cell(name), name, where);
  const bit = (name: string): number => Number(oneOf(cell(name), ["0", "1"], name, where));
  const access = ACCESS[oneOf(cell("kind"), ["r", "w", "x", "i"], "kind", where)];
  const outcome = oneOf(cell("out"), ["ok", "pf", "gp"], "out", where);
  const entries = cell("entries").split(";").map((e) => parseHex(e, "entries", where));
  const cr4 = num("cr4");
  const most = (cr4 & CR4_LA57) !== 0 ? 5 : 4;
  if (entries.length > most) {
    throw new BadInput(where, `the row has ${entries.length} entries, at most ${most} fit`);
  }
  const set = cell("set");
  if (set.length !== entries.length || !/^[.ADB]*$/.test(set)) {
    throw new BadInput(
      where,
      `the field "set" is "${set}", not one of . A D B for each of ${entries.length} entries`,
    );
  }
  return {
    id: cell("id"),
    access,
    va: parseHex(cell("va"), "va", where),
    entries,
    expected: outcome === "ok"
      ? `ok pa ${num("pa").toString(16)}`
      : outcome === "pf"
      ? `pf ${num("err").toString(16)}`
      : "gp",
    set,
    isFault: outcome !== "ok",
    isAdvisory: cell("src") === "--s",
    registers: {
      cr0: CR0_PG | CR0_PE | (bit("wp") === 1 ? CR0_WP : 0),
      root: frame(cell("cr3"), num("cr3"), where),
      cr4,
      efer: EFER_LME | EFER_LMA | (bit("nxe") === 1 ? EFER_NXE : 0),
      cpl: Number(oneOf(cell("cpl"), ["0", "1", "2", "3"], "cpl", where)),
      ac: bit("ac"),
      pkru: num("pkru"),
      pkrs: num("pkrs"),
    },
  };
}

function frame(text: string, address: number, where: string): Mfn {
  if (address % PAGE_SIZE === 0 && address < 2 ** MAX_PHY_ADDR) return address / PAGE_SIZE as Mfn;
  throw new BadInput(where, `the field "cr3" is "${text}", not the address of a frame`);
}

/** A processor and a memory as wide as its addresses, used for row after row. */
class Machine {
  readonly #mem = new PhysMem(2 ** (MAX_PHY_ADDR - 12));
  readonly #cpu = new Cpu({ maxPhyAddr: MAX_PHY_ADDR, tlb: { sets: 1, ways: 4 } });
  readonly #out = new AccessResult();

  replay(row: TranslateRow): { expected: string; got: string } {
    const mem = this.#mem;
    const [hi, lo] = splitVaddr(row.va);
    const at = this.#layOut(row, hi, lo);
    this.#cpu.load(row.registers);
    const outcome = translate(this.#cpu, mem, hi, lo, row.access, this.#out);
    const after = row.entries.map((before, i) => at[i]! < 0 ? before : mem.read64(at[i] as Maddr));
    const answer = this.#describe(outcome, lo);
    for (const address of at) if (address >= 0) mem.clearFrame(Math.floor(address / PAGE_SIZE) as Mfn);
    const set = row.entries.map((before, i) => bitsSet(before, after[i]!)).join("");
    // For a fault `set` is what the walk may have set at most.
    const isSetRight = row.isFault ? isWithin(set, row.set) : set === row.set;
    const bound = row.isFault ? "at most " : "";
    return {
      expected: `${row.expected}, set ${isSetRight ? set : bound + row.set}`,
      got: `${answer}, set ${set}`,
    };
  }

  /** Writes the entries; answers their addresses, -1 for one beyond the physical addresses, which no walk reaches. */
  #layOut(row: TranslateRow, hi: number, lo: number): number[] {
    const top = (row.registers.cr4! & CR4_LA57) !== 0 ? 5 : 4;
    let table = row.registers.root! * PAGE_SIZE;
    return row.entries.map((entry, i) => {
      const at = table + indexAt(top - i, hi, lo) * 8;
      table = Number(entry & TABLE_ADDRESS);
      if (at >= 2 ** MAX_PHY_ADDR) return -1;
      this.#mem.write64(at as Maddr, entry);
      return at;
    });
  }

  #describe(outcome: number, lo: number): string {
    const out = this.#out;
    if (outcome === OUTCOME_OK) return `ok pa ${(out.frame * PAGE_SIZE + (lo & 0xfff)).toString(16)}`;
    if (outcome === OUTCOME_GENERAL_PROTECTION) return "gp";
    if (outcome === OUTCOME_NO_MEMORY) return `no memory behind table frame ${out.frame.toString(16)}`;
    return `pf ${out.errorCode.toString(16)}`;
  }
}

function bitsSet(before: bigint, after: bigint): string {
  const changed = before ^ after;
  if (changed === 0n) return ".";
  if (changed === ACCESSED) return "A";
  if (changed === DIRTY) return "D";
  if (changed === (ACCESSED | DIRTY)) return "B";
  return "?";
}

function isWithin(set: string, bound: string): boolean {
  return [...set].every((c, i) => c === "." || c === bound[i] || bound[i] === "B" && c !== "?");
}
