import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { mfn } from "../../../lib/core/frames.ts";
import { RIGHT_GLOBAL, RIGHT_LEVEL_SHIFT, RIGHT_WRITE } from "../../../lib/x86/access.ts";
import { Cpu } from "../../../lib/x86/cpu.ts";
import { Mmu } from "../../../lib/x86/mmu.ts";
import { PageTable } from "../../../lib/x86/page_table.ts";
import { PhysMem } from "../../../lib/x86/phys_mem.ts";
import { _PAGE_GLOBAL, _PAGE_PRESENT, _PAGE_RW, _PAGE_USER } from "../../../lib/x86/pte.ts";
import { CR0_WP, CR4_PAE, CR4_PCIDE, CR4_PGE } from "../../../lib/x86/registers.ts";
import { Tlb, TLB_BASE_LO, type TlbGeometry } from "../../../lib/x86/tlb.ts";
import { tlbEntriesOf } from "../../../lib/x86/tlb_entries.ts";

const baseOf = (tlb: Tlb, at: number) => tlb.words[at + TLB_BASE_LO];

const SMALL = 1 << RIGHT_LEVEL_SHIFT;
const LARGE = 2 << RIGHT_LEVEL_SHIFT;
const HUGE = 3 << RIGHT_LEVEL_SHIFT;
const OPEN = _PAGE_PRESENT | _PAGE_RW | _PAGE_USER;

Deno.test("Tlb finds every page size by any address in the page, and no address outside", () => {
  const table: [rights: number, inside: [number, number][], outside: [number, number][]][] = [
    [SMALL, [[-1, 0x5000], [-1, 0x5fff]], [[-1, 0x4fff], [-1, 0x6000], [0, 0x5000], [-1 ^ 1 << 12, 0x5000]]],
    [LARGE, [[-1, 0x20_0000], [-1, 0x3f_ffff]], [[-1, 0x1f_ffff], [-1, 0x40_0000], [1, 0x20_0000], [
      -1 ^ 1 << 21,
      0x20_0000,
    ]]],
    [HUGE, [[-1, 0x4000_0000], [-1, 0x7fff_ffff]], [[-1, 0x3fff_ffff], [-1, 0x8000_0000 | 0], [
      -2,
      0x4000_0000,
    ]]],
  ];
  for (const [rights, inside, outside] of table) {
    const tlb = new Tlb();
    tlb.insert(inside[0]![0], inside[0]![1], 0, rights, 0, 0);
    for (const [hi, lo] of inside) assertStrictEquals(tlb.find(hi, lo, 0) >= 0, true, `${hi} ${lo}`);
    for (const [hi, lo] of outside) assertStrictEquals(tlb.find(hi, lo, 0), -1, `${hi} ${lo}`);
  }
});

Deno.test("Tlb tells PCIDs apart, global entries excepted", () => {
  const tlb = new Tlb();
  tlb.insert(0, 0x5000, 1, SMALL, 0x1000, 0);
  tlb.insert(0, 0x5000, 2, SMALL, 0x2000, 0);
  tlb.insert(0, 0x6000, 1, SMALL | RIGHT_GLOBAL, 0x3000, 0);
  assertStrictEquals(baseOf(tlb, tlb.find(0, 0x5000, 1)), 0x1000);
  assertStrictEquals(baseOf(tlb, tlb.find(0, 0x5000, 2)), 0x2000);
  assertStrictEquals(tlb.find(0, 0x5000, 3), -1);
  assertStrictEquals(baseOf(tlb, tlb.find(0, 0x6000, 3)), 0x3000);
});

Deno.test("Tlb replaces an entry for the same page and PCID, else the oldest of a full set", () => {
  const tlb = new Tlb({ sets: 1, ways: 2 });
  tlb.insert(0, 0x1000, 0, SMALL, 0x1000, 0);
  tlb.insert(0, 0x1000, 0, SMALL, 0x7000, 0);
  assertEquals([tlb.size, baseOf(tlb, tlb.find(0, 0x1000, 0))], [1, 0x7000]);
  tlb.insert(0, 0x2000, 0, SMALL, 0, 0);
  tlb.insert(0, 0x3000, 0, SMALL, 0, 0);
  const isCached = () => [0x1000, 0x2000, 0x3000, 0x4000].map((lo) => tlb.find(0, lo, 0) >= 0);
  assertEquals(isCached(), [false, true, true, false]);
  tlb.insert(0, 0x4000, 0, SMALL, 0, 0);
  assertEquals([isCached(), tlb.size, tlb.capacity], [[false, false, true, true], 2, 2]);
});

Deno.test("Tlb drops what each operation names and nothing else", () => {
  const names = ["page", "page, other PCID", "large page", "global", "elsewhere"];
  const fill = (geometry: TlbGeometry) => {
    const tlb = new Tlb(geometry);
    tlb.insert(0, 0x20_5000, 1, SMALL, 0, 0);
    tlb.insert(0, 0x20_5000, 2, SMALL, 0, 0);
    tlb.insert(0, 0x20_0000, 1, LARGE, 0, 0);
    tlb.insert(0, 0x20_5000, 3, SMALL | RIGHT_GLOBAL, 0, 0);
    tlb.insert(0, 0x9000, 1, SMALL, 0, 0);
    return tlb;
  };
  const left = (tlb: Tlb) => {
    const entries = tlbEntriesOf(tlb, "L1");
    const has = (va: bigint, level: number, pcid: number | undefined) =>
      entries.some((e) => e.va === va && e.level === level && e.pcid === pcid);
    const is = [
      has(0x20_5000n, 1, 1),
      has(0x20_5000n, 1, 2),
      has(0x20_0000n, 2, 1),
      has(0x20_5000n, 1, undefined),
      has(0x9000n, 1, 1),
    ];
    return names.filter((_, i) => is[i]);
  };
  const table: [rule: string, act: (tlb: Tlb) => void, expected: string[]][] = [
    ["control", () => {}, names],
    ["dropPage", (t) => t.dropPage(0, 0x20_5123, 1), ["page, other PCID", "elsewhere"]],
    [
      "dropPageKeepingGlobal",
      (t) => t.dropPageKeepingGlobal(0, 0x20_5123, 1),
      ["page, other PCID", "global", "elsewhere"],
    ],
    ["dropPcid", (t) => t.dropPcid(1), ["page, other PCID", "global"]],
    ["dropNonGlobal", (t) => t.dropNonGlobal(), ["global"]],
    ["dropAll", (t) => t.dropAll(), []],
  ];
  for (const geometry of [{ sets: 256, ways: 4 }, { sets: 1, ways: 8 }]) {
    for (const [rule, act, expected] of table) {
      const tlb = fill(geometry);
      act(tlb);
      assertEquals(left(tlb), expected, rule);
      assertStrictEquals(tlb.size, expected.length, rule);
    }
  }
});

Deno.test("Tlb shows entries of both halves of the address space", () => {
  const tlb = new Tlb();
  tlb.insert(-30592, 0x20_1000, 5, SMALL | RIGHT_WRITE, 0x9000, 0xff);
  assertEquals(tlbEntriesOf(tlb, "L1"), [{
    bank: "L1",
    va: 0xffff_8880_0020_1000n,
    level: 1,
    pcid: 5,
    frame: 0xff_0000_9,
    writable: true,
    user: false,
    executable: true,
    dirty: false,
    key: 0,
  }]);
});

Deno.test("Tlb refuses a geometry that cannot be", () => {
  const table: [sets: number, ways: number, message: string | null][] = [
    [1, 1, null],
    [65536, 64, null],
    [0, 1, "Cannot make a TLB of sets 0"],
    [3, 1, "Cannot make a TLB of sets 3: it must be a power of two"],
    [131072, 1, "Cannot make a TLB of sets 0x20000"],
    [4, 0, "Cannot make a TLB of ways 0"],
    [4, 65, "Cannot make a TLB of ways 65"],
  ];
  for (const [sets, ways, message] of table) {
    if (message === null) assertStrictEquals(new Tlb({ sets, ways }).capacity, sets * ways);
    else assertThrows(() => new Tlb({ sets, ways }), RangeError, message);
  }
});

/** One page at 0x5000, frame 0x20, as user; frame 0x21 is where it is moved to behind the TLB's back. */
function machine(flags = OPEN, cr4 = CR4_PAE | CR4_PGE) {
  const mem = new PhysMem(0x100);
  let free = 1;
  const tables = new PageTable(mem, { allocate: () => mfn(free++) });
  tables.map(0x5000, mfn(0x20), { flags });
  const cpu = new Cpu({ registers: { root: tables.root, cr4, cpl: 3 } });
  const mmu = new Mmu(cpu, mem);
  const frame = () => {
    const t = mmu.access(0x5000, "read");
    return t.kind === "ok" ? t.frame : t.kind;
  };
  const move = () => {
    tables.unmap(0x5000);
    tables.map(0x5000, mfn(0x21), { flags });
  };
  return { mem, tables, cpu, mmu, frame, move };
}

Deno.test("A stale translation stays until the operation that drops it", () => {
  const g = OPEN | _PAGE_GLOBAL;
  const pcids = CR4_PAE | CR4_PGE | CR4_PCIDE;
  type Machine = ReturnType<typeof machine>;
  const table: [rule: string, flags: number, cr4: number, act: (m: Machine) => unknown, expected: number][] =
    [
      ["nothing", OPEN, pcids, () => {}, 0x20],
      ["INVLPG of the page", OPEN, pcids, ({ cpu }) => cpu.invlpg(0, 0x5fff), 0x21],
      ["INVLPG of another page", OPEN, pcids, ({ cpu }) => cpu.invlpg(0, 0x6000), 0x20],
      ["INVLPG of a global page", g, pcids, ({ cpu }) => cpu.invlpg(0, 0x5000), 0x21],
      ["CR3", OPEN, pcids, ({ cpu, tables }) => cpu.writeCr3(tables.root), 0x21],
      ["CR3 with bit 63", OPEN, pcids, ({ cpu, tables }) => cpu.writeCr3(tables.root, 0, true), 0x20],
      ["CR3, global page", g, pcids, ({ cpu, tables }) => cpu.writeCr3(tables.root), 0x20],
      ["CR3 with another PCID", OPEN, pcids, ({ cpu, tables }) => cpu.writeCr3(tables.root, 7), 0x21],
      ["CR3 there and back", OPEN, pcids, ({ cpu, tables }) => {
        cpu.writeCr3(tables.root, 7);
        cpu.writeCr3(tables.root, 0, true);
      }, 0x20],
      ["CR3 without PCIDs", OPEN, CR4_PAE | CR4_PGE, ({ cpu, tables }) => cpu.writeCr3(tables.root), 0x21],
      ["G without CR4.PGE is not global", g, CR4_PAE, ({ cpu, tables }) => cpu.writeCr3(tables.root), 0x21],
      ["CR4.PGE, global page", g, pcids, ({ cpu }) => cpu.writeCr4(cpu.cr4 & ~CR4_PGE), 0x21],
      ["CR0.WP", OPEN, pcids, ({ cpu }) => cpu.writeCr0(cpu.cr0 ^ CR0_WP), 0x20],
      ["INVPCID 0", OPEN, pcids, ({ cpu }) => cpu.invpcid(0, 0, 0, 0x5000), 0x21],
      ["INVPCID 0, global page", g, pcids, ({ cpu }) => cpu.invpcid(0, 0, 0, 0x5000), 0x20],
      ["INVPCID 1 of another PCID", OPEN, pcids, ({ cpu }) => cpu.invpcid(1, 7, 0, 0), 0x20],
      ["INVPCID 2, global page", g, pcids, ({ cpu }) => cpu.invpcid(2, 0, 0, 0), 0x21],
      ["INVPCID 3, global page", g, pcids, ({ cpu }) => cpu.invpcid(3, 0, 0, 0), 0x20],
      ["INVPCID 3", OPEN, pcids, ({ cpu }) => cpu.invpcid(3, 0, 0, 0), 0x21],
      ["flushAll, global page", g, pcids, ({ cpu }) => cpu.flushAll(), 0x21],
    ];
  for (const [rule, flags, cr4, act, expected] of table) {
    const m = machine(flags, cr4);
    assertStrictEquals(m.frame(), 0x20, rule);
    m.move();
    act(m);
    assertStrictEquals(m.frame(), expected, rule);
  }
});

Deno.test("A fault drops the stale entry that caused it: the retry sees the new rights", () => {
  const { tables, mmu, cpu } = machine(_PAGE_PRESENT | _PAGE_USER);
  assertStrictEquals(mmu.access(0x5000, "read").kind, "ok");
  tables.protect(0x5000, OPEN);
  assertStrictEquals(mmu.access(0x5000, "write").kind, "#PF");
  assertStrictEquals(mmu.access(0x5000, "write").kind, "ok");
  assertEquals([cpu.trace.count("page_fault"), cpu.trace.count("tlb_miss")], [1, 2]);
});

Deno.test("A page that was not present needs no invalidation", () => {
  const { tables, mmu } = machine();
  assertStrictEquals(mmu.access(0x6000, "read").kind, "#PF");
  tables.map(0x6000, mfn(0x22));
  assertStrictEquals(mmu.access(0x6000, "read").kind, "ok");
});

Deno.test("A write that finds D = 0 cached walks again and sets D in memory", () => {
  const { tables, mmu, cpu } = machine();
  mmu.access(0x5000, "read");
  assertStrictEquals(tables.lookup(0x5000)!.flags & 0x60, 0x20);
  mmu.access(0x5000, "write");
  assertStrictEquals(tables.lookup(0x5000)!.flags & 0x60, 0x60);
  assertEquals(cpu.tlb.entries().map((e) => e.dirty), [true]);
  mmu.access(0x5000, "write");
  assertEquals([cpu.trace.count("tlb_lookup"), cpu.trace.count("tlb_miss")], [3, 2]);
});

Deno.test("Cached rights are judged with the registers of the moment", () => {
  const { mmu, cpu } = machine(_PAGE_PRESENT);
  cpu.cpl = 0;
  assertStrictEquals(mmu.access(0x5000, "read").kind, "ok");
  cpu.cpl = 3;
  const fault = mmu.access(0x5000, "read");
  assertEquals([fault.kind, fault.kind === "#PF" && fault.errorCode], ["#PF", 5]);
});
