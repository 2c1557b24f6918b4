/**
 * The p2m and the reverse look-up. Frames of the host used: dom0's pfn i is frame 0x1000 + i, the guest's pfn i is
 * frame 0x700 + i, dom0's p2m has 0x800 entries, of which 0x400 and up are ballooned.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { world } from "../../../../lib/experiments/world.ts";
import {
  INVALID_P2M_ENTRY,
  P2m,
  P2M_FOREIGN,
  P2M_IDENTITY,
  P2M_LOCAL,
} from "../../../../lib/linux/xen/p2m.ts";
import { Trace } from "../../../../lib/trace/trace.ts";

const ENTRIES: readonly {
  given: string;
  write?: [frame: number, mark?: number];
  pfn: number;
  mfn: number;
  mark: number;
  text: string;
}[] = [
  { given: "control: local", write: [0x1234], pfn: 3, mfn: 0x1234, mark: P2M_LOCAL, text: "0x1234" },
  {
    given: "FOREIGN",
    write: [0x1234, P2M_FOREIGN],
    pfn: 3,
    mfn: 0x1234,
    mark: P2M_FOREIGN,
    text: "FOREIGN(0x1234)",
  },
  {
    given: "IDENTITY inside the list",
    write: [3, P2M_IDENTITY],
    pfn: 3,
    mfn: 3,
    mark: P2M_IDENTITY,
    text: "IDENTITY(0x3)",
  },
  { given: "never written", pfn: 3, mfn: -1, mark: P2M_LOCAL, text: "INVALID" },
  {
    given: "INVALID with a mark: the mark does not count",
    write: [INVALID_P2M_ENTRY, P2M_FOREIGN],
    pfn: 3,
    mfn: -1,
    mark: P2M_LOCAL,
    text: "INVALID",
  },
  { given: "last entry", write: [0x55], pfn: 15, mfn: 0x55, mark: P2M_LOCAL, text: "0x55" },
  { given: "first pfn beyond the end", pfn: 16, mfn: 16, mark: P2M_IDENTITY, text: "IDENTITY(0x10)" },
];

for (const { given, write, pfn, mfn, mark, text } of ENTRIES) {
  Deno.test(`P2m holds an entry with its mark: ${given}`, () => {
    const p2m = new P2m(new Trace(), 16);
    if (write !== undefined) p2m.set(pfn, ...write);
    assertEquals([p2m.pfnToMfn(pfn), p2m.markOf(pfn), p2m.describe(pfn)], [mfn, mark, text]);
  });
}

const RAW: readonly { given: string; pfn: number; isLocal: boolean; isIdentity: boolean }[] = [
  { given: "control: same frame, no mark", pfn: 1, isLocal: true, isIdentity: false },
  { given: "FOREIGN of the same frame", pfn: 2, isLocal: false, isIdentity: false },
  { given: "IDENTITY", pfn: 3, isLocal: false, isIdentity: true },
  { given: "INVALID", pfn: 4, isLocal: false, isIdentity: false },
  { given: "beyond the end", pfn: 8, isLocal: false, isIdentity: true },
  { given: "no pfn at all", pfn: -1, isLocal: false, isIdentity: false },
];

for (const { given, pfn, isLocal, isIdentity } of RAW) {
  Deno.test(`P2m compares with the raw entry: ${given}`, () => {
    const p2m = new P2m(new Trace(), 8);
    p2m.set(1, 0x77);
    p2m.set(2, 0x77, P2M_FOREIGN);
    p2m.set(3, 3, P2M_IDENTITY);
    assertEquals(p2m.isLocal(pfn, pfn === 3 ? 3 : pfn === 8 ? 8 : 0x77), isLocal);
    assertEquals(p2m.isIdentity(pfn), isIdentity);
  });
}

Deno.test("P2m counts its reads and writes", () => {
  const trace = new Trace();
  const p2m = new P2m(trace, 4);
  p2m.set(0, 9);
  p2m.pfnToMfn(0);
  p2m.isLocal(0, 9);
  p2m.isIdentity(0);
  p2m.describe(0);
  p2m.allocEntry(0);
  const counts = (["p2m_write", "p2m_read", "p2m_lookup"] as const).map((event) => trace.count(event));
  assertEquals(counts, [1, 2, 2]);
});

Deno.test("P2m refuses a size outside 1 … 2^20", () => {
  for (const size of [0, 2 ** 20 + 1, 1.5]) assertThrows(() => new P2m(new Trace(), size), RangeError);
  assertEquals(new P2m(new Trace(), 1).size, 1);
});

const REVERSE: readonly {
  given: string;
  mfn: number;
  local: number;
  prepare?: "foreign" | "invalid" | "identity";
}[] = [
  { given: "control: own frame", mfn: 0x1005, local: 5 },
  {
    given: "own frame, slot marked FOREIGN: only the number is left",
    mfn: 0x1005,
    local: 0x1005,
    prepare: "foreign",
  },
  {
    given: "own frame, slot INVALID: only the number is left",
    mfn: 0x1005,
    local: 0x1005,
    prepare: "invalid",
  },
  { given: "foreign frame whose number is a ballooned pfn", mfn: 0x7ff, local: -1 },
  { given: "foreign frame whose number is the first beyond the p2m", mfn: 0x800, local: 0x800 },
  { given: "foreign frame, its number marked IDENTITY", mfn: 0x7ff, local: 0x7ff, prepare: "identity" },
  { given: "frame of nobody inside the p2m", mfn: 0x100, local: -1 },
];

for (const { given, mfn, local, prepare } of REVERSE) {
  Deno.test(`mfnToPfn() believes only a consistent M2P: ${given}`, () => {
    const { kernel } = world({ kernel: "linux6_1" });
    if (prepare === "foreign") kernel.p2m.set(5, mfn, P2M_FOREIGN);
    if (prepare === "invalid") kernel.p2m.set(5, INVALID_P2M_ENTRY);
    if (prepare === "identity") kernel.p2m.set(mfn, mfn, P2M_IDENTITY);
    assertEquals(kernel.mfnToPfn(mfn), local);
  });
}

Deno.test("mfnToPfn() does not know a granted frame, although it is mapped", () => {
  const w = world();
  const vma = w.process().mmapGrants(w.guest.grant([16]));
  const map = w.kernel.p2m.describe(w.dom0.frames.length);
  assertEquals([vma.nrPages, map, w.kernel.mfnToPfn(0x710)], [1, "FOREIGN(0x710)", -1]);
});
