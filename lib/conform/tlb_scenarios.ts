/**
 * Replays sequences of table writes, invalidations and accesses. An answer is right when it is one of those that the
 * manual permits (`allowed`), given what may still be cached; a scenario passes if all its answers are, on every
 * preset of TLBs: none keeps what the manual says must go.
 *
 * @module
 */

import { type Maddr, maddrOf, type Mfn, mfnOf, splitVaddr } from "../core/frames.ts";
import {
  ACCESS_FETCH,
  ACCESS_READ,
  ACCESS_WRITE,
  AccessResult,
  OUTCOME_OK,
  OUTCOME_PAGE_FAULT,
} from "../x86/access.ts";
import { Cpu } from "../x86/cpu.ts";
import { indexAt } from "../x86/levels.ts";
import { translate } from "../x86/mmu.ts";
import { PhysMem } from "../x86/phys_mem.ts";
import { TLB_PRESETS, type TlbPresetName } from "../x86/tlb_presets.ts";
import { CR0_WP, CR4_LA57, CR4_PCIDE, CR4_PGE } from "../x86/registers.ts";
import {
  arrayField,
  numberField,
  oneOf,
  parseHex,
  parseHexNumber,
  stringField,
  stringsField,
} from "./fields.ts";
import { BadInput, type Format, numberedRows, type Row } from "./format.ts";

/** Layout of the recording: two address spaces, their tables one frame after the other. */
const TABLE_BASE = [0x2000_000, 0x2010_000] as const;
const PML4 = 0x1000, PDPT = 0x2000, PD = 0x3000, PT_A = 0x4000, PT_B = 0x5000;
const OPEN = 7n;
const SMALL_FRAME = 0x20000; // 4 KiB frame n reads as f0+n
const LARGE_FRAME = 0x30000; // 2 MiB frame n reads as b0+n
const OFFSET = { r: 0n, w: 8n, x: 0x10n } as const;
const ACCESS = { r: ACCESS_READ, w: ACCESS_WRITE, x: ACCESS_FETCH } as const;

/** The format. */
export const tlbScenarios: Format = {
  name: "tlb-scenarios",
  detect: (head) =>
    head.rows.length > 0 &&
    head.rows.every((row) => "engine" in row && Array.isArray(row.va) && Array.isArray(row.ops)),
  async replay(input, report) {
    const presets = Object.keys(TLB_PRESETS) as TlbPresetName[];
    const tallies = new Map(presets.map((preset) => [preset, { answers: 0, asObserved: 0, stale: 0 }]));
    const mem = new PhysMem(0x40000);
    for await (const { row, where } of numberedRows(input)) {
      const id = stringField(row, "id", where);
      const ops = arrayField(row, "ops", where);
      const wrong = presets.flatMap((preset) => {
        const scenario = new Scenario(mem, row, where, preset);
        const found = scenario.run(ops);
        const tally = tallies.get(preset)!;
        tally.answers += scenario.answers;
        tally.asObserved += scenario.asObserved;
        tally.stale += scenario.stale;
        return found === undefined ? [] : [{ ...found, where: `${found.where} (${preset})` }];
      });
      if (wrong.length === 0) report.pass();
      else report.fail(`${id} ${wrong[0]!.where}`, wrong[0]!.expected, wrong[0]!.got);
    }
    for (const [preset, { answers, asObserved, stale }] of tallies) {
      report.notes.push(
        `TLBs "${preset}": ${asObserved} of ${answers} answers are those that the recording emulator gave, ` +
          `${stale} are stale`,
      );
    }
  },
};

class Scenario {
  answers = 0;
  asObserved = 0;
  /** Answers that the tables alone would not give. */
  stale = 0;
  readonly #mem: PhysMem;
  readonly #cpu: Cpu;
  readonly #va: readonly bigint[];
  readonly #roots: readonly Mfn[];
  readonly #where: string;
  readonly #out = new AccessResult();
  #space = 0;

  constructor(mem: PhysMem, row: Row, where: string, preset: TlbPresetName) {
    this.#mem = mem;
    this.#where = where;
    const cr4 = parseHexNumber(stringField(row, "cr4", where), "cr4", where);
    const usesPcids = numberField(row, "pcid", where) === 1;
    const isFiveLevel = numberField(row, "la57", where) === 1;
    if (isFiveLevel !== ((cr4 & CR4_LA57) !== 0) || usesPcids !== ((cr4 & CR4_PCIDE) !== 0)) {
      throw new BadInput(where, 'the fields "la57" and "pcid" do not agree with "cr4"');
    }
    this.#va = stringsField(row, "va", where).map((va) => parseHex(va, "va", where));
    this.#roots = stringsField(row, "cr3", where).map((cr3) =>
      mfnOf(parseHexNumber(cr3, "cr3", where) as Maddr)
    );
    if (this.#va.length !== 4) throw new BadInput(where, 'the field "va" needs four addresses');
    if (this.#roots.length !== 2) throw new BadInput(where, 'the field "cr3" needs two tables');
    for (const base of TABLE_BASE) this.#layOutTables(base);
    this.#cpu = new Cpu({ tlb: preset, registers: { root: this.#roots[0]!, cr4 } });
  }

  /** Runs the operations; answers the first access whose outcome is not allowed. */
  run(ops: readonly unknown[]): { where: string; expected: string; got: string } | undefined {
    for (const [i, op] of ops.entries()) {
      if (typeof op === "string") {
        this.#operate(op);
        continue;
      }
      const { access, observed, fresh, allowed } = this.#parseAccess(op);
      const got = this.#access(access);
      this.answers++;
      if (got === observed) this.asObserved++;
      if (got !== fresh) this.stale++;
      if (!allowed.includes(got)) return { where: `op ${i} ${access}`, expected: allowed.join(" or "), got };
    }
    return undefined;
  }

  #parseAccess(
    op: unknown,
  ): { access: string; observed: string; fresh: unknown; allowed: readonly string[] } {
    if (Array.isArray(op) && typeof op[0] === "string" && typeof op[1] === "string" && Array.isArray(op[4])) {
      return { access: op[0], observed: op[1], fresh: op[3], allowed: op[4] };
    }
    throw new BadInput(
      this.#where,
      `${JSON.stringify(op)} is neither an operation nor an access with its outcomes`,
    );
  }

  #layOutTables(base: number): void {
    for (const table of [0, PML4, PDPT, PD, PT_A, PT_B]) this.#mem.clearFrame(mfnOf((base + table) as Maddr));
    const [v0, , v2] = this.#va;
    this.#write(base, 5, v0!, BigInt(base + PML4) | OPEN);
    this.#write(base + PML4, 4, v0!, BigInt(base + PDPT) | OPEN);
    this.#write(base + PDPT, 3, v0!, BigInt(base + PD) | OPEN);
    this.#write(base + PD, 2, v0!, BigInt(base + PT_A) | OPEN);
    this.#write(base + PD, 2, v2!, BigInt(base + PT_B) | OPEN);
  }

  #write(table: number, level: number, va: bigint, entry: bigint): void {
    const [hi, lo] = splitVaddr(va);
    this.#mem.write64(maddrOf(mfnOf(table as Maddr), indexAt(level, hi, lo) * 8), entry);
  }

  /** Where the leaf of each address lies. */
  #writeLeaf(space: number, v: number, entry: bigint): void {
    const base = TABLE_BASE[space]!;
    if (v === 3) this.#write(base + PD, 2, this.#va[3]!, entry);
    else this.#write(base + (v === 2 ? PT_B : PT_A), 1, this.#va[v]!, entry);
  }

  #operate(op: string): void {
    const [first = "", second = "", third = ""] = op.slice(1).split(":");
    const small = (text: string, limit: number): number => {
      const n = parseHexNumber(text, op, this.#where);
      if (n < limit) return n;
      throw new BadInput(this.#where, `operation "${op}": ${text} is not below ${limit}`);
    };
    const cpu = this.#cpu;
    switch (op[0]) {
      case "W":
        return this.#writeLeaf(small(first, 2), small(second, 4), parseHex(third, op, this.#where));
      case "N":
        return this.#write(
          TABLE_BASE[small(first, 2)]! + PD,
          2,
          this.#va[0]!,
          parseHex(second, op, this.#where),
        );
      case "I":
        return cpu.invlpg(...splitVaddr(this.#va[small(first, 4)]!));
      case "C":
        this.#space = small(first, 2);
        return this.#expectNoFault(
          op,
          cpu.writeCr3(this.#roots[this.#space]!, small(second, 0x1000), third === "1"),
        );
      case "G":
        this.#expectNoFault(op, cpu.writeCr4(cpu.cr4 & ~CR4_PGE));
        return this.#expectNoFault(op, cpu.writeCr4(cpu.cr4 | CR4_PGE));
      case "P":
        return this.#expectNoFault(
          op,
          cpu.writeCr0(small(first, 2) === 1 ? cpu.cr0 | CR0_WP : cpu.cr0 & ~CR0_WP),
        );
      case "J": {
        const [hi, lo] = splitVaddr(this.#va[small(third, 4)]!);
        return this.#expectNoFault(op, cpu.invpcid(small(first, 4), small(second, 0x1000), hi, lo));
      }
    }
    throw new BadInput(this.#where, `"${op}" is not an operation`);
  }

  #expectNoFault(op: string, fault: { readonly reason: string } | undefined): void {
    if (fault !== undefined) throw new BadInput(this.#where, `operation "${op}" raises #GP: ${fault.reason}`);
  }

  /** Makes the access `A<v>:<kind>:<cpl>`; answers `vector:error:frame`. */
  #access(text: string): string {
    const [v = "", kindText = "", cpl = ""] = text.slice(1).split(":");
    const kind = oneOf(kindText, ["r", "w", "x"], text, this.#where);
    const va = this.#va[parseHexNumber(v, text, this.#where)];
    if (va === undefined || !/^[03]$/.test(cpl)) {
      throw new BadInput(this.#where, `"${text}" is not an access`);
    }
    const out = this.#out;
    this.#cpu.cpl = Number(cpl);
    const [hi, lo] = splitVaddr(va + OFFSET[kind]);
    const outcome = translate(this.#cpu, this.#mem, hi, lo, ACCESS[kind], out);
    if (outcome === OUTCOME_PAGE_FAULT) return `e:${out.errorCode.toString(16)}:0`;
    if (outcome !== OUTCOME_OK) return `outcome ${outcome}`;
    return `80:0:${kind === "x" ? "0" : contentOf(out.frame)}`;
  }
}

/** What the byte at the start of a frame reads as. */
function contentOf(frame: number): string {
  const content = frame < LARGE_FRAME ? 0xf0 + (frame - SMALL_FRAME) : 0xb0 + (frame - LARGE_FRAME >> 9);
  return content.toString(16);
}
