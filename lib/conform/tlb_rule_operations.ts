/**
 * The operations and behaviours that the table of TLB rules names, performed on our processor.
 *
 * @module
 */

import { mfn, splitVaddr } from "../core/frames.ts";
import { Cpu } from "../x86/cpu.ts";
import type { GeneralProtection } from "../x86/fault.ts";
import { Mmu } from "../x86/mmu.ts";
import { PageTable } from "../x86/page_table.ts";
import { PhysMem } from "../x86/phys_mem.ts";
import { _PAGE_GLOBAL, _PAGE_PRESENT, _PAGE_RW, _PAGE_USER } from "../x86/pte.ts";
import { CR0_PG, CR0_WP, CR4_PAE, CR4_PCIDE, CR4_PGE, CR4_SMEP } from "../x86/registers.ts";

/**
 * Which pages are still cached, by class of entry: the one the operation names, and one elsewhere. The classes of
 * paging structures say for which page a walk would start from a paging-structure cache.
 */
export type CachedPages = Readonly<
  Record<
    "global" | "current" | "other" | "structuresOfCurrent" | "structuresOfOther",
    readonly ("page" | "elsewhere")[]
  >
>;

const CURRENT = 1;
const OTHER = 2;
const PAGE = 0x5000;
/** In another 512 GiB, so that no paging-structure entry serves both pages. */
const ELSEWHERE = 0x80_0000_9000;
const GLOBAL = 0x40_0000;

/** The addresses of each class; a class has its own so that one entry cannot hide another. */
const PLACES = { page: PAGE, elsewhere: ELSEWHERE } as const;

interface Bench {
  readonly cpu: Cpu;
  readonly mmu: Mmu;
  readonly tables: PageTable;
}

/** A processor with the six pages cached: global ones, and the same two addresses in the current and another PCID. */
function bench(usesPcids: boolean): Bench {
  const mem = new PhysMem(0x2000);
  let free = 1;
  const tables = new PageTable(mem, { allocate: () => mfn(free++) });
  const flags = _PAGE_PRESENT | _PAGE_RW | _PAGE_USER;
  tables.map(PAGE, mfn(0x100), { flags });
  tables.map(ELSEWHERE, mfn(0x101), { flags });
  tables.map(GLOBAL + PAGE, mfn(0x102), { flags: flags | _PAGE_GLOBAL });
  tables.map(GLOBAL + ELSEWHERE, mfn(0x103), { flags: flags | _PAGE_GLOBAL });
  const cr4 = CR4_PAE | CR4_PGE | (usesPcids ? CR4_PCIDE : 0);
  const cpu = new Cpu({ tlb: "architectural", registers: { root: tables.root, cr4 } });
  const mmu = new Mmu(cpu, mem);
  const pcids = usesPcids ? [OTHER, CURRENT] : [0];
  for (const pcid of pcids) {
    cpu.writeCr3(tables.root, pcid);
    for (const va of Object.values(PLACES)) {
      mmu.access(va, "read");
      mmu.access(GLOBAL + va, "read");
    }
  }
  return { cpu, mmu, tables };
}

function cached({ cpu }: Bench, pcids: readonly [current: number, other: number]): CachedPages {
  const names = ["page", "elsewhere"] as const;
  const inPcid = (pcid: number, base: number): ("page" | "elsewhere")[] =>
    names.filter((name) => cpu.tlb.holds(...splitVaddr(base + PLACES[name]), pcid));
  const structuresOf = (pcid: number): ("page" | "elsewhere")[] =>
    names.filter((name) => cpu.tlb.holdsStructure(...splitVaddr(PLACES[name]), pcid));
  const [current, other] = pcids;
  return {
    global: inPcid(current, GLOBAL),
    current: inPcid(current, 0),
    other: inPcid(other, 0),
    structuresOfCurrent: structuresOf(current),
    structuresOfOther: structuresOf(other),
  };
}

/** Runs `act` on a fresh bench and answers what is still cached. */
function after(
  act: (b: Bench) => GeneralProtection | undefined | void,
  { usesPcids = true, pcids = [CURRENT, OTHER] as readonly [number, number] } = {},
): CachedPages {
  const b = bench(usesPcids);
  const fault = act(b);
  if (fault) throw new Error(`the operation raised #GP: ${fault.reason}`);
  return cached(b, pcids);
}

/** Union of what is left after two variants of an operation, so that a rule has to hold for both. */
function either(a: CachedPages, b: CachedPages): CachedPages {
  return {
    global: [...a.global, ...b.global],
    current: [...a.current, ...b.current],
    other: [...a.other, ...b.other],
    structuresOfCurrent: [...a.structuresOfCurrent, ...b.structuresOfCurrent],
    structuresOfOther: [...a.structuresOfOther, ...b.structuresOfOther],
  };
}

const without = { usesPcids: false, pcids: [0, OTHER] as const };
const fromOther = { pcids: [OTHER, CURRENT] as const };

const OPERATIONS: Readonly<Record<string, (condition: string) => (() => CachedPages) | undefined>> = {
  "INVLPG va": () => () => {
    const local = after(({ cpu }) => cpu.invlpg(0, PAGE));
    const global = after(({ cpu }) => cpu.invlpg(0, GLOBAL + PAGE));
    return { ...local, global: global.global };
  },
  "MOV to CR3": (condition) => {
    if (condition === "CR4.PCIDE=0") {
      return () => after(({ cpu, tables }) => cpu.writeCr3(tables.root), without);
    }
    // The PCID being loaded becomes the current one; the one left is then another.
    if (condition === "CR4.PCIDE=1 and bit63=0") {
      return () =>
        either(
          after(({ cpu, tables }) => cpu.writeCr3(tables.root, CURRENT)),
          after(({ cpu, tables }) => cpu.writeCr3(tables.root, OTHER), fromOther),
        );
    }
    if (condition === "CR4.PCIDE=1 and bit63=1") {
      return () => after(({ cpu, tables }) => cpu.writeCr3(tables.root, CURRENT, true));
    }
    return undefined;
  },
  "MOV to CR4": (condition) => {
    if (condition === "change of PGE") return () => after(({ cpu }) => cpu.writeCr4(cpu.cr4 ^ CR4_PGE));
    if (condition === "PCIDE 1 -> 0") return () => after(({ cpu }) => cpu.writeCr4(cpu.cr4 & ~CR4_PCIDE));
    // PAE cannot change in IA-32e mode.
    if (condition.includes("SMEP 0 -> 1")) return () => after(({ cpu }) => cpu.writeCr4(cpu.cr4 | CR4_SMEP));
    return undefined;
  },
  "MOV to CR0": (condition) => {
    if (condition === "PG 1 -> 0") {
      // With PCIDE = 1 clearing PG is #GP, so the rule is about a processor without PCIDs.
      return () => after(({ cpu }) => cpu.writeCr0(cpu.cr0 & ~CR0_PG), without);
    }
    if (condition === "change of WP only") return () => after(({ cpu }) => cpu.writeCr0(cpu.cr0 ^ CR0_WP));
    return undefined;
  },
  "INVPCID 0 (pcid;va)": () => () => either(invpcid(0, CURRENT), invpcid(0, OTHER)),
  "INVPCID 1 (pcid)": () => () => either(invpcid(1, CURRENT), invpcid(1, OTHER)),
  "INVPCID 2": () => () => invpcid(2, 0),
  "INVPCID 3": () => () => invpcid(3, 0),
  "page fault": () => () =>
    after(({ mmu, tables }) => {
      tables.unmap(PAGE);
      mmu.access(PAGE, "write"); // cached with D = 0, so the walk is repeated and finds P = 0
    }),
};

/** What is left of the named PCID counts as "current" or "other", whichever it is; the rest need not go. */
function invpcid(type: number, pcid: number): CachedPages {
  const left = after(({ cpu }) => cpu.invpcid(type, pcid, 0, PAGE));
  if (type > 1) return left;
  // The table speaks of "the named PCID" in the columns of both; a structure cache of the other may stay.
  return pcid === CURRENT ? { ...left, other: [] } : {
    ...left,
    current: [],
    structuresOfCurrent: left.structuresOfOther,
    structuresOfOther: left.structuresOfCurrent,
  };
}

/** The operation that a row names; `undefined` if we know none. */
export function operationOf(op: string, condition: string): (() => CachedPages) | undefined {
  return Object.hasOwn(OPERATIONS, op) ? OPERATIONS[op]!(condition) : undefined;
}

/** Rules that are a behaviour and name no class of entries: each answers what is wrong, or nothing. */
const BEHAVIOURS: Readonly<Record<string, () => string | undefined>> = {
  "INVPCID type>3": () => {
    const { cpu } = bench(true);
    return cpu.invpcid(4, 0, 0, 0)?.kind === "#GP" ? undefined : "no #GP";
  },
  "access needing D while cached D=0": () => {
    const { cpu, mmu, tables } = bench(true);
    if ((tables.lookup(PAGE)!.lo & 0x40) !== 0) return "D set by a read";
    if (mmu.access(PAGE, "write").kind !== "ok") return "the write faults";
    if ((tables.lookup(PAGE)!.lo & 0x40) === 0) return "D not set in memory";
    return cpu.tlb.entries().some((e) => e.va === BigInt(PAGE) && e.pcid === CURRENT && !e.dirty)
      ? "the new entry is not used"
      : undefined;
  },
  "not present (P=0) or reserved-bit entry": () => {
    const { cpu, mmu, tables } = bench(true);
    const absent = ELSEWHERE + 0x1000;
    if (mmu.access(absent, "read").kind !== "#PF") return "an absent page does not fault";
    if (cpu.tlb.holds(...splitVaddr(absent), CURRENT)) return "an absent page is cached";
    tables.map(absent, mfn(0x104));
    if (mmu.access(absent, "read").kind !== "ok") return "P 0 to 1 needs an invalidation";
    return reservedIsNeverCached();
  },
};

function reservedIsNeverCached(): string | undefined {
  const { cpu, mmu, tables } = bench(true);
  const large = 0x4000_0000;
  tables.map(large, mfn(0x200), { size: "2M" });
  const { at, lo } = tables.lookup(large)!;
  mmu.mem.write32(at, lo | 1 << 13); // bits 20:13 of a 2 MiB leaf are reserved
  if (mmu.access(large, "read").kind !== "#PF") return "a reserved bit does not fault";
  return cpu.tlb.holds(0, large, CURRENT) ? "an entry with a reserved bit is cached" : undefined;
}

/** The behaviour that a row names; `undefined` if it names an operation. */
export function behaviourOf(op: string): (() => string | undefined) | undefined {
  return Object.hasOwn(BEHAVIOURS, op) ? BEHAVIOURS[op] : undefined;
}
