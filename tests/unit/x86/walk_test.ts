import { assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { maddrOf, mfn, splitVaddr } from "../../../lib/core/frames.ts";
import {
  ACCESS_FETCH,
  ACCESS_IMPLICIT,
  ACCESS_PEEK,
  ACCESS_READ,
  ACCESS_WRITE,
  AccessResult,
  OUTCOME_GENERAL_PROTECTION,
  OUTCOME_NO_MEMORY,
  OUTCOME_OK,
  OUTCOME_PAGE_FAULT,
  WHY_RESERVED,
} from "../../../lib/x86/access.ts";
import { Cpu, type Registers } from "../../../lib/x86/cpu.ts";
import { indexAt } from "../../../lib/x86/levels.ts";
import { translate } from "../../../lib/x86/mmu.ts";
import { PhysMem } from "../../../lib/x86/phys_mem.ts";
import {
  CR0_PE,
  CR0_PG,
  CR4_LA57,
  CR4_PAE,
  CR4_PKE,
  CR4_PKS,
  CR4_SMAP,
  CR4_SMEP,
  EFER_LMA,
  EFER_LME,
} from "../../../lib/x86/registers.ts";
import { walk } from "../../../lib/x86/walk.ts";
import { holds } from "../../support/property.ts";

const VA = 0xffff_8123_4567_8000n;
const NX = 1n << 63n;
const KEY1 = 1n << 59n;
const NO_WP = CR0_PG | CR0_PE;
const NO_NXE = EFER_LME | EFER_LMA;

/** Tables 1, 2, 3 … from the top; the last entry is the leaf. Answers memory and the addresses of the entries. */
function layOut(entries: readonly bigint[], va: bigint, top: number): { mem: PhysMem; at: number[] } {
  const mem = new PhysMem(2 ** 30);
  const [hi, lo] = splitVaddr(va);
  const at = entries.map((_, i) => maddrOf(mfn(i + 1), indexAt(top - i, hi, lo) * 8));
  entries.forEach((entry, i) => mem.write64(at[i]!, entry));
  return { mem, at };
}

/** Entries of a walk to frame 0x55: tables 2 … n with these flags, then the leaf. */
function chain(levels: number, leaf: bigint, flags = 7n): bigint[] {
  const tables = Array.from({ length: levels - 1 }, (_, i) => BigInt(i + 2) << 12n | flags);
  return [...tables, 0x55000n | leaf];
}

interface Given {
  readonly entries?: readonly bigint[];
  readonly leaf?: bigint;
  readonly access?: number;
  readonly registers?: Registers;
  readonly va?: bigint;
  readonly maxPhyAddr?: number;
  readonly has1GiBPages?: boolean;
}

/** Walks and answers "ok FRAME", "pf ERROR", "gp" or "no memory FRAME". */
function outcome(given: Given): string {
  const { leaf = 7n, access = ACCESS_READ, registers = {}, va = VA, maxPhyAddr = 40, has1GiBPages = true } =
    given;
  const top = ((registers.cr4 ?? 0) & CR4_LA57) !== 0 ? 5 : 4;
  const { mem } = layOut(given.entries ?? chain(top, leaf), va, top);
  const cpu = new Cpu({ maxPhyAddr, has1GiBPages, registers: { root: mfn(1), ...registers } });
  const out = new AccessResult();
  const [hi, lo] = splitVaddr(va);
  const result = walk(cpu, mem, hi, lo, access, out);
  if (result === OUTCOME_OK) return `ok ${out.frame.toString(16)}`;
  if (result === OUTCOME_PAGE_FAULT) return `pf ${out.errorCode.toString(16)}`;
  return result === OUTCOME_NO_MEMORY ? `no memory ${out.frame.toString(16)}` : "gp";
}

function check(table: readonly [rule: string, given: Given, expected: string][]): void {
  for (const [rule, given, expected] of table) assertStrictEquals(outcome(given), expected, rule);
}

const user = { cpl: 3 };
const smap = { cr4: CR4_PAE | CR4_SMAP };
const smep = { cr4: CR4_PAE | CR4_SMEP };
const pke = { cr4: CR4_PAE | CR4_PKE };
const pks = { cr4: CR4_PAE | CR4_PKS };

Deno.test("walk applies U/S, R/W and NX to user accesses", () =>
  check([
    ["control", { registers: user, access: ACCESS_WRITE }, "ok 55"],
    ["read of a supervisor page", { registers: user, leaf: 3n }, "pf 5"],
    ["write to a read-only page", { registers: user, leaf: 5n, access: ACCESS_WRITE }, "pf 7"],
    ["write to a read-only page, WP = 0", {
      registers: { ...user, cr0: NO_WP },
      leaf: 5n,
      access: ACCESS_WRITE,
    }, "pf 7"],
    ["read of a read-only page", { registers: user, leaf: 5n }, "ok 55"],
    ["fetch from an NX page", { registers: user, leaf: 7n | NX, access: ACCESS_FETCH }, "pf 15"],
    ["read of an NX page", { registers: user, leaf: 7n | NX }, "ok 55"],
    ["fetch, NX set above only", {
      registers: user,
      entries: [0x2007n, 0x3007n | NX, 0x4007n, 0x55007n],
      access: ACCESS_FETCH,
    }, "pf 15"],
    ["U/S clear above only", { registers: user, entries: [0x2003n, 0x3007n, 0x4007n, 0x55007n] }, "pf 5"],
    ["R/W clear above only", {
      registers: user,
      entries: [0x2007n, 0x3007n, 0x4005n, 0x55007n],
      access: ACCESS_WRITE,
    }, "pf 7"],
    ["implicit access at CPL 3 is a supervisor access", {
      registers: user,
      leaf: 3n,
      access: ACCESS_IMPLICIT,
    }, "ok 55"],
  ]));

Deno.test("walk applies WP, SMEP and SMAP to supervisor accesses", () =>
  check([
    ["control", { access: ACCESS_WRITE }, "ok 55"],
    ["CPL 2 is supervisor", { registers: { cpl: 2 }, leaf: 3n }, "ok 55"],
    ["write to a read-only page, WP = 1", { leaf: 5n, access: ACCESS_WRITE }, "pf 3"],
    ["read of a read-only page, WP = 1", { leaf: 1n }, "ok 55"],
    ["fetch from an NX page", { leaf: 3n | NX, access: ACCESS_FETCH }, "pf 11"],
    [
      "write to a read-only page, WP = 0",
      { leaf: 5n, access: ACCESS_WRITE, registers: { cr0: NO_WP } },
      "ok 55",
    ],
    ["fetch from a user page, SMEP", { registers: smep, access: ACCESS_FETCH }, "pf 11"],
    ["fetch from a user page, no SMEP", { access: ACCESS_FETCH }, "ok 55"],
    ["fetch from a supervisor page, SMEP", { registers: smep, leaf: 3n, access: ACCESS_FETCH }, "ok 55"],
    ["read of a user page, SMEP", { registers: smep }, "ok 55"],
    ["read of a user page, SMAP", { registers: smap }, "pf 1"],
    ["read of a user page, SMAP and AC", { registers: { ...smap, ac: 1 } }, "ok 55"],
    ["implicit access to a user page, SMAP and AC", {
      registers: { ...smap, ac: 1 },
      access: ACCESS_IMPLICIT,
    }, "pf 1"],
    ["read of a supervisor page, SMAP", { registers: smap, leaf: 3n }, "ok 55"],
    ["fetch from a user page, SMAP", { registers: smap, access: ACCESS_FETCH }, "ok 55"],
    ["write with SMAP and AC still obeys WP", {
      registers: { ...smap, ac: 1 },
      leaf: 5n,
      access: ACCESS_WRITE,
    }, "pf 3"],
    ["I/D is reported with SMEP even without NXE", {
      registers: { ...smep, efer: NO_NXE },
      access: ACCESS_FETCH,
    }, "pf 11"],
    ["I/D is not reported without SMEP and NXE", {
      registers: { efer: NO_NXE, ...user },
      leaf: 3n,
      access: ACCESS_FETCH,
    }, "pf 5"],
  ]));

Deno.test("walk applies protection keys to data accesses", () =>
  check([
    ["control", { registers: { ...pke, ...user, pkru: 0 }, leaf: 7n | KEY1 }, "ok 55"],
    ["control, write", {
      registers: { ...pke, ...user, pkru: 0 },
      leaf: 7n | KEY1,
      access: ACCESS_WRITE,
    }, "ok 55"],
    ["AD of the key", { registers: { ...pke, ...user, pkru: 4 }, leaf: 7n | KEY1 }, "pf 25"],
    ["AD of another key", { registers: { ...pke, ...user, pkru: 1 }, leaf: 7n | KEY1 }, "ok 55"],
    [
      "AD, fetch",
      { registers: { ...pke, ...user, pkru: 4 }, leaf: 7n | KEY1, access: ACCESS_FETCH },
      "ok 55",
    ],
    ["AD while PKE = 0", { registers: { ...user, pkru: 4 }, leaf: 7n | KEY1 }, "ok 55"],
    ["WD, read", { registers: { ...pke, ...user, pkru: 8 }, leaf: 7n | KEY1 }, "ok 55"],
    [
      "WD, write",
      { registers: { ...pke, ...user, pkru: 8 }, leaf: 7n | KEY1, access: ACCESS_WRITE },
      "pf 27",
    ],
    ["WD, user write, WP = 0", {
      registers: { ...pke, ...user, pkru: 8, cr0: NO_WP },
      leaf: 7n | KEY1,
      access: ACCESS_WRITE,
    }, "pf 27"],
    ["WD, supervisor write to a user page", {
      registers: { ...pke, pkru: 8 },
      leaf: 7n | KEY1,
      access: ACCESS_WRITE,
    }, "pf 23"],
    ["WD, supervisor write, WP = 0", {
      registers: { ...pke, pkru: 8, cr0: NO_WP },
      leaf: 7n | KEY1,
      access: ACCESS_WRITE,
    }, "ok 55"],
    ["PKRU does not govern supervisor pages", { registers: { ...pke, pkru: 4 }, leaf: 3n | KEY1 }, "ok 55"],
    ["PKRS governs supervisor pages", { registers: { ...pks, pkrs: 4 }, leaf: 3n | KEY1 }, "pf 21"],
    ["PKRS while PKS = 0", { registers: { ...pke, pkrs: 4 }, leaf: 3n | KEY1 }, "ok 55"],
    ["PKRS does not govern user pages", { registers: { ...pks, pkrs: 4 }, leaf: 7n | KEY1 }, "ok 55"],
    ["key 15", { registers: { ...pke, ...user, pkru: 1 << 30 }, leaf: 7n | 15n << 59n }, "pf 25"],
    ["the key beside a read-only page", {
      registers: { ...pke, ...user, pkru: 4 },
      leaf: 5n | KEY1,
      access: ACCESS_WRITE,
    }, "pf 27"],
  ]));

Deno.test("walk finds reserved bits at every level", () =>
  check([
    ["control: highest physical address of 40 bits", { leaf: 0xff_ffff_f007n }, "ok fffffff"],
    ["bit 40 with MAXPHYADDR 40", { leaf: 7n | 1n << 40n }, "pf 9"],
    ["bit 40 with MAXPHYADDR 41", { leaf: 7n | 1n << 40n, maxPhyAddr: 41 }, "ok 10000055"],
    ["bit 51 with MAXPHYADDR 51", { leaf: 7n | 1n << 51n, maxPhyAddr: 51 }, "pf 9"],
    ["bit 51 with MAXPHYADDR 52", { leaf: 7n | 1n << 51n, maxPhyAddr: 52 }, "ok 8000000055"],
    ["bit 36 with MAXPHYADDR 36", { leaf: 7n | 1n << 36n, maxPhyAddr: 36 }, "pf 9"],
    ["bits 58:52 are ignored", { leaf: 7n | 0x7fn << 52n }, "ok 55"],
    ["the key while PKE = 0 is ignored", { leaf: 7n | 15n << 59n }, "ok 55"],
    ["NX with NXE", { leaf: 7n | NX }, "ok 55"],
    ["NX without NXE", { leaf: 7n | NX, registers: { efer: NO_NXE } }, "pf 9"],
    ["NX without NXE, not present", { leaf: 6n | NX, registers: { efer: NO_NXE } }, "pf 0"],
    ["PS in a PML4E", { entries: [0x2087n, 0x3007n, 0x4007n, 0x55007n] }, "pf 9"],
    ["user write", {
      entries: [0x2087n, 0x3007n, 0x4007n, 0x55007n],
      registers: user,
      access: ACCESS_WRITE,
    }, "pf f"],
    ["bit 40 in a PDPTE", { entries: [0x2007n, 0x3007n | 1n << 40n, 0x4007n, 0x55007n] }, "pf 9"],
    ["1 GiB leaf", { entries: [0x2007n, 0x4000_0087n] }, "ok 45678"],
    ["1 GiB leaf without that feature", { entries: [0x2007n, 0x4000_0087n], has1GiBPages: false }, "pf 9"],
    ["1 GiB leaf with PAT", { entries: [0x2007n, 0x4000_1087n] }, "ok 45678"],
    ["1 GiB leaf with bit 13", { entries: [0x2007n, 0x4000_2087n] }, "pf 9"],
    ["1 GiB leaf with bit 29", { entries: [0x2007n, 0x6000_0087n] }, "pf 9"],
    ["2 MiB leaf", { entries: [0x2007n, 0x3007n, 0x60_0087n] }, "ok 678"],
    ["2 MiB leaf with PAT", { entries: [0x2007n, 0x3007n, 0x60_1087n] }, "ok 678"],
    ["2 MiB leaf with bit 13", { entries: [0x2007n, 0x3007n, 0x60_2087n] }, "pf 9"],
    ["2 MiB leaf with bit 20", { entries: [0x2007n, 0x3007n, 0x70_0087n] }, "pf 9"],
    ["PAT in a PTE", { leaf: 0x87n }, "ok 55"],
    ["reserved before rights", { leaf: 1n | 1n << 40n, registers: user }, "pf d"],
  ]));

Deno.test("walk checks canonical form before it reads a table", () => {
  const la57 = { cr4: CR4_PAE | CR4_LA57 };
  check([
    ["control, 48 bits", { va: 0x7fff_ffff_f000n }, "ok 55"],
    ["first above the lower half", { va: 0x8000_0000_0000n }, "gp"],
    ["last below the upper half", { va: 0xffff_7fff_ffff_f000n }, "gp"],
    ["first of the upper half", { va: 0xffff_8000_0000_0000n }, "ok 55"],
    ["the same address with 57 bits", { va: 0x8000_0000_0000n, registers: la57 }, "ok 55"],
    ["57 bits, last of the lower half", { va: 0xff_ffff_ffff_f000n, registers: la57 }, "ok 55"],
    ["57 bits, first above it", { va: 0x100_0000_0000_0000n, registers: la57 }, "gp"],
    ["57 bits, last below the upper half", { va: 0xfeff_ffff_ffff_f000n, registers: la57 }, "gp"],
    ["57 bits, first of the upper half", { va: 0xff00_0000_0000_0000n, registers: la57 }, "ok 55"],
    ["57 bits, PS in the PML5E", {
      entries: [0x2087n, 0x3007n, 0x4007n, 0x5007n, 0x55007n],
      registers: la57,
    }, "pf 9"],
  ]);
});

Deno.test("walk stops at the first entry that is not present", () =>
  check([
    ["control", {}, "ok 55"],
    ["PML4E", { entries: [0x2006n] }, "pf 0"],
    ["PDPTE", { entries: [0x2007n, 0x3006n] }, "pf 0"],
    ["PDE", { entries: [0x2007n, 0x3007n, 0x4006n] }, "pf 0"],
    ["PTE", { leaf: 6n }, "pf 0"],
    ["user write", { leaf: 6n, registers: user, access: ACCESS_WRITE }, "pf 6"],
    ["user fetch", { leaf: 6n, registers: user, access: ACCESS_FETCH }, "pf 14"],
    ["nothing else of the entry counts", { leaf: 0xffff_ffff_ffff_fffen }, "pf 0"],
  ]));

Deno.test("walk into unbacked memory and into itself are outcomes", () =>
  check([
    ["table just inside memory is empty", { entries: [0x3f_ffff_f007n], maxPhyAddr: 46 }, "pf 0"],
    ["table beyond memory", { entries: [(1n << 42n) | 7n], maxPhyAddr: 46 }, "no memory 40000000"],
    [
      "the highest frame there can be",
      { entries: [0xf_ffff_ffff_f007n], maxPhyAddr: 52 },
      "no memory ffffffffff",
    ],
    ["top table beyond memory", { registers: { root: mfn(0x40000000) } }, "no memory 40000000"],
    ["page beyond memory translates", { leaf: 0x3fff_ffff_f007n, maxPhyAddr: 46 }, "ok 3ffffffff"],
    ["a top table that points to itself", { va: 0n, entries: [0x1007n] }, "ok 1"],
  ]));

/** Accessed and dirty bits set by one access, a letter an entry. */
function bitsSet(entries: readonly bigint[], access: number, registers: Registers = {}): string {
  const { mem, at } = layOut(entries, VA, 4);
  const cpu = new Cpu({ maxPhyAddr: 40, registers: { root: mfn(1), ...registers } });
  const [hi, lo] = splitVaddr(VA);
  walk(cpu, mem, hi, lo, access, new AccessResult());
  const letters = new Map([[0n, "."], [0x20n, "A"], [0x40n, "D"], [0x60n, "B"]]);
  return entries.map((entry, i) => letters.get(mem.read64(at[i]! as never) ^ entry) ?? "?").join("");
}

Deno.test("walk sets accessed and dirty bits where the manual says so", () => {
  const table: [rule: string, entries: bigint[], access: number, registers: Registers, expected: string][] = [
    ["read", chain(4, 7n), ACCESS_READ, {}, "AAAA"],
    ["write", chain(4, 7n), ACCESS_WRITE, {}, "AAAB"],
    ["fetch", chain(4, 7n), ACCESS_FETCH, {}, "AAAA"],
    ["read, all set before", chain(4, 0x27n, 0x27n), ACCESS_READ, {}, "...."],
    ["write, accessed before", chain(4, 0x27n, 0x27n), ACCESS_WRITE, {}, "...D"],
    ["write, dirty but not accessed", chain(4, 0x47n, 0x27n), ACCESS_WRITE, {}, "...A"],
    ["write to a 2 MiB page", [0x2007n, 0x3007n, 0x60_0087n], ACCESS_WRITE, {}, "AAB"],
    ["denied write leaves the leaf alone", chain(4, 5n), ACCESS_WRITE, {}, "AAA."],
    ["not present", chain(4, 6n), ACCESS_READ, {}, "AAA."],
    ["peek", chain(4, 7n), ACCESS_WRITE | ACCESS_PEEK, {}, "...."],
    ["paging off", chain(4, 7n), ACCESS_READ, { cr0: CR0_PE }, "...."],
  ];
  for (const [rule, entries, access, registers, expected] of table) {
    assertStrictEquals(bitsSet(entries, access, registers), expected, rule);
  }
});

Deno.test("walk counts entries read and entries updated", () => {
  const { mem } = layOut(chain(4, 0x27n), VA, 4);
  const cpu = new Cpu({ registers: { root: mfn(1) } });
  const [hi, lo] = splitVaddr(VA);
  walk(cpu, mem, hi, lo, ACCESS_WRITE, new AccessResult());
  const { trace } = cpu;
  assertEquals([trace.count("walk_step"), trace.count("ad_update"), trace.count("page_fault")], [4, 4, 0]);
});

Deno.test("walk says which rule decided and what it read", () => {
  const { mem } = layOut([0x2007n, 0x3007n, 0x60_2087n], VA, 4);
  const cpu = new Cpu({ registers: { root: mfn(1) } });
  const out = new AccessResult();
  const [hi, lo] = splitVaddr(VA);
  walk(cpu, mem, hi, lo, ACCESS_READ, out);
  assertEquals([out.why, out.level, out.topLevel, out.entryLo[3], out.entryLo[2]], [
    WHY_RESERVED,
    2,
    4,
    0x3007,
    0x60_2087,
  ]);
});

Deno.test("walk with paging off is the identity", () =>
  check([["control", { registers: { cr0: CR0_PE }, va: 0x1234_5678n }, "ok 12345"]]));

Deno.test("translate answers the second time as the first, from the TLB or not", () => {
  const flags = fc.constantFrom(0n, 1n, 3n, 5n, 7n, 0x27n, 0x67n, 7n | NX, 7n | KEY1, 0x107n, 3n | KEY1);
  const registers = fc.record({
    cr0: fc.constantFrom(NO_WP, CR0_PG | CR0_PE | 1 << 16),
    cr4: fc.constantFrom(CR4_PAE, ...[smap, smep, pke, pks].map((r) => r.cr4), CR4_PAE | 1 << 7),
    cpl: fc.constantFrom(0, 3),
    ac: fc.constantFrom(0, 1),
    pkru: fc.constantFrom(0, 4, 8),
    pkrs: fc.constantFrom(0, 4, 8),
  });
  const access = fc.constantFrom(ACCESS_READ, ACCESS_WRITE, ACCESS_FETCH, ACCESS_IMPLICIT);
  holds([flags, flags, flags, flags, registers, access, access], (a, b, c, d, state, first, second) => {
    const { mem } = layOut([0x2000n | a, 0x3000n | b, 0x4000n | c, 0x55000n | d], VA, 4);
    const warm = new Cpu({ registers: { root: mfn(1), ...state } });
    const [hi, lo] = splitVaddr(VA);
    const out = new AccessResult();
    translate(warm, mem, hi, lo, first, out);
    const expected = new AccessResult();
    const cold = new Cpu({ registers: { root: mfn(1), ...state } });
    walk(cold, mem, hi, lo, second | ACCESS_PEEK, expected);
    assertStrictEquals(translate(warm, mem, hi, lo, second, out), expected.outcome);
    if (expected.outcome === OUTCOME_OK) assertStrictEquals(out.frame, expected.frame);
    if (expected.outcome === OUTCOME_PAGE_FAULT) {
      assertEquals([out.errorCode, out.why, out.level], [expected.errorCode, expected.why, expected.level]);
    }
    assertStrictEquals(expected.outcome === OUTCOME_GENERAL_PROTECTION, false);
  }, 500);
});
