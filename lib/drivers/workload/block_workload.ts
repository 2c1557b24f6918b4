/**
 * Block workloads: what a guest asks of its disk, drawn from a seed or taken from a recording.
 *
 * @module
 */

import { outOfRange, wholeNumber, wrongType } from "../../core/misuse.ts";
import { lookUp } from "../../core/nearest.ts";
import { knownOptions } from "../../core/options.ts";
import { Rng } from "../../core/rng.ts";

/** One request of a guest. */
export interface BlockIo {
  /** Not before this time, in milliseconds from the start. */
  readonly atMs: number;
  readonly operation: "read" | "write" | "flush" | "discard";
  /** Of 512 bytes. */
  readonly sector: number;
  readonly nrSectors: number;
}

const OPERATIONS: Readonly<Record<BlockIo["operation"], true>> = {
  read: true,
  write: true,
  flush: true,
  discard: true,
};

/** The highest sector that a request may name. */
export const MOST_SECTOR = 2 ** 48;

/**
 * Checks a request that may have been typed by hand. A sector beyond the disk is none of its business: the disk answers.
 *
 * @throws {TypeError} or {RangeError} naming the part that cannot be
 *
 * @example
 * ```ts
 * import { checkBlockIo } from "grantlab/drivers";
 * checkBlockIo({ atMs: 0, operation: "read", sector: 1e9, nrSectors: 8 });
 * ```
 */
export function checkBlockIo(io: BlockIo): void {
  if (typeof io !== "object" || io === null) {
    throw wrongType("request of a disk", io, "it must be { atMs, operation, sector, nrSectors }");
  }
  lookUp("block operation", OPERATIONS, io.operation);
  wholeNumber(`start to ${io.operation} at ms`, io.atMs, 0, 2 ** 40);
  wholeNumber(`${io.operation} from sector`, io.sector, 0, MOST_SECTOR);
  wholeNumber(`${io.operation} sectors, of number`, io.nrSectors, io.operation === "flush" ? 0 : 1, 2 ** 40);
}

/** A size of requests and how often it comes. */
export interface BlockSize {
  readonly bytes: number;
  readonly weight: number;
}

/** What to draw. */
export interface BlockWorkloadOptions {
  readonly seed?: number;
  readonly requests?: number;
  /** Multiples of 512. Default: 4 KiB half of the time, 16 KiB and 44 KiB a quarter each. */
  readonly sizes?: readonly BlockSize[];
  /** Of the transfers, 0 … 1. Default 0.7. */
  readonly readShare?: number;
  /** Sectors of the disk that are used. Default 16384 (8 MiB). */
  readonly sectors?: number;
  /** Random places, or one after the other. Default random. */
  readonly order?: "random" | "sequential";
  /** A flush after every so many transfers; 0: none. Default 0. */
  readonly flushEvery?: number;
  /** Milliseconds between arrivals; 0: all at once, and the queue depth limits. Default 0. */
  readonly intervalMs?: number;
}

const KNOWN: Readonly<Record<keyof BlockWorkloadOptions, true>> = {
  seed: true,
  requests: true,
  sizes: true,
  readShare: true,
  sectors: true,
  order: true,
  flushEvery: true,
  intervalMs: true,
};

const SIZES: readonly BlockSize[] = [
  { bytes: 4096, weight: 2 },
  { bytes: 16384, weight: 1 },
  { bytes: 45056, weight: 1 },
];

/**
 * Requests drawn from a seed: the same seed, the same requests.
 *
 * @throws {RangeError} if a size is no multiple of 512 or larger than the part of the disk, or a share is not 0 … 1
 *
 * @example
 * ```ts
 * import { blockWorkload } from "grantlab/drivers";
 * const ios = [...blockWorkload({ seed: 1, requests: 10, readShare: 0 })];
 * if (ios.length !== 10 || ios.some(({ operation }) => operation !== "write")) throw new Error();
 * ```
 */
export function* blockWorkload(options: BlockWorkloadOptions = {}): Generator<BlockIo> {
  knownOptions("blockWorkload()", options, KNOWN);
  const { seed = 1, sizes = SIZES, readShare = 0.7, order = "random", flushEvery = 0, intervalMs = 0 } =
    options;
  const requests = wholeNumber("draw requests", options.requests ?? 1000, 0, 2 ** 31);
  const sectors = wholeNumber("draw requests to sectors", options.sectors ?? 16384, 1, 2 ** 40);
  if (!(readShare >= 0 && readShare <= 1)) {
    throw outOfRange("draw reads with a share of", readShare, "it must be from 0 to 1");
  }
  const total = sizes.reduce((sum, { weight }) => sum + weight, 0);
  if (!(total > 0)) throw outOfRange("draw sizes with weights of", total, "they must add up to more than 0");
  for (const { bytes } of sizes) {
    if (bytes % 512 !== 0 || bytes < 512 || bytes / 512 > sectors) {
      throw outOfRange("draw a request of bytes", bytes, "it must be sectors of 512 bytes that fit the disk");
    }
  }
  const rng = new Rng(seed);
  let next = 0;
  for (let i = 0; i < requests; i++) {
    const atMs = i * intervalMs;
    if (flushEvery > 0 && i % (flushEvery + 1) === flushEvery) {
      yield { atMs, operation: "flush", sector: 0, nrSectors: 0 };
      continue;
    }
    let pick = rng.next() / 2 ** 32 * total;
    const size = sizes.find(({ weight }) => (pick -= weight) < 0) ?? sizes.at(-1)!;
    const nrSectors = size.bytes / 512;
    const operation = rng.next() / 2 ** 32 < readShare ? "read" : "write";
    if (next + nrSectors > sectors) next = 0;
    const places = Math.floor((sectors - nrSectors) / 8) + 1;
    const sector = order === "random" ? rng.below(places) * 8 : next;
    next = sector + nrSectors;
    yield { atMs, operation, sector, nrSectors };
  }
}
