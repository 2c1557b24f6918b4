import { assert, assertEquals } from "@std/assert";
import { instructionPriceList } from "../../../lib/cost/instruction_price_list.ts";
import { INSTRUCTION_LISTS, instructionListOf } from "../../../lib/cost/instruction_lists.ts";
import { COST_KINDS } from "../../../lib/cost/operations.ts";
import { predict } from "../../../lib/cost/predict.ts";
import { FITTED_KINDS } from "../../../lib/cost/price_class.ts";
import { priceOf } from "../../../lib/cost/price_of.ts";
import { repIterations } from "../../../lib/cost/rep_iterations.ts";

Deno.test("INSTRUCTION_LISTS price known events of two benches or more, none below zero", () => {
  for (const { name, prices, unpriced, without, withoutSize } of INSTRUCTION_LISTS) {
    for (const [kind, { per, low, high, benches, rows }] of Object.entries(prices)) {
      const where = `${kind} of ${name}`;
      assert(Object.hasOwn(COST_KINDS, kind) && (FITTED_KINDS as readonly string[]).includes(kind), where);
      assert(benches >= 2 && rows >= 2, where);
      assert(per.user >= 0 && per.kernel >= 0 && per.xen >= 0 && low >= 0 && high >= low, where);
      assert(!Object.hasOwn(unpriced, kind), where);
    }
    for (const changed of [...Object.values(without), ...Object.values(withoutSize)]) {
      for (const [kind, price] of Object.entries(changed)) {
        assert(Object.hasOwn(prices, kind) && price! >= 0, name);
      }
    }
  }
});

Deno.test("instructionListOf() tells machines and releases apart", () => {
  assertEquals(instructionListOf("linux", "linux6_1", "xen4_20")?.name, "linux6_1-native");
  assertEquals(instructionListOf("xenpv", "linux6_1", "xen4_20")?.name, "linux6_1-xen4_20-pv");
  assertEquals(instructionListOf("xenpvh", "linux6_1", "xen4_17")?.name, "linux6_1-xen4_17-pvh");
  assertEquals(instructionListOf("xenpvh", "linux6_1", "xen4_20"), undefined);
  assertEquals(instructionListOf("linux", "linux2_6", "xen4_17"), undefined);
});

Deno.test("repIterations() clears by the byte with ERMS and by eight without", () => {
  const table: [counts: Parameters<typeof repIterations>[0], erms: number, noErms: number][] = [
    [{ page_clear: 1 }, 4096, 512],
    [{ page_copy: 1 }, 512, 512],
    [{ bytes_copied: 64 }, 64, 8],
    [{ words_copied: 512 }, 512, 512],
    [{ vma_alloc: 1 }, 200, 25],
    [{ syscall: 1 }, 0, 0],
  ];
  for (const [counts, erms, noErms] of table) {
    assertEquals(repIterations(counts, { erms: true }, "linux6_1").kernel, erms);
    assertEquals(repIterations(counts, { erms: false }, "linux6_1").kernel, noErms);
  }
  assertEquals(repIterations({ vma_alloc: 1 }, { erms: true }, "linux6_12").kernel, 0);
});

Deno.test("predict() and priceOf() agree on events without operations", () => {
  const list = instructionListOf("xenpv", "linux6_1", "xen4_17")!;
  const counts = { syscall: 1, hypercall: 2, page_clear: 3, walk_step: 9 };
  const { total, byLayer, low, high, invlpg } = predict(counts, list, { cpu: { erms: true } });
  assertEquals(Math.round(total), Math.round(byLayer.user + byLayer.kernel + byLayer.xen));
  assertEquals(
    Math.round(priceOf(counts, instructionPriceList(list, { erms: true })).total),
    Math.round(total),
  );
  assert(low <= total && total <= high);
  assertEquals(invlpg, 0);
});
