/**
 * Grants mapped when the range is, or one by one when they are first used: from which share of used pages on does the
 * one batched call win? Used by the program, or by direct I/O, which needs entries and faults on every page itself.
 *
 * One operation is a whole life: map, use, unmap.
 *
 * @module
 */

import { PAGE_SIZE } from "../core/geometry.ts";
import { outOfRange } from "../core/misuse.ts";
import { directIo } from "../drivers/direct_io.ts";
import { RamDisk } from "../drivers/ram_disk.ts";
import { KERNEL_FLAVOURS } from "../linux/kernel.ts";
import { nameAxis, numberAxis } from "./axis.ts";
import { type Experiment, experiment } from "./experiment.ts";
import { GrantHost, must } from "./grant_host.ts";

/** Who uses the first pages of a mapping. */
export const USERS: Readonly<Record<string, (host: GrantHost, at: number, pages: number) => void>> = Object
  .freeze({
    program: (host: GrantHost, at: number, pages: number) => host.touch(at, pages),
    io(host: GrantHost, at: number, pages: number) {
      const length = pages * PAGE_SIZE;
      must(
        directIo(host.mm, new RamDisk(length, () => 1), {
          direction: "read",
          address: at,
          length,
          diskOffset: 0,
        }),
      );
    },
  });

/** The experiment. */
export const lazyMap: Experiment = experiment({
  name: "lazy_map",
  question: "Grants mapped at once, or when first used: which costs less, by how many are used?",
  axes: {
    design: nameAxis("kernel flavour", KERNEL_FLAVOURS, ["linux6_1", "lazy_fault"]),
    by: nameAxis("user of the pages", USERS),
    batch: numberAxis("grants in one call", [64], { from: 1, to: 4096 }),
    used: numberAxis("pages used", [0, 1, 2, 4, 8, 16, 24, 32, 48, 64], { from: 0, to: 4096 }),
  },
  run({ design, by, batch, used }) {
    if (used > batch) throw outOfRange("use pages, of number", used, `there are ${batch}`);
    const host = new GrantHost({ kernel: design, grants: batch });
    const events = host.count(() => {
      const at = host.mapGrants(0, batch);
      if (used > 0) USERS[by]!(host, at, used);
      host.unmapGrants(at, batch);
    });
    return [{ events }];
  },
  figure: {
    kind: "lines",
    x: "used",
    series: "design",
    where: { by: "program", batch: 64 },
    title: "The life of a batch of grants, by how many of them are used",
  },
});
