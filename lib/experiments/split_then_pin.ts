/**
 * The seed's question: map n grants through gntdev, unmap a middle page so that the VMA splits, then do direct I/O on
 * every page. Which path does each page take, and does it reach the frame that was granted?
 *
 * ```text
 * pages    0 1 2 3 4 5 6 7        first half: frame numbers that dom0's p2m covers
 * munmap           ×              second half: beyond its end
 * VMAs    |0 1 2 3| |5 6 7|
 * ```
 *
 * @module
 */

import { knownOptions } from "../core/options.ts";
import { wholeNumber } from "../core/misuse.ts";
import { PAGE_SIZE } from "../core/geometry.ts";
import { describeReached, type Verdict } from "../reference/oracle.ts";
import type { EventCounts } from "../trace/trace.ts";
import type { VerdictExperiment } from "./comparison.ts";
import type { IoOutcome } from "./io_outcome.ts";
import type { Process } from "./process.ts";
import { World } from "./world.ts";

/** Parameters. */
export interface SplitThenPinOptions {
  /** Grants mapped, 2 … 4096. Default 8. */
  readonly pages?: number;
  /** Page that is unmapped. Default the middle one. */
  readonly cut?: number;
  /** Hypervisor. */
  readonly xen?: string;
}

const KNOWN: Readonly<Record<keyof SplitThenPinOptions, true>> = { pages: true, cut: true, xen: true };

/** One page under one design. */
export interface SplitThenPinRow {
  readonly design: string;
  readonly page: number;
  /** `fast` or `slow`: which half of get_user_pages decided. */
  readonly path: string;
  /** Machine frame that the device reached, an errno, or where the kernel crashed. */
  readonly reached: string;
  /** What it must be: the granted frame, or EFAULT for the page that was unmapped. */
  readonly expected: string;
  readonly verdict: Verdict;
  /** What the direct I/O on this page counted. */
  readonly events: EventCounts;
}

interface Stage {
  readonly process: Process;
  readonly start: number;
}

function resolve(options: SplitThenPinOptions): Required<SplitThenPinOptions> {
  knownOptions("split_then_pin", options, KNOWN);
  const { pages = 8, cut, xen = "xen4_17" } = options;
  const nrPages = wholeNumber("map grants to split, of number", pages, 2, 4096);
  return { pages: nrPages, cut: wholeNumber("unmap page", cut ?? nrPages >> 1, 0, nrPages - 1), xen };
}

/** A fresh host with the grants mapped and the page unmapped. */
function stage(design: string, { pages, cut, xen }: Required<SplitThenPinOptions>): Stage {
  const half = Math.ceil(pages / 2);
  const world = new World({
    kernel: design,
    xen,
    guestFrames: Math.max(512, 2 * (half + 16)),
    ballooned: pages + 64,
  });
  const beyond = world.guest.domain.frames.findIndex((frame) => frame >= world.p2mEnd);
  const pfns = Array.from({ length: pages }, (_, i) => i < half ? beyond - half + i : beyond + i - half);
  const process = world.process("qemu");
  const { start } = process.mmapGrants(world.guest.grant(pfns));
  process.munmap(start + cut * PAGE_SIZE, PAGE_SIZE);
  return { process, start };
}

function rowOf(design: string, page: number, io: IoOutcome): SplitThenPinRow {
  const { path, reached, expected, verdict } = io.pages[0]!;
  return {
    design,
    page,
    path,
    reached: describeReached(reached),
    expected: describeReached(expected),
    verdict,
    events: io.events,
  };
}

/** The experiment. A page whose I/O crashes the kernel gets its row; the pages after it get a fresh host. */
export const splitThenPin: VerdictExperiment<SplitThenPinRow, SplitThenPinOptions> = {
  name: "split_then_pin",
  question: "After a VMA of grant mappings splits, which page does direct I/O reach, and by which path?",
  designs: ["linux3_19", "draft_b", "seed2014", "vma_pages_v1", "linux4_0", "linux6_1"],
  run(design, options) {
    const resolved = resolve(options);
    let current = stage(design, resolved);
    const rows: SplitThenPinRow[] = [];
    for (let page = 0; page < resolved.pages; page++) {
      if (current.process.world.crash !== null) current = stage(design, resolved);
      const io = current.process.directRead(current.start + page * PAGE_SIZE, PAGE_SIZE);
      rows.push(rowOf(design, page, io));
    }
    return rows;
  },
  provenance(options) {
    const { pages, cut, xen } = resolve(options);
    return { experiment: "split_then_pin", xen, parameters: { pages, cut } };
  },
};
