import { assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { MAX_FRAME, mfn, splitVaddr } from "../../../lib/core/frames.ts";
import * as pte from "../../../lib/x86/pte.ts";
import { holds } from "../../support/property.ts";

Deno.test("flags lie where the manual and the kernels put them", () => {
  const cases: [name: string, packed: number, bitOfEntry: bigint][] = [
    ["_PAGE_PRESENT", pte._PAGE_PRESENT, 0n],
    ["_PAGE_RW", pte._PAGE_RW, 1n],
    ["_PAGE_USER", pte._PAGE_USER, 2n],
    ["_PAGE_PWT", pte._PAGE_PWT, 3n],
    ["_PAGE_PCD", pte._PAGE_PCD, 4n],
    ["_PAGE_ACCESSED", pte._PAGE_ACCESSED, 5n],
    ["_PAGE_DIRTY", pte._PAGE_DIRTY, 6n],
    ["_PAGE_PSE", pte._PAGE_PSE, 7n],
    ["_PAGE_PAT", pte._PAGE_PAT, 7n],
    ["_PAGE_GLOBAL", pte._PAGE_GLOBAL, 8n],
    ["_PAGE_PROTNONE", pte._PAGE_PROTNONE, 8n],
    ["_PAGE_SPECIAL", pte._PAGE_SPECIAL, 9n],
    ["_PAGE_AVAIL1", pte._PAGE_AVAIL1, 10n],
    ["_PAGE_AVAIL2", pte._PAGE_AVAIL2, 11n],
    ["_PAGE_GUEST_KERNEL", pte._PAGE_GUEST_KERNEL, 52n],
    ["_PAGE_DEVMAP", pte._PAGE_DEVMAP, 58n],
    ["_PAGE_GNTTAB", pte._PAGE_GNTTAB, 62n],
    ["_PAGE_NX", pte._PAGE_NX, 63n],
  ];
  for (const [name, packed, bit] of cases) {
    const [hi, lo] = splitVaddr(1n << bit);
    assertStrictEquals(pte.flagsOf(lo, hi), packed, name);
    assertEquals([pte.entryLo(0, packed), pte.entryHi(0, packed)], [lo, hi], name);
  }
});

Deno.test("frameOf() and flagsOf() take an entry apart", () => {
  const cases: [entry: bigint, frame: number, flags: number][] = [
    [0n, 0, 0],
    [0x0000_0000_0000_1067n, 1, 0x067],
    [0x8000_0001_2345_6027n, 0x123456, 0x800027],
    [0x000f_ffff_ffff_f000n, 0xff_ffff_ffff, 0],
    [0xfff0_0000_0000_0fffn, 0, 0xffffff],
    [0xffff_ffff_ffff_ffffn, 0xff_ffff_ffff, 0xffffff],
  ];
  for (const [entry, frame, flags] of cases) {
    const [hi, lo] = splitVaddr(entry);
    assertEquals([pte.frameOf(lo, hi), pte.flagsOf(lo, hi)], [frame, flags], entry.toString(16));
  }
});

Deno.test("entryLo() and entryHi() put any entry together again", () => {
  holds([fc.integer({ min: 0, max: MAX_FRAME }), fc.integer({ min: 0, max: 0xffffff })], (frame, flags) => {
    const lo = pte.entryLo(frame, flags);
    const hi = pte.entryHi(frame, flags);
    assertStrictEquals(lo | 0, lo);
    assertStrictEquals(hi | 0, hi);
    assertStrictEquals(pte.frameOf(lo, hi), frame);
    assertStrictEquals(pte.flagsOf(lo, hi), flags);
  });
});

Deno.test("pkeyOf() reads entry bits 59 to 62", () => {
  const cases: [entry: bigint, key: number][] = [[0n, 0], [1n << 59n, 1], [1n << 62n, 8], [0xfn << 59n, 15], [
    1n << 63n | 1n << 58n,
    0,
  ]];
  for (const [entry, key] of cases) {
    const [hi, lo] = splitVaddr(entry);
    assertStrictEquals(pte.pkeyOf(pte.flagsOf(lo, hi)), key);
  }
});

Deno.test("describeEntry() names every bit that is set", () => {
  const cases: [flags: number, text: string][] = [
    [0, "frame 0x1f (empty)"],
    [pte._PAGE_PRESENT | pte._PAGE_RW | pte._PAGE_USER, "frame 0x1f P RW US"],
    [pte._PAGE_PRESENT | pte._PAGE_SPECIAL, "frame 0x1f P 9(SPECIAL)"],
    [pte._PAGE_NX | 3 << 19, "frame 0x1f NX key=3"],
    [pte._PAGE_GUEST_KERNEL | pte._PAGE_DEVMAP, "frame 0x1f 52 58"],
  ];
  for (const [flags, text] of cases) assertStrictEquals(pte.describeEntry(mfn(0x1f), flags), text);
});

Deno.test("describeEntry() has a name of its own for each bit of the flags", () => {
  // Bits 0 to 11 of the entry, then 52 to 63.
  const low = ["P", "RW", "US", "PWT", "PCD", "A", "D", "PS/PAT", "G", "9(SPECIAL)", "10", "11"];
  const high = ["52", "53", "54", "55", "56", "57", "58", "key=1", "key=2", "key=4", "key=8", "NX"];
  for (const [bit, name] of [...low, ...high].entries()) {
    assertStrictEquals(pte.describeEntry(mfn(0x1f), 1 << bit), `frame 0x1f ${name}`);
  }
});
