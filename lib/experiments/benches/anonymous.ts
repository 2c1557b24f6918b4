/**
 * Benches on anonymous memory: map, touch, protect, split, move, drop.
 *
 * @module
 */

import { PAGE_SIZE } from "../../core/geometry.ts";
import { MADV, madvise } from "../../linux/mm/madvise.ts";
import { mprotect } from "../../linux/mm/mprotect.ts";
import { mremap, MREMAP_FIXED, MREMAP_MAYMOVE } from "../../linux/mm/mremap.ts";
import { munmap } from "../../linux/mm/munmap.ts";
import { PROT_READ } from "../../linux/mm/prot.ts";
import type { Bench } from "./bench.ts";
import { type BenchHost, done, P, P_MOVED } from "./machine.ts";

type State = "unmapped" | "untouched" | "touched";

/** A bench on n pages at P: the state they begin in and the call. */
function onPages(name: string, state: State, call: (host: BenchHost, n: number) => void): Bench {
  return {
    name,
    modes: ["generic"],
    round(host, n) {
      if (state !== "unmapped") host.mapAnon(P, n);
      if (state === "touched") host.access(P, n, "w");
      return { run: () => call(host, n), end: () => unmap(host, n) };
    },
  };
}

function unmap({ mm }: BenchHost, n: number): void {
  done(munmap(mm, P, n * PAGE_SIZE));
}

function touch(host: BenchHost, n: number, kind: "r" | "w"): void {
  host.op("user_loop");
  host.access(P, n, kind);
}

const readOnly = ({ mm }: BenchHost, n: number) => done(mprotect(mm, P, n * PAGE_SIZE, PROT_READ));

export const ANONYMOUS_BENCHES: readonly Bench[] = [
  onPages("mmap_anon", "unmapped", (host, n) => host.mapAnon(P, n)),
  onPages("munmap_anon_untouched", "untouched", unmap),
  onPages("touch_write_anon", "untouched", (host, n) => touch(host, n, "w")),
  onPages("touch_read_anon", "untouched", (host, n) => touch(host, n, "r")),
  onPages("munmap_anon_touched", "touched", unmap),
  onPages("mprotect_ro_touched", "touched", readOnly),
  onPages("mprotect_ro_untouched", "untouched", readOnly),
  {
    ...onPages("mprotect_one_page_split", "untouched", ({ mm }, n) => {
      done(mprotect(mm, P + Math.floor(n / 2) * PAGE_SIZE, PAGE_SIZE, PROT_READ));
    }),
    sizes: { least: 2, most: 256 },
  },
  onPages("madvise_dontneed_touched", "touched", ({ mm }, n) => {
    done(madvise(mm, P, n * PAGE_SIZE, MADV.DONTNEED));
  }),
  {
    name: "mremap_move_touched",
    modes: ["generic"],
    round(host, n) {
      host.touch(P, n);
      const length = n * PAGE_SIZE;
      return {
        run: () =>
          done(mremap(host.mm, {
            address: P,
            oldLength: length,
            newLength: length,
            flags: MREMAP_MAYMOVE | MREMAP_FIXED,
            newAddress: P_MOVED,
          })),
        end: () => done(munmap(host.mm, P_MOVED, length)),
      };
    },
  },
];
