import { assertEquals } from "@std/assert";
import { machineOf, nativeFlavour } from "../../lib/conform/machine.ts";
import { VmaWorld } from "../../lib/conform/vma_world.ts";
import { PMD_SIZE } from "../../lib/core/geometry.ts";
import { mmap } from "../../lib/linux/mm/mmap.ts";
import { mremap, MREMAP_FIXED, MREMAP_MAYMOVE } from "../../lib/linux/mm/mremap.ts";
import { nativeLinux } from "../../lib/linux/mm/native.ts";
import { MAP_ANONYMOUS, MAP_FIXED, MAP_HUGETLB, MAP_PRIVATE, PROT_READ } from "../../lib/linux/mm/prot.ts";
import { RELEASE_RULES, type ReleaseRule, RELEASES } from "./releases.ts";

/** Runs the calls; the last answer and the VMAs. */
function outcomeOf(kernel: string, { calls, letters = [] }: ReleaseRule): string {
  const flavour = nativeFlavour(machineOf("", { kernel }).kernel);
  const world = new VmaWorld(nativeLinux({ flavour }));
  let answer = "";
  for (const [i, call] of calls.entries()) {
    const { ret, errno } = world.run({ op: call.split(" "), i, where: "" })!;
    answer = errno === "0" ? String(ret) : errno;
  }
  const vmas = world.vmas().map(([start, end, , , , flags]) =>
    [`${start}-${end}`, ...flags.split(" ").filter((letter) => letters.includes(letter))].join(" ")
  );
  return [answer, ...vmas].join(" ");
}

for (const rule of RELEASE_RULES) {
  for (const [i, release] of RELEASES.entries()) {
    Deno.test(`${release}: ${rule.rule}`, () => {
      assertEquals(outcomeOf(release, rule), rule.expected[i]);
    });
  }
}

Deno.test("huge pages move since 5.16", () => {
  for (
    const [kernel, expected] of [["linux5_10", "EINVAL"], ["linux6_1", "moved"], [
      "linux7_2",
      "moved",
    ]] as const
  ) {
    const flavour = nativeFlavour(machineOf("", { kernel }).kernel);
    const mm = nativeLinux({ flavour, hugePages: 2 }).process();
    const how = MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_FIXED;
    mmap(mm, { address: 8 * PMD_SIZE, length: PMD_SIZE, prot: PROT_READ, flags: how });
    const moved = mremap(mm, {
      address: 8 * PMD_SIZE,
      oldLength: PMD_SIZE,
      newLength: PMD_SIZE,
      flags: MREMAP_MAYMOVE | MREMAP_FIXED,
      newAddress: 16 * PMD_SIZE,
    });
    assertEquals(moved.ok ? "moved" : moved.errno, expected, kernel);
  }
});
