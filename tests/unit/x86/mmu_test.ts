import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { maddrOf, mfn } from "../../../lib/core/frames.ts";
import { Cpu } from "../../../lib/x86/cpu.ts";
import { describeErrorCode, describeFault, type Fault, RULES } from "../../../lib/x86/fault.ts";
import { explainWalk } from "../../../lib/x86/explain.ts";
import { Mmu } from "../../../lib/x86/mmu.ts";
import type { Translation } from "../../../lib/x86/translation.ts";
import { PageTable } from "../../../lib/x86/page_table.ts";
import { PhysMem } from "../../../lib/x86/phys_mem.ts";
import { _PAGE_PRESENT, _PAGE_USER } from "../../../lib/x86/pte.ts";

function machine() {
  const mem = new PhysMem(0x1000);
  let free = 1;
  const tables = new PageTable(mem, { allocate: () => mfn(free++) });
  tables.map(0x4000, mfn(0x20));
  tables.map(0x5000, mfn(0x21), { flags: _PAGE_PRESENT | _PAGE_USER });
  tables.map(0x6000, mfn(0x5000));
  const cpu = new Cpu({ registers: { root: tables.root, cpl: 3 } });
  return { mem, tables, cpu, mmu: new Mmu(cpu, mem) };
}

Deno.test("Mmu reads and writes bytes through the tables", () => {
  const { mem, mmu } = machine();
  const t = mmu.write8(0x4fff, 0xab) as Translation;
  assertEquals([t.kind, t.frame, t.offset, t.level, t.writable, t.user, t.executable], [
    "ok",
    0x20,
    0xfff,
    1,
    true,
    true,
    true,
  ]);
  assertStrictEquals(mem.read8(maddrOf(mfn(0x20), 0xfff)), 0xab);
  assertStrictEquals(mmu.read8(0x4fffn), 0xab);
});

Deno.test("Mmu answers faults as values", () => {
  const { mmu, cpu } = machine();
  const write = mmu.write8(0x5008, 1) as Fault;
  assertEquals(write, {
    kind: "#PF",
    va: 0x5008n,
    errorCode: 7,
    present: true,
    write: true,
    user: true,
    reserved: false,
    fetch: false,
    key: false,
    level: 1,
    why: 4,
  });
  assertEquals([cpu.cr2Hi, cpu.cr2Lo], [0, 0x5008]);
  assertEquals((mmu.read8(0x8000_0000_0000n) as Fault).kind, "#GP");
  assertEquals(mmu.read8(0x6000), { kind: "no-memory", va: 0x6000n, frame: 0x5000, level: 0 });
  assertEquals(mmu.write8(0x6000, 1), { kind: "no-memory", va: 0x6000n, frame: 0x5000, level: 0 });
});

Deno.test("Mmu takes any 64 bits and refuses what is no address", () => {
  const { mmu } = machine();
  assertStrictEquals(mmu.access(0xffff_ffff_ffff_f000n, "read").kind, "#PF");
  const table: [act: () => unknown, error: new () => Error, message: string][] = [
    [() => mmu.access(-1, "read"), RangeError, "Cannot access address -1"],
    [() => mmu.access(0.5, "read"), RangeError, "Cannot access address 0.5"],
    [() => mmu.access(2 ** 53 + 8, "read"), RangeError, "write it as a bigint"],
    [() => mmu.access(1n << 64n, "read"), RangeError, "at most 64 bits"],
    [() => mmu.access("0x4000" as never, "read"), TypeError, 'Cannot access address "0x4000"'],
    [() => mmu.access(0x4000, "wirte" as never), RangeError, 'did you mean "write"'],
    [() => mmu.write8(0x4000, 256), RangeError, "Cannot write the byte 256"],
  ];
  for (const [act, error, message] of table) assertThrows(act, error, message);
});

Deno.test("describeFault says the rule in a sentence", () => {
  const { mmu } = machine();
  assertStrictEquals(
    describeFault(mmu.write8(0x5008, 1) as Fault),
    "#PF error 0x7 (P W/R U/S): user write at 0x5008; PTE, level 1: " +
      "a user-mode write needs R/W = 1 in every entry of the walk (sdm 3A 4.6.1).",
  );
  assertStrictEquals(
    describeFault(mmu.access(0x8000_0000_0000n, "read") as Fault),
    "#GP(0): the address is not canonical.",
  );
  assertStrictEquals(
    describeFault({ kind: "no-memory", va: 0x1000n, frame: 0x9999, level: 3 }),
    "No memory behind frame 0x9999, the table of PDPTEs, on the way to 0x1000.",
  );
  assertEquals([describeErrorCode(0), describeErrorCode(0x3f)], ["none", "P W/R U/S RSVD I/D PK"]);
  for (let why = 1; why <= 12; why++) assertStrictEquals(typeof RULES[why]?.rule, "string", `rule ${why}`);
});

Deno.test("explainWalk draws the walk and touches nothing", () => {
  const { mem, cpu, tables } = machine();
  const before = [0, 1, 2, 3].map((i) => mem.read64(maddrOf(mfn(1 + i))));
  assertEquals(explainWalk(cpu, mem, 0x4005, "write"), [
    "0x4005  write at CPL 3",
    "├ CR3           frame 0x1",
    "├ PML4E [  0]   0x0000000000002007  frame 0x2 P RW US",
    "├ PDPTE [  0]   0x0000000000003007  frame 0x3 P RW US",
    "├ PDE   [  0]   0x0000000000004007  frame 0x4 P RW US",
    "├ PTE   [  4]   0x0000000000020007  frame 0x20 P RW US",
    "└ frame 0x20 + 0x5, 4 KiB page: readable, writable, executable, user",
  ]);
  assertEquals([0, 1, 2, 3].map((i) => mem.read64(maddrOf(mfn(1 + i)))), before);
  assertEquals([cpu.trace.count("walk_step"), cpu.tlb.size], [0, 0]);
  assertStrictEquals(explainWalk(cpu, mem, 0x40_0000, "read").length, 6);
  assertStrictEquals(explainWalk(cpu, mem, 0x8000_0000_0000n, "read").length, 2);
  mem.write64(tables.lookup(0x4000)!.at, 0n);
  assertStrictEquals(explainWalk(cpu, mem, 0x4005, "write").at(-1)!.includes("P = 0"), true);
});
