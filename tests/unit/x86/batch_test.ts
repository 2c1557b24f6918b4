import { assertEquals, assertThrows } from "@std/assert";
import { mfn } from "../../../lib/core/frames.ts";
import { Rng } from "../../../lib/core/rng.ts";
import { Recorder } from "../../../lib/trace/record.ts";
import { Trace } from "../../../lib/trace/trace.ts";
import { ACCESS_READ, AccessResult, OUTCOME_OK, OUTCOME_PAGE_FAULT } from "../../../lib/x86/access.ts";
import { BATCH_ERROR_SHIFT, batchResult, translateBatch } from "../../../lib/x86/batch.ts";
import { Cpu, type Registers } from "../../../lib/x86/cpu.ts";
import { translate } from "../../../lib/x86/mmu.ts";
import { PageTable } from "../../../lib/x86/page_table.ts";
import { PhysMem } from "../../../lib/x86/phys_mem.ts";
import { _PAGE_GLOBAL, _PAGE_NX, _PAGE_PRESENT, _PAGE_RW, _PAGE_USER } from "../../../lib/x86/pte.ts";
import { CR0_PE, CR0_PG, CR4_PAE, CR4_PGE, CR4_PKE, CR4_SMAP, CR4_SMEP } from "../../../lib/x86/registers.ts";
import type { TlbPresetName } from "../../../lib/x86/tlb_presets.ts";

const N = 400;

function machine(registers: Registers, tlb: TlbPresetName) {
  const mem = new PhysMem(0x10000);
  let free = 1;
  const tables = new PageTable(mem, { allocate: () => mfn(free++) });
  const rights = [
    _PAGE_PRESENT | _PAGE_RW | _PAGE_USER,
    _PAGE_PRESENT | _PAGE_USER | _PAGE_NX,
    _PAGE_PRESENT | _PAGE_RW,
    _PAGE_PRESENT | _PAGE_USER | _PAGE_RW | _PAGE_GLOBAL | 3 << 19,
    0,
  ];
  for (let i = 0; i < 100; i++) {
    const flags = rights[i % 5]!;
    if (flags !== 0) tables.map(0x5000_0000 + i * 4096, mfn(0x1000 + i), { flags });
  }
  tables.map(0x6000_0000, mfn(0x4000), { size: "2M" });
  const cpu = new Cpu({ trace: new Trace(), tlb, registers: { root: tables.root, ...registers } });
  return { mem, cpu };
}

Deno.test("translateBatch does what translate does one by one, outcomes, counts and caches alike", () => {
  const cr4 = CR4_PAE | CR4_PGE;
  const table: [rule: string, registers: Registers][] = [
    ["user", { cpl: 3 }],
    ["supervisor", { cpl: 0 }],
    ["supervisor, WP = 0", { cpl: 0, cr0: CR0_PG | CR0_PE }],
    ["SMEP and SMAP", { cpl: 0, cr4: cr4 | CR4_SMEP | CR4_SMAP }],
    ["SMAP with AC", { cpl: 0, cr4: cr4 | CR4_SMAP, ac: 1 }],
    ["keys", { cpl: 3, cr4: cr4 | CR4_PKE, pkru: 1 << 6 }],
    ["paging off", { cr0: CR0_PE }],
  ];
  for (const tlb of ["plain", "architectural", "skylake"] as const) {
    for (const [rule, registers] of table) {
      const one = machine(registers, tlb);
      const many = machine(registers, tlb);
      const rng = new Rng(7);
      const out = new AccessResult();
      const result = batchResult(N);
      for (let access = 0; access < 8; access++) {
        const hi = new Int32Array(N);
        const lo = new Int32Array(N);
        for (let k = 0; k < N; k++) {
          lo[k] = (rng.below(8) === 0 ? 0x6000_0000 : 0x5000_0000) + rng.below(110 * 4096);
          hi[k] = rng.below(64) === 0 ? 0x10000 : 0;
        }
        const expected: string[] = [];
        for (let k = 0; k < N; k++) {
          const outcome = translate(one.cpu, one.mem, hi[k]!, lo[k]!, access & 3, out);
          expected.push(
            outcome === OUTCOME_OK
              ? `${out.frame * 4096 + (lo[k]! & 0xfff)}`
              : `${outcome} ${outcome === OUTCOME_PAGE_FAULT ? out.errorCode : 0}`,
          );
        }
        const passed = translateBatch(many.cpu, many.mem, hi, lo, access & 3, result);
        const got = Array.from(
          result.outcome,
          (o, k) =>
            o === OUTCOME_OK
              ? `${result.paHi[k]! * 2 ** 32 + (result.paLo[k]! >>> 0)}`
              : `${o & 0xff} ${o >>> BATCH_ERROR_SHIFT}`,
        );
        assertEquals(got, expected, `${tlb}, ${rule}, access ${access}`);
        assertEquals(passed, expected.filter((e) => !e.includes(" ")).length);
      }
      assertEquals(many.cpu.trace.counters, one.cpu.trace.counters, `${tlb}, ${rule}`);
      assertEquals(many.cpu.tlb.entries(), one.cpu.tlb.entries(), `${tlb}, ${rule}`);
    }
  }
});

Deno.test("translateBatch tells a sink its look-ups before the misses that follow them", () => {
  const { mem, cpu } = machine({ cpl: 3 }, "plain");
  const hi = new Int32Array(3);
  const lo = Int32Array.of(0x5000_0000, 0x5000_0008, 0x5000_3000);
  translateBatch(cpu, mem, hi.slice(0, 1), lo.slice(0, 1), ACCESS_READ, batchResult(1));
  const recorder = new Recorder(cpu.trace);
  translateBatch(cpu, mem, hi, lo, ACCESS_READ, batchResult(3));
  assertEquals(recorder.stop().map(({ name, times }) => `${times} ${name}`).slice(0, 3), [
    "2 tlb_lookup",
    "1 tlb_lookup",
    "1 tlb_miss",
  ]);
});

Deno.test("translateBatch refuses arrays of different lengths", () => {
  const { mem, cpu } = machine({}, "plain");
  assertThrows(
    () => translateBatch(cpu, mem, new Int32Array(2), new Int32Array(1), ACCESS_READ, batchResult(2)),
    RangeError,
    "Cannot translate a batch with arrays of 2: all arrays must have the same length",
  );
});
