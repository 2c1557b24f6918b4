import { assertEquals, assertThrows } from "@std/assert";
import { mfn } from "../../../lib/core/frames.ts";
import { Trace } from "../../../lib/trace/trace.ts";
import { Cpu } from "../../../lib/x86/cpu.ts";
import { Mmu } from "../../../lib/x86/mmu.ts";
import { PageTable } from "../../../lib/x86/page_table.ts";
import { PhysMem } from "../../../lib/x86/phys_mem.ts";
import { Shootdown, type ShootdownPolicyName } from "../../../lib/x86/shootdown.ts";

/** Three CPUs that have all cached 40 pages, which then move by 0x100 frames. */
function machine(policy: ShootdownPolicyName) {
  const mem = new PhysMem(0x1000);
  let free = 1;
  const tables = new PageTable(mem, { allocate: () => mfn(free++) });
  tables.map(0x5000, mfn(0x20), { pages: 40 });
  const cpus = [0, 1, 2].map(() => new Cpu({ trace: new Trace(), registers: { root: tables.root } }));
  const mmus = cpus.map((cpu) => new Mmu(cpu, mem));
  const frame = (mmu: Mmu) => {
    const t = mmu.access(0x5000, "read");
    return t.kind === "ok" ? t.frame : -1;
  };
  for (const mmu of mmus) frame(mmu);
  tables.unmap(0x5000, 40);
  tables.map(0x5000, mfn(0x120), { pages: 40 });
  const shootdown = new Shootdown(cpus, policy);
  /** Which CPUs translate with the old tables. */
  const stale = () => mmus.map((mmu) => frame(mmu) === 0x20);
  const count = (kind: "ipi" | "ipi_taken" | "invlpg" | "cr3_write") =>
    cpus.map((cpu) => cpu.trace.count(kind));
  return { shootdown, stale, count };
}

Deno.test("Shootdown: eager leaves nothing stale, an interrupt per other CPU", () => {
  const { shootdown, stale, count } = machine("eager");
  shootdown.invalidate(0, [0, 1, 2], 0x5000);
  assertEquals([count("ipi"), count("ipi_taken"), count("invlpg")], [[2, 0, 0], [0, 1, 1], [1, 1, 1]]);
  assertEquals(stale(), [false, false, false]);
});

Deno.test("Shootdown: a CPU that is no target keeps its stale translation", () => {
  const { shootdown, stale } = machine("eager");
  shootdown.invalidate(0, [0, 2], 0x5000);
  assertEquals(stale(), [false, true, false]);
});

Deno.test("Shootdown: batched is stale everywhere until the flush, then one interrupt per CPU", () => {
  const { shootdown, stale, count } = machine("batched");
  for (let i = 0; i < 3; i++) shootdown.invalidate(1, [0, 1, 2], 0x5000 + i * 4096);
  assertEquals([stale(), count("ipi"), shootdown.owes(2)], [[true, true, true], [0, 0, 0], 3]);
  shootdown.flush(1);
  assertEquals([stale(), count("ipi"), count("invlpg")], [[false, false, false], [0, 2, 0], [3, 3, 3]]);
  shootdown.flush(1);
  assertEquals(count("ipi"), [0, 2, 0]);
});

Deno.test("Shootdown: lazy leaves an idle CPU alone until it comes back", () => {
  const { shootdown, stale, count } = machine("lazy");
  shootdown.setIdle(2, true);
  shootdown.invalidate(0, [0, 1, 2], 0x5000);
  assertEquals([stale(), count("ipi"), count("ipi_taken")], [[false, false, true], [1, 0, 0], [0, 1, 0]]);
  shootdown.enter(2);
  assertEquals([stale(), count("ipi"), shootdown.owes(2)], [[false, false, false], [1, 0, 0], 0]);
});

Deno.test("Shootdown: above 33 pages a CPU reloads CR3", () => {
  for (const [pages, invlpg, cr3] of [[33, 33, 0], [34, 0, 1]] as const) {
    const { shootdown, stale, count } = machine("eager");
    shootdown.invalidate(0, [1], 0x5000, pages);
    assertEquals([count("invlpg"), count("cr3_write"), stale()], [[0, invlpg, 0], [0, cr3, 0], [
      true,
      false,
      true,
    ]]);
  }
});

Deno.test("Shootdown refuses misuse by name", () => {
  const { shootdown } = machine("eager");
  const table: [act: () => unknown, message: string][] = [
    [() => shootdown.invalidate(3, [0], 0), "Cannot find CPU 3"],
    [() => shootdown.invalidate(0, [-1], 0), "Cannot find CPU -1"],
    [() => shootdown.invalidate(0, [0], 0x123), "Cannot shoot down 0x123: it is not aligned"],
    [() => shootdown.invalidate(0, [0], 1n << 60n), "it is not canonical"],
    [() => shootdown.invalidate(0, [0], 0, -1), "Cannot shoot down pages -1"],
    [() => new Shootdown([], "lasy" as never), 'did you mean "lazy"'],
  ];
  for (const [act, message] of table) assertThrows(act, RangeError, message);
});
