import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { maddrOf, mfn } from "../../../lib/core/frames.ts";
import { Trace } from "../../../lib/trace/trace.ts";
import {
  ACCESS_FETCH,
  ACCESS_PEEK,
  ACCESS_READ,
  ACCESS_WRITE,
  AccessResult,
  OUTCOME_GENERAL_PROTECTION,
  OUTCOME_NESTED,
  OUTCOME_OK,
  OUTCOME_PAGE_FAULT,
} from "../../../lib/x86/access.ts";
import { Cpu } from "../../../lib/x86/cpu.ts";
import { ept, EPT_ACCESSED, EPT_DIRTY, type EptOptions } from "../../../lib/x86/ept.ts";
import {
  describeNestedExit,
  NESTED_EPT_MISCONFIGURATION,
  NESTED_EPT_VIOLATION,
  NESTED_NO_MEMORY,
  NESTED_OK,
  NESTED_PAGE_FAULT,
  NESTED_READ,
  NestedResult,
  type NestedTables,
} from "../../../lib/x86/nested_access.ts";
import { nestedWalk } from "../../../lib/x86/nested_walk.ts";
import { npt } from "../../../lib/x86/npt.ts";
import { type PageSizeName, PageTable } from "../../../lib/x86/page_table.ts";
import { PhysMem } from "../../../lib/x86/phys_mem.ts";
import { _PAGE_ACCESSED, _PAGE_DIRTY, _PAGE_NX } from "../../../lib/x86/pte.ts";

/** Guest frame g is machine frame g + BASE. */
const BASE = 0x40000;
const EPT_LEAF = 0x37;
const OPEN = 7;
const VA = 0x1234_5678;

interface Shape {
  readonly format?: "EPT" | "NPT";
  readonly guestPage?: PageSizeName;
  readonly nestedPage?: PageSizeName;
  readonly guestLevels?: 4 | 5;
  readonly ept?: EptOptions;
}

/** A guest whose page at VA is guest frame 0x10345 of a 2 MiB-aligned run, all of its memory mapped one to one. */
function machine(
  { format = "EPT", guestPage = "4K", nestedPage = "4K", guestLevels = 4, ept: options = {} }: Shape = {},
) {
  const mem = new PhysMem(0x100000);
  // The guest builds its tables in machine frames; entries hold guest frames, so they are moved afterwards.
  let guestNext = 1;
  const build = new PhysMem(0x100000);
  const guestTables = new PageTable(build, { allocate: () => mfn(guestNext++), levels: guestLevels });
  const align = { "4K": 0xfff, "2M": 0x1f_ffff, "1G": 0x3fff_ffff }[guestPage];
  const frame = guestPage === "1G" ? 0 : guestPage === "2M" ? 0x10200 : 0x10345;
  guestTables.map(VA & ~align, mfn(frame), { size: guestPage });
  for (let g = 1; g < guestNext; g++) {
    for (let i = 0; i < 512; i++) {
      const entry = build.read64(maddrOf(mfn(g), i * 8));
      if (entry !== 0n) mem.write64(maddrOf(mfn(BASE + g), i * 8), entry);
    }
  }
  let next = 0x80000;
  const tables = new PageTable(mem, { allocate: () => mfn(next++) });
  const flags = format === "EPT" ? EPT_LEAF : OPEN;
  // All that the tests touch: the guest's tables, and the runs around its pages.
  const runs =
    { "4K": [[0, 16], [0x10200, 0x200], [0x12345, 1]], "2M": [[0, 0x100]], "1G": [[0, 1]] }[nestedPage];
  for (const [gfn, pages] of runs) {
    tables.map(gfn! * 4096, mfn(BASE + gfn!), { flags, size: nestedPage, pages: pages! });
  }
  const nested: NestedTables = format === "EPT" ? ept(0x80000, options) : npt(0x80000);
  const cr4 = guestLevels === 5 ? 1 << 12 | 1 << 5 : 1 << 5;
  const cpu = new Cpu({ trace: new Trace(), registers: { root: guestTables.root, cpl: 3, cr4 } });
  const out = new AccessResult();
  const result = new NestedResult();
  const go = (access: number, va = VA) => nestedWalk({ cpu, nested, mem }, 0, va, access, out, result);
  const leafAt = (gfn: number) => tables.lookup(gfn * 4096)!.at;
  return { mem, tables, cpu, out, result, go, leafAt, nested };
}

Deno.test("nestedWalk makes 24 references four in four, and fewer with large pages in either dimension", () => {
  const table: [shape: Shape, guest: number, nested: number, frame: number][] = [
    [{}, 4, 20, BASE + 0x10345],
    [{ format: "NPT" }, 4, 20, BASE + 0x10345],
    [{ guestPage: "2M" }, 3, 16, BASE + 0x10200 + 0x145],
    [{ guestPage: "1G" }, 2, 12, BASE + 0x12345],
    [{ nestedPage: "2M" }, 4, 15, BASE + 0x10345],
    [{ format: "NPT", nestedPage: "1G" }, 4, 10, BASE + 0x10345],
    [{ guestPage: "2M", nestedPage: "2M" }, 3, 12, BASE + 0x10200 + 0x145],
    [{ guestLevels: 5 }, 5, 24, BASE + 0x10345],
  ];
  for (const [shape, guest, nested, frame] of table) {
    const rule = JSON.stringify(shape);
    const { go, out, cpu } = machine(shape);
    assertStrictEquals(go(ACCESS_READ), OUTCOME_OK, rule);
    assertEquals([out.frame, cpu.trace.count("walk_step"), cpu.trace.count("nested_step")], [
      frame,
      guest,
      nested,
    ], rule);
  }
});

Deno.test("EPT violations name access, rights and where they happened", () => {
  const DATA = 0x10345;
  const PT = 4; // guest frame of the page table
  const table: [
    rule: string,
    gfn: number,
    rights: number,
    access: number,
    qualification: number | undefined,
  ][] = [
    ["control", DATA, 7, ACCESS_WRITE, undefined],
    ["page absent, read", DATA, 0, ACCESS_READ, 0x181],
    ["page absent, write", DATA, 0, ACCESS_WRITE, 0x182],
    ["page absent, fetch", DATA, 0, ACCESS_FETCH, 0x184],
    ["page read-only, write", DATA, 5, ACCESS_WRITE, 0x182 | 5 << 3],
    ["page read-only, read", DATA, 5, ACCESS_READ, undefined],
    ["page not executable, fetch", DATA, 3, ACCESS_FETCH, 0x184 | 3 << 3],
    ["page execute-only, read", DATA, 4, ACCESS_READ, 0x181 | 4 << 3],
    ["guest table absent", PT, 0, ACCESS_READ, 0x81],
    ["guest table read-only: setting A is a write", PT, 5, ACCESS_READ, 0x82 | 5 << 3],
  ];
  for (const [rule, gfn, rights, access, qualification] of table) {
    const { go, mem, leafAt, result } = machine();
    const at = leafAt(gfn);
    mem.write64(at, mem.read64(at) & ~7n | BigInt(rights));
    const outcome = go(access);
    if (qualification === undefined) assertStrictEquals(outcome, OUTCOME_OK, rule);
    else {
      assertEquals([outcome, result.outcome, result.qualification], [
        OUTCOME_NESTED,
        NESTED_EPT_VIOLATION,
        qualification,
      ], rule);
      assertStrictEquals(describeNestedExit(result).includes("EPT violation"), true);
    }
  }
});

Deno.test("EPT misconfigurations stop the walk", () => {
  const table: [rule: string, change: (entry: bigint) => bigint, options: EptOptions, isWrong: boolean][] = [
    ["control", (e) => e, {}, false],
    ["writable, not readable", (e) => e & ~1n, {}, true],
    ["execute-only, allowed", (e) => e & ~3n, { executeOnly: true }, false],
    ["execute-only, not allowed", (e) => e & ~3n, { executeOnly: false }, true],
    ["memory type 2", (e) => e & ~0x38n | 0x10n, {}, true],
    ["memory type 5", (e) => e & ~0x38n | 0x28n, {}, false],
    ["memory type 7", (e) => e | 0x38n, {}, true],
    ["address bit 46", (e) => e | 1n << 46n, { maxPhyAddr: 46 }, true],
    ["bit 63", (e) => e | 1n << 63n, {}, false],
  ];
  for (const [rule, change, options, isWrong] of table) {
    const { go, mem, leafAt, result } = machine({ ept: options });
    const at = leafAt(0x10345);
    mem.write64(at, change(mem.read64(at)));
    const outcome = go(ACCESS_FETCH);
    assertEquals([outcome, result.outcome === NESTED_EPT_MISCONFIGURATION], [
      isWrong ? OUTCOME_NESTED : OUTCOME_OK,
      isWrong,
    ], rule);
  }
});

Deno.test("EPT accessed and dirty flags: the walk's reads of guest tables are writes", () => {
  const { go, mem, leafAt, result, out } = machine({ ept: { accessedDirty: true } });
  const bits = (gfn: number) => Number(mem.read64(leafAt(gfn))) & (EPT_ACCESSED | EPT_DIRTY);
  assertStrictEquals(go(ACCESS_READ), OUTCOME_OK);
  assertEquals([bits(0x10345), bits(4), bits(0x10346)], [EPT_ACCESSED, EPT_ACCESSED | EPT_DIRTY, 0]);
  assertStrictEquals(go(ACCESS_WRITE), OUTCOME_OK);
  assertStrictEquals(bits(0x10345), EPT_ACCESSED | EPT_DIRTY);
  // With A already set a read-only guest table is fine without the flags, and a violation with them.
  const at = leafAt(4);
  mem.write64(at, mem.read64(at) & ~2n);
  assertEquals([go(ACCESS_READ), result.qualification, out.level], [OUTCOME_NESTED, 0x83 | 5 << 3, 1]);
  assertEquals([result.level, result.gpaLo >>> 12], [1, 4]);
});

Deno.test("NPT faults carry the error code of a user access and where they happened", () => {
  const DATA = 0x10345;
  const FINAL = 1, TABLE = 2;
  const NX = 1n << 63n;
  const table: [
    rule: string,
    gfn: number,
    change: (e: bigint) => bigint,
    access: number,
    info: [number, number] | undefined,
  ][] = [
    ["control", DATA, (e) => e, ACCESS_WRITE, undefined],
    ["absent, read", DATA, () => 0n, ACCESS_READ, [4, FINAL]],
    ["absent, write", DATA, () => 0n, ACCESS_WRITE, [6, FINAL]],
    ["absent, fetch", DATA, () => 0n, ACCESS_FETCH, [0x14, FINAL]],
    ["read-only, write", DATA, (e) => e & ~2n, ACCESS_WRITE, [7, FINAL]],
    ["read-only, read", DATA, (e) => e & ~2n, ACCESS_READ, undefined],
    ["NX, fetch", DATA, (e) => e | NX, ACCESS_FETCH, [0x15, FINAL]],
    ["supervisor page", DATA, (e) => e & ~4n, ACCESS_READ, [5, FINAL]],
    ["reserved address bit", DATA, (e) => e | 1n << 51n, ACCESS_READ, [0xd, FINAL]],
    ["guest table read-only", 4, (e) => e & ~2n, ACCESS_READ, [7, TABLE]],
    ["guest table absent", 4, () => 0n, ACCESS_FETCH, [6, TABLE]],
  ];
  for (const [rule, gfn, change, access, info] of table) {
    const { go, mem, leafAt, result } = machine({ format: "NPT" });
    const at = leafAt(gfn);
    mem.write64(at, change(mem.read64(at)));
    const outcome = go(access);
    if (info === undefined) assertStrictEquals(outcome, OUTCOME_OK, rule);
    else {
      assertEquals([outcome, result.outcome, result.qualification, result.qualificationHi], [
        OUTCOME_NESTED,
        NESTED_PAGE_FAULT,
        ...info,
      ], rule);
      assertStrictEquals(describeNestedExit(result).includes("NPF"), true);
    }
  }
});

Deno.test("nestedWalk leaves the guest's own faults to the guest, and sets its accessed and dirty bits", () => {
  const { go, mem, out, cpu } = machine();
  const pte = maddrOf(mfn(BASE + 4), (VA >> 12 & 511) * 8);
  const bits = () => Number(mem.read64(pte)) & (_PAGE_ACCESSED | _PAGE_DIRTY);
  assertEquals([go(ACCESS_READ), bits()], [OUTCOME_OK, _PAGE_ACCESSED]);
  assertEquals([go(ACCESS_WRITE), bits()], [OUTCOME_OK, _PAGE_ACCESSED | _PAGE_DIRTY]);
  const entry = mem.read64(pte);
  const table: [entry: bigint, access: number, error: number][] = [
    [0n, ACCESS_READ, 4],
    [entry & ~2n, ACCESS_WRITE, 7],
    [entry | BigInt(_PAGE_NX >>> 12) << 52n, ACCESS_FETCH, 0x15],
    [entry | 1n << 50n, ACCESS_READ, 0xd],
  ];
  for (const [changed, access, error] of table) {
    mem.write64(pte, changed);
    assertEquals([go(access), out.errorCode, out.level], [OUTCOME_PAGE_FAULT, error, 1]);
  }
  assertStrictEquals(
    nestedWalk({ cpu, nested: ept(1), mem }, 0x8000, 0, ACCESS_READ, out, new NestedResult()),
    OUTCOME_GENERAL_PROTECTION,
  );
  assertThrows(() => go(ACCESS_READ | ACCESS_PEEK), RangeError, "Cannot walk both dimensions for a peek");
});

Deno.test("Nested tables answer what they cannot reach, and never hang", () => {
  const mem = new PhysMem(16);
  const trace = new Trace();
  const out = new NestedResult();
  mem.write64(maddrOf(mfn(1)), 0x1007n); // points to itself
  for (const tables of [ept(1), npt(1)]) {
    assertEquals([tables.translate(mem, trace, 0, 0x123, NESTED_READ, out), out.paLo], [
      // The last level is a leaf whose memory type is 0: it maps the table itself.
      NESTED_OK,
      0x1123,
    ]);
  }
  mem.write64(maddrOf(mfn(2)), 0x10_0007n);
  mem.write64(maddrOf(mfn(3)), 1n << 45n | 7n);
  for (const make of [ept, npt]) {
    assertEquals([make(2).translate(mem, trace, 0, 0, NESTED_READ, out), out.paHi], [
      NESTED_NO_MEMORY,
      0x100,
    ]);
    assertEquals([make(3).translate(mem, trace, 0, 0, NESTED_READ, out), out.paHi], [
      NESTED_NO_MEMORY,
      2 ** 33,
    ]);
    assertStrictEquals(make(99).translate(mem, trace, 0, 0, NESTED_READ, out), NESTED_NO_MEMORY);
    assertStrictEquals(make(1).translate(mem, trace, 0x10000, 0, NESTED_READ, out) === NESTED_OK, false);
    assertThrows(() => make(-1), RangeError, "with root frame -1");
    assertThrows(() => make(1, { maxPhyAddr: 53 }), RangeError, "for MAXPHYADDR 53");
  }
  assertStrictEquals(describeNestedExit(out).includes("guest-physical 0x1000000000000"), true);
});

Deno.test("A guest with paging off uses the nested tables alone", () => {
  const { cpu, go, out } = machine();
  cpu.load({ cr0: 1 });
  assertEquals([go(ACCESS_WRITE, 0x10345_123), out.frame, cpu.trace.count("nested_step")], [
    OUTCOME_OK,
    BASE + 0x10345,
    4,
  ]);
});
