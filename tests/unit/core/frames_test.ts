import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  gfn,
  isCanonical,
  joinHalves,
  maddr,
  maddrOf,
  MAX_FRAME,
  mfn,
  mfnOf,
  pfn,
  splitVaddr,
  truncateVaddr,
  tryVaddr,
  vaddr,
  vpnOf,
} from "../../../lib/core/frames.ts";
import { holds } from "../../support/property.ts";

const MAKERS = [
  ["machine frame number", mfn],
  ["guest frame number", gfn],
  ["pseudo-physical frame number", pfn],
] as const;

for (const [what, make] of MAKERS) {
  Deno.test(`${make.name}() takes whole numbers of at most 40 bits`, () => {
    for (const n of [0, 1, 0x1f, 0xff_ffff_ffff]) assertStrictEquals<number>(make(n), n);
    const refused: [value: unknown, error: typeof RangeError | typeof TypeError, shown: string][] = [
      [-1, RangeError, "-1"],
      [0x100_0000_0000, RangeError, "0x10000000000"],
      [1.5, RangeError, "1.5"],
      [NaN, RangeError, "NaN"],
      [Infinity, RangeError, "Infinity"],
      ["0x1f", TypeError, '"0x1f"'],
      [1n, TypeError, "0x1"],
      [undefined, TypeError, "undefined"],
    ];
    for (const [value, error, shown] of refused) {
      const message = `Cannot make a ${what} of ${shown}: it must be a whole number from 0 to 0xffffffffff`;
      assertStrictEquals(assertThrows(() => make(value as number), error).message, message);
    }
  });
}

Deno.test("MAX_FRAME is 40 bits", () => assertEquals(MAX_FRAME, 1099511627775));

Deno.test("maddr() takes 52 bits", () => {
  assertStrictEquals<number>(maddr(0xf_ffff_ffff_ffff), 4503599627370495);
  assertThrows(() => maddr(2 ** 52), RangeError, "Cannot make a machine address of 0x10000000000000: ");
});

Deno.test("maddrOf() and mfnOf() divide by 4096", () => {
  assertStrictEquals<number>(maddrOf(mfn(0x1234), 5), 0x1234005);
  assertStrictEquals<number>(maddrOf(mfn(MAX_FRAME), 0xfff), 0xf_ffff_ffff_ffff);
  assertStrictEquals<number>(mfnOf(maddr(0x1234fff)), 0x1234);
  assertStrictEquals<number>(mfnOf(maddr(0x1235000)), 0x1235);
});

Deno.test("vaddr() takes canonical addresses only, on both sides of each hole", () => {
  const cases: [value: bigint, in48: boolean, in57: boolean][] = [
    [0n, true, true],
    [0x0000_7fff_ffff_ffffn, true, true],
    [0x0000_8000_0000_0000n, false, true],
    [0x00ff_ffff_ffff_ffffn, false, true],
    [0x0100_0000_0000_0000n, false, false],
    [0xfeff_ffff_ffff_ffffn, false, false],
    [0xff00_0000_0000_0000n, false, true],
    [0xffff_7fff_ffff_ffffn, false, true],
    [0xffff_8000_0000_0000n, true, true],
    [0xffff_ffff_ffff_ffffn, true, true],
  ];
  for (const [value, in48, in57] of cases) {
    for (const [width, canonical] of [[48, in48], [57, in57]] as const) {
      assertEquals(isCanonical(value, width), canonical, `${value.toString(16)} at ${width}`);
      assertEquals(tryVaddr(value, width) !== undefined, canonical);
      if (canonical) assertEquals<bigint>(vaddr(value, width), value);
      else assertThrows(() => vaddr(value, width), RangeError, "it is not canonical: bits 63 to");
    }
  }
});

Deno.test("vaddr() says what is wrong with a value", () => {
  const cases: [value: unknown, error: typeof RangeError | typeof TypeError, message: string][] = [
    [
      0x0000_8000_0000_0000n,
      RangeError,
      "Cannot make a linear address of 0x800000000000: it is not canonical: bits 63 to 47 must be equal " +
      "(48-bit addresses)",
    ],
    [-1n, RangeError, "Cannot make a linear address of -0x1: it must have at most 64 bits, unsigned"],
    [
      1n << 64n,
      RangeError,
      "Cannot make a linear address of 0x10000000000000000: it must have at most 64 bits",
    ],
    [
      -4096,
      RangeError,
      "Cannot make a linear address of -0x1000: it must be a whole number of at most 64 bits",
    ],
    [0.5, RangeError, "Cannot make a linear address of 0.5: it must be a whole number"],
    [2 ** 53 + 2, RangeError, "a number this large is not exact; write it as a bigint (0x…n)"],
    ["0x1000", TypeError, 'Cannot make a linear address of "0x1000": it must be a number or a bigint'],
  ];
  for (const [value, error, message] of cases) assertThrows(() => vaddr(value as number), error, message);
});

Deno.test("vaddr() takes a number where it is exact", () => {
  assertEquals<bigint>(vaddr(0x7fff_ffff_f000), 0x7fff_ffff_f000n);
  // The top of the address space as a float is page-aligned and exact.
  assertEquals<bigint>(vaddr(0xffff_8000_0000_0000), 0xffff_8000_0000_0000n);
});

Deno.test("tryVaddr() answers undefined for what vaddr() refuses", () => {
  for (const value of [-1, 0.5, "x" as unknown as number, 0x0000_8000_0000_0000n]) {
    assertStrictEquals(tryVaddr(value), undefined);
  }
  assertEquals<bigint | undefined>(tryVaddr(0x1000), 0x1000n);
});

Deno.test("truncateVaddr() copies the top bit of the width upwards", () => {
  const cases: [value: number | bigint, width: 48 | 57, result: bigint][] = [
    [0x1000, 48, 0x1000n],
    [0x0000_8000_0000_0000n, 48, 0xffff_8000_0000_0000n],
    [0x0000_8000_0000_0000n, 57, 0x0000_8000_0000_0000n],
    [0x0100_0000_0000_0000n, 57, 0xff00_0000_0000_0000n],
    [0xffff_7fff_ffff_ffffn, 48, 0x0000_7fff_ffff_ffffn],
    [-1n, 48, 0xffff_ffff_ffff_ffffn],
  ];
  for (const [value, width, result] of cases) assertEquals<bigint>(truncateVaddr(value, width), result);
});

Deno.test("vpnOf() keeps all 52 bits", () => {
  assertStrictEquals<number>(vpnOf(vaddr(0xffff_ffff_ffff_ffffn)), 0xf_ffff_ffff_ffff);
  assertStrictEquals<number>(vpnOf(vaddr(0x1fffn)), 1);
});

Deno.test("splitVaddr() answers signed halves, high first", () => {
  const cases: [value: number | bigint, hi: number, lo: number][] = [
    [0, 0, 0],
    [0x7fff_ffff, 0, 0x7fff_ffff],
    [0x8000_0000, 0, -0x8000_0000],
    [0x1_0000_0000, 1, 0],
    [0xffff_8880_0000_1000n, -0x7780, 0x1000],
    [0xffff_ffff_ffff_ffffn, -1, -1],
    [-4096, -1, -4096],
  ];
  for (const [value, hi, lo] of cases) assertEquals(splitVaddr(value), [hi, lo], String(value));
  assertThrows(() => splitVaddr(0.5), RangeError, "Cannot split 0.5: ");
});

Deno.test("joinHalves() undoes splitVaddr()", () => {
  holds([fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })], (value) => {
    const [hi, lo] = splitVaddr(value);
    assertEquals(joinHalves(hi, lo), value);
  });
});
