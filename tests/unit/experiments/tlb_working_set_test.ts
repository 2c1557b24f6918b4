import { assertEquals, assertThrows } from "@std/assert";
import { tlbWorkingSet } from "../../../lib/experiments/tlb_working_set.ts";

const few = (tlb: "plain" | "skylake" | "zen2", sizes: number[], pageSize: "4K" | "2M" = "4K") =>
  tlbWorkingSet({ tlbs: [tlb], sizes, pageSize, accesses: 8192 });

Deno.test("tlbWorkingSet: what fits is free, what does not costs one reference a walk with a PDE cache", () => {
  for (const tlb of ["skylake", "zen2"] as const) {
    const [l1, l2, beyond] = few(tlb, [64, 1024, 8192]);
    assertEquals([l1!.referencesPerAccess, l1!.firstLevel], [0, 1], tlb);
    assertEquals([l2!.walks, l2!.firstLevel + l2!.secondLevel], [0, 1], tlb);
    // 16 PDEs are cached: a walk reads the PTE only. The second level holds 1536 (2048) of 8192 pages.
    assertEquals(beyond!.referencesPerAccess, beyond!.walks, tlb);
    const share = 1 - (tlb === "skylake" ? 1536 : 2048) / 8192;
    assertEquals(Math.abs(beyond!.walks - share) < 0.03, true, `${tlb} ${beyond!.walks}`);
  }
});

Deno.test("tlbWorkingSet: without paging-structure caches a walk reads four entries, with 2 MiB pages none", () => {
  const [row] = few("plain", [8192]);
  assertEquals(row!.referencesPerAccess, 4 * row!.walks);
  assertEquals(few("skylake", [8192], "2M").map((r) => [r.referencesPerAccess, r.bytes]), [[0, 2 ** 25]]);
});

Deno.test("tlbWorkingSet repeats itself, and refuses misuse by name", () => {
  assertEquals(few("skylake", [4096]), few("skylake", [4096]));
  assertEquals(tlbWorkingSet({ accesses: 64, sizes: [1, 2] }).map((r) => r.tlb), [
    "skylake",
    "skylake",
    "zen2",
    "zen2",
  ]);
  assertThrows(() => few("skylake", [0]), RangeError, "Cannot measure a working set of pages 0");
  assertThrows(() => few("skylake", []), RangeError, "there must be at least one size");
  assertThrows(() => few("zen3" as never, [1]), RangeError, 'did you mean "zen2"');
});
