import { assertEquals } from "@std/assert";
import { axisWishes, describeExperiments } from "../../../lib/cli/experiment_options.ts";
import type { Experiment } from "../../../lib/experiments/mod.ts";

/** Values of an axis, and how they are listed: so that they can be typed as printed. */
const LISTED: readonly (readonly [values: readonly (string | number)[], text: string])[] = [
  [[0, 1, 2, 3], "0..3"],
  [[1, 4, 7, 10], "1..10..3"],
  [[0, 1, 2], "0,1,2"],
  [[1, 2, 4, 8], "1,2,4,8"],
  [[3, 2, 1, 0], "3,2,1,0"],
  [[5, 5, 5, 5], "5,5,5,5"],
  [["1", "2", "3", "4"], "1,2,3,4"],
];

Deno.test("experiments are listed with values that can be typed as printed", () => {
  for (const [values, text] of LISTED) {
    const axes = { cpus: { meaning: "CPUs", values } };
    const listed = describeExperiments({ x: { name: "x", question: "?", axes } as unknown as Experiment });
    assertEquals(listed, `x\n  ?\n    --axis cpus=${text}   CPUs`);
    assertEquals(axisWishes([`cpus=${text}`]), { cpus: values.map(String) });
  }
});
