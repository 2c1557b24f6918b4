/**
 * The smallest calls, what a program does without the kernel, and fork.
 *
 * @module
 */

import { dupMm } from "../../linux/mm/fork.ts";
import { exitMmap } from "../../linux/mm/exit.ts";
import { munmap } from "../../linux/mm/munmap.ts";
import { switchTo, userAccess } from "../../linux/mm/user_access.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import type { Bench } from "./bench.ts";
import { type BenchHost, done } from "./machine.ts";

/** Words of eight bytes in a page. */
export const WORDS_PER_PAGE = 512;

const ONCE = { least: 1, most: 1 } as const;

/** A bench that needs no set-up. */
function plain(name: string, run: (host: BenchHost, n: number) => void, sizes?: Bench["sizes"]): Bench {
  return {
    name,
    modes: ["generic"],
    ...(sizes === undefined ? {} : { sizes }),
    round: (host, n) => ({ run: () => run(host, n) }),
  };
}

/** The program and its data as far as a fork copies them: a static binary, a few VMAs, most pages in the data. */
const IMAGE = [
  { at: 0x40_0000, pages: 8 },
  { at: 0x60_0000, pages: 48 },
  { at: 0x7ff0_0000_0000, pages: 4 },
] as const;
/** Pages that parent and child each write first after a fork: their stack, the data of the C library. */
const WRITTEN_AFTER_FORK = 4;

const forkExitWait: Bench = {
  name: "fork_exit_wait",
  modes: ["generic"],
  sizes: ONCE,
  round(host) {
    const { mm } = host;
    for (const { at, pages } of IMAGE) host.touch(at, pages);
    return {
      run() {
        const child = done(dupMm(mm));
        const data = IMAGE[1]!.at;
        for (const process of [mm, child]) {
          for (let i = 0; i < WRITTEN_AFTER_FORK; i++) userAccess(process, 0, data + i * PAGE_SIZE, "w", 1);
        }
        exitMmap(child);
        switchTo(mm, 0);
        host.syscall(3); // fork counts itself; exit, wait4 and the return of the parent's call
      },
      end() {
        for (const { at, pages } of IMAGE) done(munmap(mm, at, pages * PAGE_SIZE));
      },
    };
  },
};

export const CALL_BENCHES: readonly Bench[] = [
  plain("rdtsc_pair_overhead", () => {}, ONCE),
  plain("getpid", (host) => host.syscall(), ONCE),
  plain("bad_ioctl_enotty", (host) => {
    host.syscall();
    host.op("file_call");
  }, ONCE),
  plain("user_rep_movsb", (host, n) => host.op("user_rep_iteration", n), { least: 1, most: 2 ** 20 }),
  plain("user_rep_movsq", (host, n) => host.op("user_rep_iteration", n / 8), { least: 8, most: 2 ** 20 }),
  forkExitWait,
];
