/**
 * A page that is still held when its grant is to be unmapped makes the unmap wait: 5 ms, then 10 more, 15 more, and so
 * on. How much longer than the holder does it wait?
 *
 * Times are the model's own clock (GNTTAB_UNMAP_REFS_DELAY and its back-off), not priced events.
 *
 * @cite linux 4.0 drivers/xen/grant-table.c gnttab_unmap_refs_async
 * @module
 */

import { gnttabUnmapRefsAsync } from "../linux/xen/gnttab.ts";
import { numberAxis } from "./axis.ts";
import { type Experiment, experiment } from "./experiment.ts";
import { GrantHost } from "./grant_host.ts";

/** Longest time that is looked at. */
const MOST_MS = 100_000;

/** The experiment. */
export const safeUnmap: Experiment = experiment({
  name: "safe_unmap",
  question: "How long does an unmap wait for a page that is held for so long?",
  axes: {
    heldMs: numberAxis("milliseconds held", Array.from({ length: 61 }, (_, i) => i), { from: 0, to: 10_000 }),
  },
  run({ heldMs }) {
    const host = new GrantHost({ grants: 1 });
    const { work, system: { memMap } } = host.kernel;
    const batch = host.mapForKernel(0, 1);
    const page = batch.pages[0]!;
    let doneAt = -1;
    let looks = 0;
    const done = () => doneAt = work.nowMs;
    const events = host.count(() => {
      if (heldMs > 0) memMap.getPage(page);
      const release = () => memMap.putPage(page);
      if (heldMs > 0) work.schedule(heldMs, release);
      gnttabUnmapRefsAsync(host.kernel, { batch, done, age: 0, isQueued: false });
      for (; doneAt < 0 && work.nowMs < MOST_MS; looks++) work.advance(1);
    });
    return [{ amounts: { unmappedMs: doneAt, waitedMs: doneAt - heldMs }, events }];
  },
  figure: {
    kind: "lines",
    x: "heldMs",
    y: "waitedMs",
    yTitle: "milliseconds from the end of the I/O to the unmap",
    title: "How long an unmap waits after the last user of its page",
  },
});
