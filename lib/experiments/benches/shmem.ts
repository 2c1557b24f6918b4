/**
 * Benches on a mapped memory file and on writing one.
 *
 * @module
 */

import { PAGE_SIZE } from "../../core/geometry.ts";
import { mmap } from "../../linux/mm/mmap.ts";
import { munmap } from "../../linux/mm/munmap.ts";
import { MAP_FIXED, MAP_SHARED, PROT_READ, PROT_WRITE } from "../../linux/mm/prot.ts";
import { fput } from "../../linux/mm/file.ts";
import { memfdCreate } from "../../linux/mm/shmem.ts";
import type { Bench } from "./bench.ts";
import { BUF_PAGES, done, P } from "./machine.ts";

function touch(name: string, kind: "r" | "w"): Bench {
  return {
    name,
    modes: ["generic"],
    round(host, n) {
      const file = memfdCreate(host.system, "bench", BUF_PAGES);
      file.pageCache!.fill(() => 1);
      done(mmap(host.mm, {
        address: P,
        length: n * PAGE_SIZE,
        prot: PROT_READ | PROT_WRITE,
        flags: MAP_SHARED | MAP_FIXED,
        file,
      }));
      return {
        run() {
          const { trace } = host;
          const before = { faults: trace.count("fault_entry"), mapped: trace.count("mapcount") };
          host.op("user_loop");
          host.access(P, n, kind);
          host.op("file_fault", trace.count("fault_entry") - before.faults);
          // Also those that a read fault maps around the one asked for.
          host.op("page_cache_find", trace.count("mapcount") - before.mapped);
        },
        end() {
          done(munmap(host.mm, P, n * PAGE_SIZE));
          fput(file);
        },
      };
    },
  };
}

export const SHMEM_BENCHES: readonly Bench[] = [
  touch("touch_read_shmem", "r"),
  touch("touch_write_shmem", "w"),
];
