import { assertEquals, assertThrows } from "@std/assert";
import { BadInput } from "../../../lib/conform/format.ts";
import { machineOf, releasesFor, releasesOfPath } from "../../../lib/conform/machine.ts";

Deno.test("releasesOfPath() reads the innermost folder that names two releases", () => {
  const table: [path: string, kernel: string | undefined, xen?: string][] = [
    ["vma-random.jsonl", undefined],
    ["releases/linux6_12-xen4_20/vma-random.jsonl.gz", "linux6_12", "xen4_20"],
    ["linux6_12-xen4_20", "linux6_12", "xen4_20"],
    ["/a/linux5_10-xen4_14/linux7_2-xen4_20/x", "linux7_2", "xen4_20"],
    ["pagetables/linux-4level", undefined],
    ["linux6_12/vma-random.jsonl", undefined],
    ["linux6_12-xen4_20.jsonl", undefined],
  ];
  for (const [path, kernel, xen] of table) {
    assertEquals(releasesOfPath(path), kernel === undefined ? undefined : { kernel, xen: xen! }, path);
  }
});

Deno.test("releasesFor() lets the command line win over the folder, one release at a time", () => {
  const path = "linux6_12-xen4_20/vma-random.jsonl";
  const table: [path: string, options: { kernel?: string; xen?: string }, kernel: string, xen: string][] = [
    ["vma-random.jsonl", {}, "linux6_1", "xen4_17"],
    [path, {}, "linux6_12", "xen4_20"],
    [path, { kernel: "linux7_2" }, "linux7_2", "xen4_20"],
    [path, { xen: "xen4_14" }, "linux6_12", "xen4_14"],
  ];
  for (const [path, options, kernel, xen] of table) assertEquals(releasesFor(path, options), { kernel, xen });
});

Deno.test("machineOf() blames the folder or the option, whichever names what there is not", () => {
  const unknown = "linux6_13-xen4_20/x.jsonl";
  assertThrows(() => machineOf(unknown, {}), BadInput, "linux6_12");
  assertThrows(() => machineOf("x.jsonl", { kernel: "linux6_13" }), RangeError, "linux6_12");
  assertEquals(machineOf(unknown, { kernel: "linux6_12" }).kernel.mm.name, "linux6_12");
});
