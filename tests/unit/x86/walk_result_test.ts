/**
 * What a walk leaves behind beside its outcome: rights, level, counts, and what paging-structure caches keep of it.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { maddrOf, mfn, splitVaddr } from "../../../lib/core/frames.ts";
import {
  ACCESS_FETCH,
  ACCESS_PEEK,
  ACCESS_READ,
  ACCESS_WRITE,
  AccessResult,
  OUTCOME_NO_MEMORY,
  OUTCOME_OK,
  OUTCOME_PAGE_FAULT,
} from "../../../lib/x86/access.ts";
import { Cpu } from "../../../lib/x86/cpu.ts";
import { indexAt } from "../../../lib/x86/levels.ts";
import { PhysMem } from "../../../lib/x86/phys_mem.ts";
import { CR0_PE, CR4_LA57, CR4_PAE, CR4_PGE } from "../../../lib/x86/registers.ts";
import { walk } from "../../../lib/x86/walk.ts";

const VA = 0xffff_8123_4567_8000n;
const NX = 1n << 63n;
const PGE = { cr4: CR4_PAE | CR4_PGE };

/** Tables in frames 1, 2, 3 … from the top; the last entry is the leaf. */
function memoryOf(entries: readonly bigint[]): PhysMem {
  const mem = new PhysMem(2 ** 30);
  const [hi, lo] = splitVaddr(VA);
  entries.forEach((entry, i) => mem.write64(maddrOf(mfn(i + 1), indexAt(4 - i, hi, lo) * 8), entry));
  return mem;
}

function go(cpu: Cpu, mem: PhysMem, access: number, va = VA): AccessResult {
  const out = new AccessResult();
  // As a translation from a TLB left it.
  out.isFromTlb = true;
  const [hi, lo] = splitVaddr(va);
  walk(cpu, mem, hi, lo, access, out);
  return out;
}

Deno.test("walk() answers the rights of a translation and what its leaf says", () => {
  // Rights, packed: bit 1 writable, 2 user, 3 PWT, 4 PCD, 6 dirty, 7 PAT, 8 global, 9 NX, 10 and 11 level, 12 to 15 key.
  const table: [
    rule: string,
    entries: bigint[],
    access: number,
    registers: typeof PGE | undefined,
    rights: number,
  ][] = [
    ["control: read, 4 KiB", [0x2007n, 0x3007n, 0x4007n, 0x55007n], ACCESS_READ, PGE, 0x406],
    ["write makes it dirty", [0x2007n, 0x3007n, 0x4007n, 0x55007n], ACCESS_WRITE, PGE, 0x446],
    ["fetch does not", [0x2007n, 0x3007n, 0x4007n, 0x55007n], ACCESS_FETCH, PGE, 0x406],
    ["dirty before", [0x2007n, 0x3007n, 0x4007n, 0x55047n], ACCESS_READ, PGE, 0x446],
    ["a read denied keeps the rights", [0x2005n, 0x3007n, 0x4007n, 0x55007n], ACCESS_WRITE, PGE, 0x404],
    ["PWT and PCD of the leaf alone", [0x201fn, 0x301fn, 0x401fn, 0x5500fn], ACCESS_READ, PGE, 0x40e],
    ["global", [0x2007n, 0x3007n, 0x4007n, 0x55107n], ACCESS_READ, PGE, 0x506],
    ["global while CR4.PGE = 0", [0x2007n, 0x3007n, 0x4007n, 0x55107n], ACCESS_READ, { cr4: CR4_PAE }, 0x406],
    ["NX above", [0x2007n, 0x3007n | NX, 0x4007n, 0x55007n], ACCESS_READ, PGE, 0x606],
    ["key 5", [0x2007n, 0x3007n, 0x4007n, 0x55007n | 5n << 59n], ACCESS_READ, PGE, 0x5406],
    ["PAT of a 4 KiB page is bit 7", [0x2007n, 0x3007n, 0x4007n, 0x55087n], ACCESS_READ, PGE, 0x486],
    ["PAT of a 2 MiB page is bit 12", [0x2007n, 0x3007n, 0x60_1087n], ACCESS_READ, PGE, 0x886],
    ["bit 7 of a 2 MiB page is its size", [0x2007n, 0x3007n, 0x60_0087n], ACCESS_READ, PGE, 0x806],
    ["PAT of a 1 GiB page is bit 12", [0x2007n, 0x4000_1087n], ACCESS_READ, PGE, 0xc86],
  ];
  for (const [rule, entries, access, registers, rights] of table) {
    const cpu = new Cpu({ registers: { root: mfn(1), cpl: 3, ...registers } });
    const out = go(cpu, memoryOf(entries), access);
    assertEquals([out.rights, out.isFromTlb], [rights, false], rule);
  }
});

Deno.test("walk() counts the entries that it read and those that it changed, however it ends", () => {
  // deno-fmt-ignore
  const table: [rule: string, entries: bigint[], access: number, outcome: number, level: number, steps: number, updates: number][] = [
    ["control: nothing accessed before", [0x2007n, 0x3007n, 0x4007n, 0x55007n], ACCESS_READ, OUTCOME_OK, 1, 4, 4],
    ["tables accessed before", [0x2027n, 0x3027n, 0x4027n, 0x55007n], ACCESS_READ, OUTCOME_OK, 1, 4, 1],
    ["all accessed before", [0x2027n, 0x3027n, 0x4027n, 0x55027n], ACCESS_READ, OUTCOME_OK, 1, 4, 0],
    ["accessed before, written", [0x2027n, 0x3027n, 0x4027n, 0x55027n], ACCESS_WRITE, OUTCOME_OK, 1, 4, 1],
    ["accessed and dirty before, written", [0x2027n, 0x3027n, 0x4027n, 0x55067n], ACCESS_WRITE, OUTCOME_OK, 1, 4, 0],
    ["a peek changes nothing", [0x2007n, 0x3007n, 0x4007n, 0x55007n], ACCESS_READ | ACCESS_PEEK, OUTCOME_OK, 1, 4, 0],
    ["a fault at level 3", [0x2007n, 0x3006n], ACCESS_READ, OUTCOME_PAGE_FAULT, 3, 2, 1],
    ["a write denied", [0x2007n, 0x3007n, 0x4007n, 0x55005n], ACCESS_WRITE, OUTCOME_PAGE_FAULT, 1, 4, 3],
    ["a table just beyond memory", [0x400_0000_0007n], ACCESS_READ, OUTCOME_NO_MEMORY, 3, 1, 1],
    ["a table beyond what any machine has", [0x800_0000_0007n], ACCESS_READ, OUTCOME_NO_MEMORY, 3, 1, 1],
  ];
  for (const [rule, entries, access, outcome, level, steps, updates] of table) {
    const cpu = new Cpu({ maxPhyAddr: 52, registers: { root: mfn(1), cpl: 3 } });
    const out = go(cpu, memoryOf(entries), access);
    const { trace } = cpu;
    assertEquals(
      [out.outcome, out.level, trace.count("walk_step"), trace.count("ad_update")],
      [outcome, level, steps, updates],
      rule,
    );
  }
});

Deno.test("walk() names frames that no 32-bit integer holds", () => {
  const table: [rule: string, root: number, entries: bigint[], frame: number][] = [
    ["top table at frame 2^31", 0x8000_0000, [], 0x8000_0000],
    ["top table at the last frame below", 0x7fff_ffff, [], 0x7fff_ffff],
    ["next table at frame 2^31", 1, [0x800_0000_0007n], 0x8000_0000],
    ["next table at the last frame below", 1, [0x7ff_ffff_f007n], 0x7fff_ffff],
  ];
  for (const [rule, root, entries, frame] of table) {
    const cpu = new Cpu({ maxPhyAddr: 52, registers: { root: mfn(root) } });
    const out = go(cpu, memoryOf(entries), ACCESS_READ);
    assertEquals([out.outcome, out.frame], [OUTCOME_NO_MEMORY, frame], rule);
  }
});

Deno.test("walk() with paging off keeps all bits of the address", () => {
  for (const cr0 of [CR0_PE, 0]) {
    const out = go(new Cpu({ registers: { cr0, root: mfn(1) } }), memoryOf([]), ACCESS_READ, 0x1_2345_6789n);
    assertEquals([out.outcome, out.frame, out.level, out.topLevel, out.rights], [
      OUTCOME_OK,
      0x12_3456,
      0,
      0,
      0x46,
    ]);
  }
});

Deno.test("walk() starts below a cached entry, with the rights down to it", () => {
  // Two walks of neighbours: the second starts at the PTE. Its rights are those of all four entries.
  const table: [rule: string, entries: bigint[], access: number, outcome: number][] = [
    ["control", [0x2007n, 0x3007n, 0x4007n, 0x55007n], ACCESS_WRITE, OUTCOME_OK],
    ["R/W clear at level 4", [0x2005n, 0x3007n, 0x4007n, 0x55007n], ACCESS_WRITE, OUTCOME_PAGE_FAULT],
    ["R/W clear at level 2", [0x2007n, 0x3007n, 0x4005n, 0x55007n], ACCESS_WRITE, OUTCOME_PAGE_FAULT],
    ["U/S clear at level 3", [0x2007n, 0x3003n, 0x4007n, 0x55007n], ACCESS_READ, OUTCOME_PAGE_FAULT],
    ["a fetch without NX", [0x2007n, 0x3007n, 0x4007n, 0x55007n], ACCESS_FETCH, OUTCOME_OK],
    ["NX at level 4", [0x2007n | NX, 0x3007n, 0x4007n, 0x55007n], ACCESS_FETCH, OUTCOME_PAGE_FAULT],
    ["NX at level 2", [0x2007n, 0x3007n, 0x4007n | NX, 0x55007n], ACCESS_FETCH, OUTCOME_PAGE_FAULT],
  ];
  for (const [rule, entries, access, outcome] of table) {
    const cpu = new Cpu({ tlb: "architectural", registers: { root: mfn(1), cpl: 3 } });
    const mem = memoryOf(entries);
    go(cpu, mem, access);
    const mark = cpu.trace.count("walk_step");
    const out = go(cpu, mem, access);
    assertEquals([out.outcome, cpu.trace.count("walk_step") - mark], [outcome, 1], rule);
    if (outcome === OUTCOME_OK) assertEquals([out.frame, out.level], [0x55, 1], rule);
  }
});

Deno.test("walk() starts from the lowest entry cached, and from a table whose frame fills the entry", () => {
  const cpu = new Cpu({ tlb: "architectural", maxPhyAddr: 46, registers: { root: mfn(1) } });
  const mem = memoryOf([0x2007n, 0x3007n, 0x3ff_fff0_0007n]);
  const [hi, lo] = splitVaddr(VA);
  mem.write64(maddrOf(mfn(0x3fff_ff00), indexAt(1, hi, lo) * 8), 0x55007n);
  // One step each: the table below the lowest entry that is cached, or the top table, has nothing for the neighbours.
  // deno-fmt-ignore
  const table: [rule: string, va: bigint, outcome: number, frame: number, steps: number][] = [
    ["first", VA, OUTCOME_OK, 0x55, 4],
    ["again", VA, OUTCOME_OK, 0x55, 1],
    ["another PTE of that table", VA + 0x1000n, OUTCOME_PAGE_FAULT, 0, 1],
    ["another PDE", VA + 0x20_0000n, OUTCOME_PAGE_FAULT, 0, 1],
    ["another PDPTE", VA + 0x4000_0000n, OUTCOME_PAGE_FAULT, 0, 1],
    ["another PML4E", VA + 0x80_0000_0000n, OUTCOME_PAGE_FAULT, 0, 1],
  ];
  const levels: number[] = [];
  for (const [rule, va, outcome, frame, steps] of table) {
    const mark = cpu.trace.count("walk_step");
    const out = go(cpu, mem, ACCESS_READ, va);
    assertEquals(
      [out.outcome, out.frame, cpu.trace.count("walk_step") - mark],
      [outcome, frame, steps],
      rule,
    );
    levels.push(out.level);
  }
  assertEquals(levels, [1, 1, 1, 2, 3, 4]);
});

Deno.test("walk() caches a table entry that points beyond memory, as far as frames of 31 bits go", () => {
  const table: [rule: string, entry: bigint, again: number][] = [
    ["control: beyond memory", 0x400_0000_0007n, 0],
    ["frame 0x7ff00000", 0x7ff_0000_0007n, 0],
    ["the last frame of 31 bits", 0x7ff_ffff_f007n, 0],
    ["frame 2^31", 0x800_0000_0007n, 1],
  ];
  for (const [rule, entry, again] of table) {
    const cpu = new Cpu({ tlb: "architectural", maxPhyAddr: 52, registers: { root: mfn(1) } });
    const mem = memoryOf([entry]);
    const steps = [VA, VA + 0x4000_0000n].map((va) => {
      const mark = cpu.trace.count("walk_step");
      const { outcome, level } = go(cpu, mem, ACCESS_READ, va);
      return [outcome, level, cpu.trace.count("walk_step") - mark];
    });
    // The second walk starts at the table that is not there.
    assertEquals(steps, [[OUTCOME_NO_MEMORY, 3, 1], [OUTCOME_NO_MEMORY, 3, again]], rule);
  }
});

Deno.test("walk() that peeks neither asks nor fills paging-structure caches", () => {
  const cpu = new Cpu({ tlb: "architectural", registers: { root: mfn(1) } });
  const mem = memoryOf([0x2007n, 0x3007n, 0x4007n, 0x55007n]);
  const steps = [ACCESS_READ | ACCESS_PEEK, ACCESS_READ, ACCESS_READ | ACCESS_PEEK, ACCESS_READ].map(
    (access) => {
      const mark = cpu.trace.count("walk_step");
      go(cpu, mem, access);
      return cpu.trace.count("walk_step") - mark;
    },
  );
  assertEquals(steps, [4, 4, 4, 1]);
});

Deno.test("walk() passes over a level that the processor caches nothing of", () => {
  // Skylake's caches know PDEs, PDPTEs and PML4Es, no PML5Es.
  const mem = memoryOf([]);
  const top = indexAt(5, ...splitVaddr(VA));
  const entries: [table: number, index: number, entry: bigint][] = [
    [1, top, 0x2007n],
    ...([4, 3, 2, 1] as const).map((level, i): [number, number, bigint] => [
      i + 2,
      indexAt(level, ...splitVaddr(VA)),
      level === 1 ? 0x55007n : BigInt(i + 3) << 12n | 7n,
    ]),
  ];
  for (const [table, index, entry] of entries) mem.write64(maddrOf(mfn(table), index * 8), entry);
  const cpu = new Cpu({ tlb: "skylake", registers: { root: mfn(1), cr4: CR4_PAE | CR4_LA57 } });
  const steps = [VA, VA, VA + 0x80_0000_0000n].map((va) => {
    const mark = cpu.trace.count("walk_step");
    const { outcome, level } = go(cpu, mem, ACCESS_READ, va);
    return [outcome, level, cpu.trace.count("walk_step") - mark];
  });
  // The neighbour's PML4E is not there; its PML5E must be read again.
  assertEquals(steps, [[OUTCOME_OK, 1, 5], [OUTCOME_OK, 1, 1], [OUTCOME_PAGE_FAULT, 4, 2]]);
});
