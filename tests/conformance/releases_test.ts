import { assertEquals } from "@std/assert";
import { machineOf, nativeFlavour } from "../../lib/conform/machine.ts";
import { VmaWorld } from "../../lib/conform/vma_world.ts";
import { nativeLinux } from "../../lib/linux/mm/native.ts";
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
