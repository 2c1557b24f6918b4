/**
 * A million block requests through the whole stack: guest, ring, back end, grants, disk and back; every sector written and
 * read is checked. Fails if memory grows with the number of requests.
 *
 * @module
 */

import { blockWorkload } from "../lib/drivers/workload/block_workload.ts";
import { world } from "../lib/experiments/world.ts";
import type { BenchCase, BenchRun } from "./bench_case.ts";

/** Parts of a run, between which memory is looked at. A process runs six times: a million requests in all. */
const PARTS = 10;

/** Bytes by which a process may grow after the first part: what a garbage collector leaves lying; 300 bytes a request. */
const SLACK = 300 * 2 ** 20;

function run(persistent: boolean): () => BenchRun {
  return () => {
    const blk = world({ guestFrames: 4096, ballooned: 2048 }).blk({ persistent, size: 8 * 2 ** 20 });
    let first = 0;
    return (n) => {
      let okay = 0;
      for (let part = 0; part < PARTS; part++) {
        const load = blk.run(blockWorkload({ seed: part, requests: Math.ceil(n / PARTS) }));
        if (load.verdict !== "ok") throw new Error(`Cannot measure a wrong result: ${load}`);
        okay += load.okay;
        const { rss } = Deno.memoryUsage();
        if (first === 0) first = rss;
        else if (rss > first + SLACK) {
          throw new Error(`Cannot call memory flat: ${first} bytes after one part, ${rss} after ${part + 1}`);
        }
      }
      return okay;
    };
  };
}

const bench: BenchCase = {
  about: "block requests of 4 to 44 KiB, seven reads in ten, from guest to disk and back, every byte checked",
  unit: "request",
  n: 170_000,
  yardstick: "map and unmap",
  subjects: { "map and unmap": run(false), "persistent grants": run(true) },
};

export default bench;
