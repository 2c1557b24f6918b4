import { assertEquals, assertThrows } from "@std/assert";
import { type ReleaseCostOptions, releaseCosts } from "../../../lib/experiments/mod.ts";

const PAIR = ["linux6_1-xen4_17", "linux6_12-xen4_20"];

Deno.test("releaseCosts() adds up to the difference of two predictions, near the recorded one", () => {
  // Recorded medians, machine linux, tables warm: costs.jsonl of 6.1, 6.12 and 7.2.
  const table: [bench: string, n: number, releases: string[], recorded: number][] = [
    ["mmap_anon", 1, PAIR, 4126 - 6304],
    ["mprotect_one_page_split", 16, PAIR, 6294 - 14048],
    ["mprotect_ro_touched", 64, ["linux6_12-xen4_20", "linux7_2-xen4_20"], 24001 - 12190],
    ["odirect_read_anon", 64, ["linux6_12-xen4_20", "linux7_2-xen4_20"], 145483 - 85249],
  ];
  for (const [bench, n, releases, recorded] of table) {
    const sum = releaseCosts({ benches: [[bench, n]], releases }).reduce(
      (all, { change }) => all + change,
      0,
    );
    assertEquals(
      Math.abs(sum - recorded) < 0.2 * Math.abs(recorded),
      true,
      `${bench} ${n}: ${sum}, ${recorded}`,
    );
  }
});

Deno.test("releaseCosts() names the events that the releases count otherwise", () => {
  const events = (bench: string, n: number, to: string) =>
    releaseCosts({ benches: [[bench, n]], releases: ["linux6_12-xen4_20", to] })
      .filter(({ before, after }) => before !== after).map(({ event }) => event).sort();
  assertEquals(events("mprotect_ro_touched", 4, "linux7_2-xen4_20"), ["normal_page", "pte_write"]);
  assertEquals(events("getpid", 1, "linux7_2-xen4_20"), [], "control: one system call on both");
});

Deno.test("releaseCosts() refuses what it cannot compare", () => {
  const table: [why: string, options: ReleaseCostOptions][] = [
    ["it takes two releases", { benches: [["getpid", 1]], releases: [PAIR[0]!] }],
    ["no prices are fitted to it on linux", {
      benches: [["getpid", 1]],
      releases: [PAIR[0]!, "linux4_0-xen4_5"],
    }],
    ["bench", { benches: [["getpidd", 1]] }],
    ["did you mean", { benches: [["getpid", 1]], machin: "linux" } as ReleaseCostOptions],
  ];
  for (const [why, options] of table) assertThrows(() => releaseCosts(options), RangeError, why);
});
