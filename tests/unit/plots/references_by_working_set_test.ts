import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { referencesByWorkingSet, type WorkingSetRow } from "../../../lib/plots/references_by_working_set.ts";

const ROWS: readonly WorkingSetRow[] = [
  { tlb: "skylake", bytes: 2 ** 16, referencesPerAccess: 0 },
  { tlb: "skylake", bytes: 2 ** 24, referencesPerAccess: 1 },
  { tlb: "zen2", bytes: 2 ** 16, referencesPerAccess: 0 },
  { tlb: "zen2", bytes: 2 ** 24, referencesPerAccess: 0.5 },
  { tlb: "zen2", bytes: 3 * 2 ** 29, referencesPerAccess: 2 },
];

Deno.test("referencesByWorkingSet() draws a bar per size and geometry", () => {
  assertEquals(referencesByWorkingSet(ROWS).toText(60).split("\n"), [
    "What a TLB that is too small costs",
    "random reads over the working set",
    "page-table references per access",
    "",
    "   64 KiB skylake │ 0.00",
    "          zen2    │ 0.00",
    "   16 MiB skylake │██████████████████ 1.00",
    "          zen2    │█████████ 0.50",
    "  1.5 GiB zen2    │███████████████████████████████████ 2.00",
  ]);
  for (const width of [40, 80]) {
    const lines = referencesByWorkingSet(ROWS).toText(width).split("\n");
    assertStrictEquals(lines.every((line) => [...line].length <= width), true);
  }
  assertStrictEquals(referencesByWorkingSet(ROWS).toText(80, { colour: true }).includes("\x1b[38;5;"), true);
});

Deno.test("referencesByWorkingSet() draws a picture and keeps its rows", async () => {
  const figure = referencesByWorkingSet(ROWS, { title: "A title", subtitle: "" });
  const svg = await figure.toSvg();
  for (const text of ["A title", "64 KiB", "page-table references per access", "zen2"]) {
    assertStrictEquals(svg.includes(text), true, text);
  }
  assertStrictEquals(figure.toCsv().split("\n")[1], "skylake,65536,0");
});

Deno.test("referencesByWorkingSet() refuses rows it cannot draw", () => {
  const good = ROWS[0]!;
  assertThrows(() => referencesByWorkingSet([]), RangeError, "there are no rows");
  assertThrows(() => referencesByWorkingSet([{ ...good, bytes: 0 }]), RangeError, "working set of skylake 0");
  assertThrows(
    () => referencesByWorkingSet([{ ...good, referencesPerAccess: NaN }]),
    RangeError,
    "references of skylake NaN",
  );
});
