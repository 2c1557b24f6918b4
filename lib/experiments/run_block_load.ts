/**
 * Running a block workload through the whole stack: guest, ring, back end, disk and back, a queue depth at a time. Every
 * byte is judged: what a write stored and what a read brought, against a disk in miniature. What the guest and what dom0
 * did is counted apart.
 *
 * @module
 */

import { wholeNumber, wrongType } from "../core/misuse.ts";
import { knownOptions } from "../core/options.ts";
import { KernelBug } from "../core/crash.ts";
import type { Mfn } from "../core/frames.ts";
import type { Blkfront, BlkfrontRing, BlkSegment } from "../drivers/blkfront/blkfront.ts";
import { blkifInterrupt } from "../drivers/blkfront/interrupt.ts";
import { blkfrontKick, blkfrontQueue } from "../drivers/blkfront/queue_request.ts";
import { type BlockIo, checkBlockIo } from "../drivers/workload/block_workload.ts";
import { BLKIF_RSP_OKAY } from "../drivers/blkif/blkif.ts";
import { RamDisk, SECTOR_WORDS } from "../drivers/ram_disk.ts";
import type { XenLinux } from "../linux/xen/xen_linux.ts";
import type { ReferenceDisk, ReferenceWrite } from "../reference/disk.ts";
import { EVENT_KINDS } from "../trace/events.ts";
import type { EventCounts } from "../trace/trace.ts";
import { WORDS_PER_FRAME } from "../x86/phys_mem.ts";
import { BlockLoad, type WrongSector } from "./block_load.ts";

/** Parameters of a run. */
export interface BlockLoadOptions {
  /** Requests without answer at a time, in each ring. Default 32. */
  readonly queueDepth?: number;
  /** Milliseconds after which what is still unanswered is given up. Default 600 000. */
  readonly patienceMs?: number;
}

const KNOWN: Readonly<Record<keyof BlockLoadOptions, true>> = { queueDepth: true, patienceMs: true };

interface Running {
  readonly write: ReferenceWrite | null;
  readonly frames: readonly number[];
  readonly since: number;
  readonly allowed: readonly (readonly number[])[];
}

/** One run. */
class Runner {
  readonly guest: Float64Array;
  readonly dom0: Float64Array;
  readonly free: number[] = [];
  readonly waits = new Map<number, number>();
  running = 0;
  okay = 0;
  failed = 0;
  wrongReads = 0;
  sent = 0;

  constructor(
    readonly kernel: XenLinux,
    readonly front: Blkfront,
    readonly disk: RamDisk,
    readonly reference: ReferenceDisk,
  ) {
    this.guest = new Float64Array(EVENT_KINDS.length);
    this.dom0 = new Float64Array(EVENT_KINDS.length);
  }

  /** Counts what `body` does for one side. */
  count<T>(side: Float64Array, body: () => T): T {
    const { counters } = this.kernel.hv.trace;
    for (let i = 0; i < side.length; i++) side[i]! -= counters[i]!;
    try {
      return body();
    } finally {
      for (let i = 0; i < side.length; i++) side[i]! += counters[i]!;
    }
  }

  /** Sends a request; false if the ring takes none now. */
  send(ring: BlkfrontRing, io: BlockIo): boolean {
    const nrPages = io.operation === "discard" ? 0 : Math.ceil(io.nrSectors / 8);
    const frames: number[] = [];
    while (frames.length < nrPages) frames.push(this.free.pop() ?? this.front.kernel.allocFrames(1)[0]!);
    const segments: BlkSegment[] = frames.map((frame, i) => ({
      frame,
      first: 0,
      last: Math.min(8, io.nrSectors - 8 * i) - 1,
    }));
    const running = this.#begin(io, frames);
    const done = (status: number) => this.#end(io, running, status);
    const { operation, sector, nrSectors } = io;
    if (blkfrontQueue(this.front, ring, { operation, sector, segments, nrSectors, done })) {
      this.running++;
      this.sent++;
      return true;
    }
    if (running.write !== null) this.reference.end(running.write, false);
    this.free.push(...frames);
    return false;
  }

  #begin(io: BlockIo, frames: readonly number[]): Running {
    const { mem } = this.kernel.hv;
    const since = this.kernel.work.nowMs;
    if (io.operation === "write") {
      const write = this.reference.begin(io.sector, io.nrSectors);
      for (const frame of frames) {
        const at = mem.makeSlot(frame as Mfn) * WORDS_PER_FRAME;
        mem.words.fill(write.stamp, at, at + WORDS_PER_FRAME);
      }
      return { write, frames, since, allowed: [] };
    }
    if (io.operation === "discard") this.reference.discard(io.sector, io.nrSectors);
    const allowed = io.operation === "read"
      ? Array.from({ length: io.nrSectors }, (_, i) => this.reference.possible(io.sector + i))
      : [];
    return { write: null, frames, since, allowed };
  }

  #end(io: BlockIo, { write, frames, since, allowed }: Running, status: number): void {
    this.running--;
    const wait = this.kernel.work.nowMs - since;
    this.waits.set(wait, (this.waits.get(wait) ?? 0) + 1);
    const isOkay = status === BLKIF_RSP_OKAY;
    if (isOkay) this.okay++;
    else this.failed++;
    if (write !== null) this.reference.end(write, isOkay);
    if (io.operation === "read" && isOkay && !this.#isRead(io, frames, allowed)) this.wrongReads++;
    this.free.push(...frames);
  }

  #isRead(io: BlockIo, frames: readonly number[], allowed: readonly (readonly number[])[]): boolean {
    const { mem } = this.kernel.hv;
    return allowed.every((before, i) => {
      const at = mem.makeSlot(frames[i >> 3]! as Mfn) * WORDS_PER_FRAME + (i & 7) * SECTOR_WORDS;
      const found = this.#stampOf(io.sector + i, mem.words, at);
      return found >= 0 && (before.includes(found) || this.reference.mayHold(io.sector + i, found));
    });
  }

  /** The write whose number is in all words of a sector, 0 for what was there first, -1 for a mixture. */
  #stampOf(sector: number, words: Int32Array, at: number): number {
    const first = words[at]!;
    for (let i = 1; i < SECTOR_WORDS; i++) if (words[at + i] !== first) return -1;
    return first === Math.imul(blankByte(sector), 0x01010101) ? 0 : first;
  }

  wrongSectors(): WrongSector[] {
    const wrong: WrongSector[] = [];
    const words = new Int32Array(SECTOR_WORDS);
    for (const sector of this.reference.sectors) {
      this.disk.readSector(sector, words, 0);
      const found = this.#stampOf(sector, words, 0);
      if (found >= 0 && this.reference.mayHold(sector, found)) continue;
      wrong.push({ sector, found: [...new Set(words)].slice(0, 4), mayBe: this.reference.possible(sector) });
    }
    return wrong;
  }
}

/** What a sector holds before any write: a word of these bytes is negative, the number of no write. */
function blankByte(sector: number): number {
  return 0x80 | sector & 0x7f;
}

/** A disk for {@linkcode runBlockLoad}. */
export function blankDisk(size: number): RamDisk {
  return new RamDisk(size, blankByte);
}

/** What a workload runs on. */
export interface BlockStage {
  readonly kernel: XenLinux;
  readonly front: Blkfront;
  /** What the storage really holds; made by {@linkcode blankDisk}. */
  readonly disk: RamDisk;
  /** What it must hold: one for all runs on a disk. */
  readonly reference: ReferenceDisk;
}

/** Runs a workload on a front end. */
export function runBlockLoad(
  { kernel, front, disk, reference }: BlockStage,
  ios: Iterable<BlockIo>,
  options: BlockLoadOptions = {},
): BlockLoad {
  knownOptions("a block workload", options, KNOWN);
  const depth = wholeNumber("run with a queue depth of", options.queueDepth ?? 32, 1, 4096) *
    front.rings.length;
  const runner = new Runner(kernel, front, disk, reference);
  const from = kernel.work.nowMs;
  const patience = from + wholeNumber("wait for answers, ms:", options.patienceMs ?? 600_000, 0, 2 ** 40);
  const take = requestsOf(ios);
  let next = take();
  let crash: KernelBug | null = null;
  let turn = 0;
  try {
    while (!next.done || runner.running > 0) {
      runner.count(runner.guest, () => {
        let stuck = 0;
        while (!next.done && next.value.atMs + from <= kernel.work.nowMs && runner.running < depth) {
          const ring = front.rings[turn++ % front.rings.length]!;
          if (!runner.send(ring, next.value)) {
            if (++stuck === front.rings.length) break;
            continue;
          }
          stuck = 0;
          next = take();
        }
        for (const ring of front.rings) blkfrontKick(front, ring);
      });
      runner.count(runner.dom0, () => kernel.work.advance(0));
      const answered = runner.count(runner.guest, () => takeAnswers(front));
      if (answered > 0) continue;
      if (kernel.work.nowMs >= patience || front.isBroken) break;
      runner.count(runner.dom0, () => kernel.work.advance(1));
      runner.count(runner.guest, () => takeAnswers(front));
    }
    // Whatever the storage still does with the pages.
    runner.count(runner.dom0, () => settle(kernel));
  } catch (e) {
    if (!(e instanceof KernelBug)) throw e;
    crash = e;
  }
  front.kernel.freeFrames(runner.free);
  return new BlockLoad({
    requests: runner.sent,
    okay: runner.okay,
    failed: runner.failed,
    unanswered: runner.running,
    waits: new Map([...runner.waits].sort(([a], [b]) => a - b)),
    elapsedMs: kernel.work.nowMs - from,
    wrongReads: runner.wrongReads,
    wrongSectors: runner.wrongSectors(),
    guestEvents: countsOf(runner.guest),
    dom0Events: countsOf(runner.dom0),
    crash,
  });
}

/** The next request whenever asked, checked: a workload may be typed by hand. */
function requestsOf(ios: Iterable<BlockIo>): () => IteratorResult<BlockIo, unknown> {
  if (typeof ios?.[Symbol.iterator] !== "function") {
    throw wrongType(
      "run as a block workload",
      ios,
      "it must be a list of requests, or what blockWorkload() answers",
    );
  }
  const rest = ios[Symbol.iterator]();
  return () => {
    const next = rest.next();
    if (!next.done) checkBlockIo(next.value);
    return next;
  };
}

function takeAnswers(front: Blkfront): number {
  return front.rings.reduce((sum, ring) => sum + blkifInterrupt(front, ring), 0);
}

/** Lets a second pass: longer than any repeat, shorter than anything that is kept. */
function settle(kernel: XenLinux): void {
  kernel.work.advance(1000);
}

function countsOf(side: Float64Array): EventCounts {
  const counts: EventCounts = {};
  side.forEach((n, i) => {
    if (n !== 0) counts[EVENT_KINDS[i]!] = n;
  });
  return counts;
}
