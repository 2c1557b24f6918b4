/**
 * All benches, in the order of the recordings, and what one of them does as counts.
 *
 * @module
 */

import type { CostCounts } from "../../cost/operations.ts";
import { outOfRange } from "../../core/misuse.ts";
import { lookUp } from "../../core/nearest.ts";
import { ANONYMOUS_BENCHES } from "./anonymous.ts";
import type { Bench } from "./bench.ts";
import { CALL_BENCHES } from "./calls.ts";
import { GNTDEV_BENCHES } from "./gntdev.ts";
import { GRANT_OPERATION_BENCHES } from "./grant_operations.ts";
import { BenchHost, type BenchSetting } from "./machine.ts";
import { SHMEM_BENCHES } from "./shmem.ts";
import { TRANSFER_BENCHES } from "./transfers.ts";

/** All benches. */
export const BENCHES: readonly Bench[] = Object.freeze([
  ...CALL_BENCHES,
  ...ANONYMOUS_BENCHES,
  ...SHMEM_BENCHES,
  ...GNTDEV_BENCHES,
  ...GRANT_OPERATION_BENCHES,
  ...TRANSFER_BENCHES,
]);

const BY_NAME: Readonly<Record<string, Bench>> = Object.fromEntries(
  BENCHES.map((bench) => [bench.name, bench]),
);

/** Rounds of a recording, of which the median was kept: where pages wait for their lists across rounds, these differ. */
const RECORDED_ROUNDS = 15;

/** Largest size of benches that name none. */
const MOST = 256;

/**
 * What one repetition of a bench does on a host of its own. The first round is dropped, as in the recordings: it
 * leaves tables and lists behind that later ones find.
 *
 * @throws {RangeError} if there is no such bench, or not in this mode or size
 *
 * @example
 * ```ts
 * import { benchCounts } from "grantlab/experiments";
 * const setting = { machine: "linux", mode: "generic", tables: "warm" } as const;
 * if (benchCounts("touch_write_anon", 4, setting).page_fault !== 4) throw new Error();
 * ```
 */
export function benchCounts(name: string, n: number, setting: BenchSetting): CostCounts {
  const bench = lookUp("bench", BY_NAME, name);
  if (!bench.modes.includes(setting.mode)) {
    throw new RangeError(
      `Cannot run bench ${name} in mode ${setting.mode}: it exists in ${bench.modes.join(", ")}`,
    );
  }
  const { least, most } = bench.sizes ?? { least: 1, most: MOST };
  if (!Number.isInteger(n) || n < least || n > most) {
    throw outOfRange(`run bench ${name} of size`, n, `it takes ${least} to ${most}`);
  }
  const host = new BenchHost(setting);
  const oneRound = () => {
    const round = bench.round(host, n);
    const counts = host.counts(() => round.run());
    round.end?.();
    return counts;
  };
  oneRound();
  // Grants have no place on these lists.
  const isAlike = setting.mode !== "generic" || host.system.flavour.lru.drainsBeforeZap;
  const rounds = Array.from({ length: isAlike ? 1 : RECORDED_ROUNDS }, oneRound);
  return medianOf(rounds);
}

/** The round with the median number of pages put on lists and given back: all else is alike in all of them. */
function medianOf(rounds: CostCounts[]): CostCounts {
  const moved = ({ lru_add = 0, page_free = 0 }: CostCounts) => lru_add + page_free;
  return rounds.sort((a, b) => moved(a) - moved(b))[rounds.length >> 1]!;
}
