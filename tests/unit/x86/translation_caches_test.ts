import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { mfn } from "../../../lib/core/frames.ts";
import { RIGHT_LEVEL_SHIFT } from "../../../lib/x86/access.ts";
import { Cpu } from "../../../lib/x86/cpu.ts";
import { Mmu } from "../../../lib/x86/mmu.ts";
import { PageTable } from "../../../lib/x86/page_table.ts";
import { PhysMem } from "../../../lib/x86/phys_mem.ts";
import { Tlb } from "../../../lib/x86/tlb.ts";
import { cachesOf, TLB_PRESETS, type TlbPresetName } from "../../../lib/x86/tlb_presets.ts";

const PAGES = 4096;

function machine(tlb: TlbPresetName) {
  const mem = new PhysMem(0x80000);
  let free = 1;
  const tables = new PageTable(mem, { allocate: () => mfn(free++) });
  tables.map(0x4000_0000, mfn(0x1000), { pages: PAGES });
  tables.map(0x8000_0000, mfn(0x40000), { size: "1G" });
  tables.map(0x6000_0000, mfn(0x10000), { size: "2M" });
  const cpu = new Cpu({ tlb, registers: { root: tables.root, cpl: 3 } });
  const mmu = new Mmu(cpu, mem);
  const read = (va: number): number | string => {
    const t = mmu.access(va, "read");
    return t.kind === "ok" ? t.frame : t.kind;
  };
  const counts = () =>
    (["tlb_lookup", "stlb_hit", "tlb_miss", "walk_step"] as const).map((k) => cpu.trace.count(k));
  return { mem, tables, cpu, mmu, read, counts };
}

Deno.test("TLB presets say where their figures come from and what is assumed", () => {
  for (const [name, preset] of Object.entries(TLB_PRESETS)) {
    const isProcessor = ["skylake", "zen2"].includes(name);
    assertStrictEquals(preset.source !== "", isProcessor, name);
    assertStrictEquals(preset.assumed.length > 0, isProcessor, name);
  }
  const capacity = (name: TlbPresetName) =>
    new Cpu({ tlb: name }).tlb.banks.map(({ name, tlb }) => `${name}: ${tlb.capacity}`);
  assertEquals(capacity("skylake"), [
    "L1 data 4K: 64",
    "L1 data 2M: 32",
    "L1 data 1G: 4",
    "L1 instruction 4K: 128",
    "L1 instruction 2M: 8",
    "L2 4K/2M: 1536",
    "L2 1G: 16",
  ]);
  assertEquals(capacity("zen2"), [
    "L1 data: 64",
    "L1 instruction: 64",
    "L2 data: 2048",
    "L2 instruction: 512",
  ]);
  assertThrows(() => cachesOf("skylark" as never), RangeError, 'did you mean "skylake"');
  assertThrows(() => cachesOf(7 as never), TypeError, "Cannot make TLBs of 7");
});

Deno.test("A second-level TLB answers what the first level has lost", () => {
  // 65 pages that share no set beyond the four ways of each of Skylake's 16 sets, then the first again.
  const { read, counts } = machine("skylake");
  for (let i = 0; i < 65; i++) read(0x4000_0000 + i * 4096);
  assertEquals(counts().slice(0, 3), [65, 0, 65]);
  assertStrictEquals(read(0x4000_0000), 0x1000);
  assertEquals(counts().slice(0, 3), [66, 1, 65]);
  assertStrictEquals(read(0x4000_0000), 0x1000);
  assertEquals(counts().slice(0, 3), [67, 1, 65]);
});

Deno.test("A paging-structure cache shortens walks to the entries below it", () => {
  const table: [tlb: TlbPresetName, steps: number[]][] = [
    ["plain", [4, 4, 3, 2]],
    ["architectural", [4, 1, 1, 1]], // PDE, then PDPTE, then PML4E cached
    ["skylake", [4, 1, 1, 1]],
    ["zen2", [4, 1, 1, 1]],
  ];
  for (const [tlb, expected] of table) {
    const { read, cpu } = machine(tlb);
    const steps = [0x4000_0000, 0x4000_1000, 0x6000_0000, 0x8000_0000].map((va) => {
      const before = cpu.trace.count("walk_step");
      read(va);
      return cpu.trace.count("walk_step") - before;
    });
    assertEquals(steps, expected, tlb);
  }
});

Deno.test("Every page size is found in every preset, from the first level or the second", () => {
  for (const tlb of Object.keys(TLB_PRESETS) as TlbPresetName[]) {
    const { read, counts, mmu } = machine(tlb);
    const all = [0x4000_5000, 0x6000_5000, 0x8000_5000];
    assertEquals(all.map(read), [0x1005, 0x10005, 0x40005], tlb);
    assertEquals(all.map(read), [0x1005, 0x10005, 0x40005], tlb);
    assertStrictEquals(counts()[2], 3, tlb);
    for (const va of all) assertStrictEquals(mmu.access(va, "fetch").kind, "ok", `${tlb} ${va}`);
    assertEquals(all.map((va) => mmu.access(va, "fetch")).map((t) => t.kind === "ok" && t.isFromTlb), [
      true,
      true,
      true,
    ], tlb);
  }
});

Deno.test("A stale PDE lasts as long as the caches that hold it", () => {
  // The PDE that both pages share is pointed to another page table behind the processor's back.
  const table: [rule: string, tlb: TlbPresetName, act: (cpu: Cpu) => unknown, expected: number][] = [
    ["no structure caches", "plain", () => {}, 0x2001],
    ["nothing dropped", "architectural", () => {}, 0x1001],
    ["INVLPG of any page", "architectural", (cpu) => cpu.invlpg(0, 0x1000), 0x2001],
    ["INVPCID 0 of any page", "architectural", (cpu) => cpu.invpcid(0, 0, 0, 0x1000), 0x2001],
    ["INVPCID 3", "architectural", (cpu) => cpu.invpcid(3, 0, 0, 0), 0x2001],
    ["CR3", "architectural", (cpu) => cpu.writeCr3(mfn(cpu.rootFrame)), 0x2001],
    ["CR0.WP", "architectural", (cpu) => cpu.writeCr0(cpu.cr0 ^ 1 << 16), 0x1001],
  ];
  for (const [rule, tlb, act, expected] of table) {
    const { tables, mem, cpu, read } = machine(tlb);
    tables.map(0x5000_0000, mfn(0x2000), { pages: 512 });
    assertStrictEquals(read(0x4000_0000), 0x1000, rule);
    const pde = (va: number) => tables.lookup(va)!.at - (va >> 12 & 511) * 8;
    // The PD lies in frame 3: PML4 is 1, PDPT 2. Entry 0 serves 0x40000000, entry 128 serves 0x50000000.
    assertStrictEquals(pde(0x4000_0000) % 4096, 0);
    mem.write64(3 * 4096 as never, mem.read64(3 * 4096 + 128 * 8 as never));
    act(cpu);
    assertStrictEquals(read(0x4000_1000), expected, rule);
  }
});

Deno.test("Data and instruction TLBs may disagree about a page that has moved", () => {
  const { tables, mmu } = machine("zen2");
  const frame = (kind: "read" | "fetch") => {
    const t = mmu.access(0x4000_0000, kind);
    return t.kind === "ok" ? t.frame : -1;
  };
  assertEquals([frame("read"), frame("fetch")], [0x1000, 0x1000]);
  tables.unmap(0x4000_0000);
  tables.map(0x4000_0000, mfn(0x7000));
  assertEquals([frame("read"), frame("fetch")], [0x1000, 0x1000]);
  mmu.access(0x4000_0000, "write"); // D = 0 was cached: the data side walks again
  assertEquals([frame("read"), frame("fetch")], [0x7000, 0x1000]);
});

Deno.test("The architectural TLBs forget nothing: they grow", () => {
  const { read, cpu, counts } = machine("architectural");
  for (let i = 0; i < PAGES; i++) read(0x4000_0000 + i * 4096);
  for (let i = 0; i < PAGES; i++) assertStrictEquals(read(0x4000_0000 + i * 4096), 0x1000 + i);
  assertEquals(counts().slice(0, 3), [2 * PAGES, 0, PAGES]);
  assertStrictEquals(cpu.tlb.entries().length, 2 * PAGES);
});

Deno.test("Tlb that grows keeps one page of many PCIDs, and many pages of one", () => {
  const tlb = new Tlb({ sets: 4, ways: 2, grows: true });
  const small = 1 << RIGHT_LEVEL_SHIFT;
  for (let pcid = 0; pcid < 100; pcid++) tlb.insert(0, 0x5000, pcid, small, pcid << 12, 0);
  for (let page = 0; page < 1000; page++) tlb.insert(0, page << 12, 200, small, page << 12, 0);
  assertStrictEquals(tlb.size, 1100);
  for (let pcid = 0; pcid < 100; pcid++) {
    assertStrictEquals(tlb.words[tlb.find(0, 0x5000, pcid) + 4], pcid << 12);
  }
  for (let page = 0; page < 1000; page++) {
    assertStrictEquals(tlb.words[tlb.find(0, page << 12, 200) + 4], page << 12);
  }
  tlb.dropPcid(200);
  assertStrictEquals(tlb.size, 100);
  assertStrictEquals(tlb.find(0, 0x5000, 200), -1);
});

Deno.test("TLB contents print as a table", () => {
  const { read, cpu, mmu } = machine("skylake");
  read(0x4000_0000);
  mmu.access(0x4000_0000, "write");
  read(0x8000_0000);
  const lines = String(cpu.tlb).split("\n").map((line) => line.trim().split(/\s{2,}/).join(" | "));
  assertEquals(lines.filter((line) => line.startsWith("0x")), [
    "0x40000000 | 4 KiB | L1 data 4K | 0x0 | 0x1000 | rwx user dirty | 0",
    "0x40000000 | 4 KiB | L2 4K/2M | 0x0 | 0x1000 | rwx user dirty | 0",
    "0x80000000 | 1 GiB | L1 data 1G | 0x0 | 0x40000 | rwx user | 0",
    "0x80000000 | 1 GiB | L2 1G | 0x0 | 0x40000 | rwx user | 0",
  ]);
  assertEquals(lines.filter((line) => line.includes(" entries")), [
    "TLB: 4 entries live",
    "L1 data 4K: 1 of 64 entries, 16 sets of 4",
    "L1 data 2M: 0 of 32 entries, 8 sets of 4",
    "L1 data 1G: 1 of 4 entries, 1 sets of 4",
    "L1 instruction 4K: 0 of 128 entries, 16 sets of 8",
    "L1 instruction 2M: 0 of 8 entries, 1 sets of 8",
    "L2 4K/2M: 1 of 1536 entries, 128 sets of 12",
    "L2 1G: 1 of 16 entries, 4 sets of 4",
    "PDE cache: 1 of 32 entries",
    "PDPTE cache: 1 of 4 entries",
    "PML4E cache: 1 of 2 entries",
  ]);
});
