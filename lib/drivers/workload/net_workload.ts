/**
 * Packets drawn from a seed.
 *
 * @module
 */

import { outOfRange, wholeNumber } from "../../core/misuse.ts";
import { knownOptions } from "../../core/options.ts";
import { Rng } from "../../core/rng.ts";

/** A size of packets and how often it comes. */
export interface PacketSize {
  readonly bytes: number;
  readonly weight: number;
}

/** What to draw. */
export interface NetWorkloadOptions {
  readonly seed?: number;
  readonly packets?: number;
  /** From 14 to 65535. Default: 64 bytes, a frame of 1500, a burst of 60000 that hardware would split, 5:4:1. */
  readonly sizes?: readonly PacketSize[];
}

const KNOWN: Readonly<Record<keyof NetWorkloadOptions, true>> = { seed: true, packets: true, sizes: true };

const SIZES: readonly PacketSize[] = [
  { bytes: 64, weight: 5 },
  { bytes: 1514, weight: 4 },
  { bytes: 60000, weight: 1 },
];

/**
 * Packets: the same seed, the same bytes.
 *
 * @throws {RangeError} if a size cannot be sent
 *
 * @example
 * ```ts
 * import { netWorkload } from "grantlab/drivers";
 * const [first] = netWorkload({ seed: 7, packets: 1, sizes: [{ bytes: 64, weight: 1 }] });
 * if (first?.length !== 64) throw new Error();
 * ```
 */
export function* netWorkload(options: NetWorkloadOptions = {}): Generator<Uint8Array> {
  knownOptions("netWorkload()", options, KNOWN);
  const { seed = 1, sizes = SIZES } = options;
  const packets = wholeNumber("draw packets", options.packets ?? 100, 0, 2 ** 31);
  for (const { bytes } of sizes) {
    if (!(Number.isInteger(bytes) && bytes >= 14 && bytes <= 65535)) {
      throw outOfRange("draw packets of bytes", bytes, "it must be from 14 to 65535");
    }
  }
  const total = sizes.reduce((sum, { weight }) => sum + weight, 0);
  const rng = new Rng(seed);
  for (let i = 0; i < packets; i++) {
    let pick = rng.next() / 2 ** 32 * total;
    const { bytes } = sizes.find(({ weight }) => (pick -= weight) < 0) ?? sizes.at(-1)!;
    const first = rng.below(256);
    const packet = new Uint8Array(bytes);
    for (let at = 0; at < bytes; at++) packet[at] = first + at * 7 & 0xff;
    yield packet;
  }
}
