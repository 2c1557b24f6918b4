import { assertEquals } from "@std/assert";
import { mfn } from "../../../lib/core/frames.ts";
import { Cpu } from "../../../lib/x86/cpu.ts";
import { explainWalk } from "../../../lib/x86/explain.ts";
import { memoryTypesOf, PAT_RESET } from "../../../lib/x86/memory_type.ts";
import { Mmu } from "../../../lib/x86/mmu.ts";
import { PageTable } from "../../../lib/x86/page_table.ts";
import { PhysMem } from "../../../lib/x86/phys_mem.ts";
import { _PAGE_PAT, _PAGE_PCD, _PAGE_PRESENT, _PAGE_PWT } from "../../../lib/x86/pte.ts";

/** IA32_PAT as Linux loads it: WB, WC, UC-, UC, WB, WP, UC-, WT. */
const PAT_LINUX = 0x0407_0506_0007_0106n;

Deno.test("A translation reports the memory type that PWT, PCD and PAT select", () => {
  const mem = new PhysMem(0x1000);
  let free = 1;
  const tables = new PageTable(mem, { allocate: () => mfn(free++) });
  const bits = [0, _PAGE_PWT, _PAGE_PCD, _PAGE_PCD | _PAGE_PWT];
  const flags = [...bits, ...bits.map((b) => b | _PAGE_PAT)];
  flags.forEach((f, i) => tables.map(0x4000 + i * 4096, mfn(0x20), { flags: f | _PAGE_PRESENT }));
  tables.map(0x20_0000, mfn(0x200), { size: "2M" });
  const { at } = tables.lookup(0x20_0000)!;
  mem.write64(at, mem.read64(at) | 1n << 12n | 1n << 3n); // PAT of a large page is bit 12
  const cpu = new Cpu({ registers: { root: tables.root } });
  const mmu = new Mmu(cpu, mem);
  const type = (va: number) => {
    const t = mmu.access(va, "read");
    return t.kind === "ok" ? t.memoryType : t.kind;
  };
  const all = () => flags.map((_, i) => type(0x4000 + i * 4096));
  assertEquals(all(), ["WB", "WT", "UC-", "UC", "WB", "WT", "UC-", "UC"]);
  assertEquals(cpu.writePat(PAT_LINUX), undefined);
  assertEquals(all(), ["WB", "WC", "UC-", "UC", "WB", "WP", "UC-", "WT"]);
  assertEquals([type(0x20_0000), explainWalk(cpu, mem, 0x20_0000, "read").at(-1)!.endsWith("WP")], [
    "WP",
    true,
  ]);
});

Deno.test("IA32_PAT refuses reserved types", () => {
  const cpu = new Cpu();
  for (const value of [2n, 3n, 8n, 0xffn << 56n, 1n << 64n | PAT_RESET]) {
    assertEquals(cpu.writePat(value)?.kind, "#GP", value.toString(16));
  }
  assertEquals(memoryTypesOf(0n), Array(8).fill("UC"));
  assertEquals(cpu.memoryTypes, memoryTypesOf(PAT_RESET));
});
