/**
 * The fast walk of `get_user_pages` over 2²⁰ populated pages, and the references given back.
 *
 * @module
 */

import { PAGE_SIZE } from "../lib/core/geometry.ts";
import { getUserPagesFast, releaseUserPages } from "../lib/linux/mm/gup.ts";
import { FOLL_PIN, FOLL_WRITE } from "../lib/linux/mm/gup_flags.ts";
import { mmap } from "../lib/linux/mm/mmap.ts";
import { nativeLinux } from "../lib/linux/mm/native.ts";
import { MAP_FIXED, MAP_POPULATE, MAP_SHARED, PROT_READ, PROT_WRITE } from "../lib/linux/mm/prot.ts";
import { memfdCreate } from "../lib/linux/mm/shmem.ts";
import type { BenchCase } from "./bench_case.ts";

const BASE = 0x1000_0000_0000;
const ENTRIES = 2 ** 20;
const PAGES = ENTRIES / 2; // a kernel of the model has 2^20 pages, tables included: every page is mapped twice
const BATCH = 512;

const bench: BenchCase = {
  about: "2²⁰ populated pages pinned for writing by the fast walk, 512 a call, and given back",
  unit: "page",
  n: ENTRIES,
  yardstick: "C",
  goals: { grantlab: 2 },
  native: { C: { source: "bench/c/gup.c", args: [] } },
  subjects: {
    grantlab: () => {
      const linux = nativeLinux({ frames: ENTRIES });
      const mm = linux.process();
      const file = memfdCreate(linux.system, "file", PAGES);
      for (let page = 0; page < ENTRIES; page += PAGES) {
        mmap(mm, {
          address: BASE + page * PAGE_SIZE,
          length: PAGES * PAGE_SIZE,
          prot: PROT_READ | PROT_WRITE,
          flags: MAP_SHARED | MAP_FIXED | MAP_POPULATE,
          file,
        });
      }
      const gupFlags = FOLL_PIN | FOLL_WRITE;
      return (n) => {
        let sum = 0;
        for (let done = 0; done < n; done += BATCH) {
          const got = getUserPagesFast(mm, BASE + done % ENTRIES * PAGE_SIZE, BATCH, gupFlags);
          if (!got.ok) throw new Error(got.errno);
          const { pages, nrFast } = got.value;
          sum += nrFast + Math.abs(pages[nrFast - 1]! - pages[0]!);
          releaseUserPages(mm, pages, gupFlags);
        }
        return sum;
      };
    },
  },
};

export default bench;
