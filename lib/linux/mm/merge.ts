/**
 * Joining VMAs: of a range that changes its properties (or is about to be filled), and of a new mapping. Each
 * attempt leaves a record: who was there, what forbade what, which case applied.
 *
 * The cases of `vma_merge`, `*` = the range, P and N = the VMAs before and after, M = the VMA that holds the range:
 *
 * ```text
 *   PPPP****NNNN   1 all become P        PPPP****      2 P grows        ****NNNN  3 N grows down
 *   PPP****NNNN    4 N grows down over the end of P, which holds the range
 *   PPPP****MMM    5 P grows over the head of M
 *   PPPPMMMMNNNN   6 all become P        PPPPMMMM      7 P swallows M   MMMMNNNN  8 N swallows M
 * ```
 *
 * @module
 */

import { PAGE_SIZE } from "../../core/geometry.ts";
import { hex } from "../../core/show.ts";
import { Shown, viewOf } from "../../core/shown.ts";
import { drawing, type View } from "../../core/view.ts";
import { EV } from "../../trace/events.ts";
import { anonVmaClone } from "./anon_vma.ts";
import { fput } from "./file.ts";
import {
  isMergeableAnonVma,
  type MergeObstacle,
  type MergeProperties,
  obstacleAfter,
  obstacleBefore,
} from "./mergeable.ts";
import { type CallDecision, decided, pageLetters } from "./last_call.ts";
import type { MmStruct } from "./mm_struct.ts";
import type { Vma } from "./vma.ts";
import { vmAreaFree } from "./vm_area.ts";
import { VM_SPECIAL } from "./vm_flags.ts";
import { preallocateNodes } from "./tree_nodes.ts";

/** What became of an attempt. */
export type MergeState = "no merge" | "merged";

/** What each case of the picture does, in words. */
const CASES: readonly string[] = [
  "nothing merges",
  "the VMA before grows over the range and the VMA after",
  "the VMA before grows over the range",
  "the VMA after grows down over the range",
  "the VMA after grows down over the end of the VMA that held the range",
  "the VMA before grows over the head of the VMA that held the range",
  "the VMA before swallows the range and the VMA after",
  "the VMA before swallows the VMA that was the range",
  "the VMA after swallows the VMA that was the range",
];

/** Pages around an attempt, before anything changed. */
interface MergePlace {
  readonly start: number;
  readonly end: number;
  /** Pages of the VMA before, as far as it lies below the range; 0 without one. */
  readonly before: number;
  /** Pages beyond the range of the VMA that held it; 0 without any. */
  readonly rest: number;
  /** Whose they are: of the VMA before, or of a third one. */
  readonly restLetter: "P" | "M";
  /** Pages of the VMA after; 0 without one. */
  readonly after: number;
}

/** One attempt to merge. */
export class MergeRecord extends Shown implements CallDecision {
  /**
   * @param where kernel function that decided
   * @param rule the case of the picture above; 0 while nothing merged
   * @param prevObstacle what kept the VMA before from growing, or null
   * @param nextObstacle what kept the VMA after from growing, or null
   * @param result the VMA that now holds the range, or null
   */
  constructor(
    readonly where: "vma_merge" | "mmap_region",
    readonly place: MergePlace,
    readonly rule: number,
    readonly prevObstacle: MergeObstacle | null,
    readonly nextObstacle: MergeObstacle | null,
    readonly result: Vma | null,
  ) {
    super();
  }

  get start(): number {
    return this.place.start;
  }

  get end(): number {
    return this.place.end;
  }

  get state(): MergeState {
    return this.result === null ? "no merge" : "merged";
  }

  get what(): string {
    const range = `[${hex(this.start)}, ${hex(this.end)})`;
    if (this.rule > 0) return `case ${this.rule} for ${range}: ${CASES[this.rule]}`;
    return `no merge for ${range}: before: ${this.prevObstacle ?? "fits"}; after: ${
      this.nextObstacle ?? "fits"
    }`;
  }

  /** One letter a page, before and after: `PPPP**NN -> PPPPPPPP`. `*` is the range, P, M, N as in the picture. */
  get drawing(): string {
    const { start, end, before, rest, restLetter, after } = this.place;
    const range = (end - start) / PAGE_SIZE;
    const parts = [["P", before], ["*", range], [restLetter, rest], ["N", after]] as const;
    const was = parts.map(([letter, pages]) => pageLetters(letter, pages)).join("");
    if (this.rule === 0) return was;
    const [own, lost] = [3, 4, 8].includes(this.rule) ? ["N", "P"] : ["P", "N"];
    const now = this.rule === 1 || this.rule === 6
      ? [["P", before + range + after]] as const
      : own === "P"
      ? [["P", before + range], [restLetter, rest], [lost, after]] as const
      : [[lost, before], ["N", range + after]] as const;
    return `${was} -> ${now.map(([letter, pages]) => pageLetters(letter!, pages)).join("")}`;
  }

  override [viewOf](): View {
    return { line: `${this.where} ${this.what}`, blocks: [drawing([this.drawing])] };
  }
}

/** A range that would like to join its neighbours. */
export interface MergeRequest extends MergeProperties {
  /** The VMA before the range, or the one that holds it if the range does not begin at its start; null if none. */
  readonly prev: Vma | null;
  readonly start: number;
  readonly end: number;
  readonly pgoff: number;
  /** A VMA that must not take part. */
  readonly except?: Vma;
}

/**
 * Merges a range that changes, or a hole about to be filled, with its neighbours; answers the VMA that then holds
 * it, or null.
 *
 * @cite linux 6.1 mm/mmap.c vma_merge
 */
export function vmaMerge(mm: MmStruct, request: MergeRequest): Vma | null {
  const { prev, start, end, pgoff } = request;
  mm.system.trace.add(EV.vma_merge);
  let prevObstacle: MergeObstacle | null = "VM_SPECIAL";
  let nextObstacle: MergeObstacle | null = "VM_SPECIAL";
  let rule = 0;
  let result: Vma | null = null;
  let place: MergePlace = { start, end, before: 0, rest: 0, restLetter: "M", after: 0 };
  if ((request.flags & VM_SPECIAL) === 0) {
    const middle = mm.vmas.find(prev === null ? 0 : prev.end);
    const next = middle !== null && middle.end === end ? mm.vmas.next(middle) : middle;
    prevObstacle = prev !== null && prev.end === start && prev !== request.except
      ? obstacleAfter(prev, request, pgoff)
      : "nothing there";
    nextObstacle = next !== null && next.start === end && next !== request.except
      ? obstacleBefore(next, request, pgoff + (end - start) / PAGE_SIZE)
      : "nothing there";
    place = placeOf(start, end, prev, middle, next);
    const coversMiddle = middle !== null && middle !== next;
    if (
      prevObstacle === null && nextObstacle === null && isMergeableAnonVma(prev!.anonVma, next!.anonVma, null)
    ) {
      rule = coversMiddle ? 6 : 1;
      result = prev!;
      swallow(prev!, coversMiddle ? [middle, next!] : [next!], next!.end);
    } else if (prevObstacle === null) {
      result = prev!;
      rule = coversMiddle ? 7 : middle !== null && middle.start < end ? 5 : 2;
      if (rule === 7) swallow(prev!, [middle!], end);
      else if (rule === 5) moveBorder(prev!, middle!, end, "up");
      else setBounds(prev!, prev!.start, end);
    } else if (nextObstacle === null) {
      result = next!;
      rule = prev !== null && start < prev.end ? 4 : coversMiddle ? 8 : 3;
      if (rule === 4) moveBorder(prev!, next!, start, "down");
      else {
        if (rule === 8) absorb(next!, middle!);
        next!.pgoff -= (next!.start - start) / PAGE_SIZE;
        setBounds(next!, start, next!.end);
      }
    }
  }
  if (result !== null) preallocateNodes(mm.system);
  mm.lastMerge = new MergeRecord("vma_merge", place, rule, prevObstacle, nextObstacle, result);
  decided(mm, mm.lastMerge);
  return result;
}

/**
 * Lets the neighbours of a hole grow over a new mapping; answers the VMA that holds it, or null. Where both could,
 * but not together, the flavour says which one does.
 *
 * @cite linux 6.1 mm/mmap.c mmap_region
 */
export function mergeNewMapping(
  mm: MmStruct,
  request: Omit<MergeRequest, "prev" | "anonVma" | "except">,
): Vma | null {
  const { start, end, pgoff } = request;
  const prev = mm.vmas.lastBelow(start);
  const next = mm.vmas.find(start);
  const fresh: MergeProperties = { ...request, anonVma: null };
  const special = (request.flags & VM_SPECIAL) !== 0;
  const nextObstacle = special
    ? "VM_SPECIAL"
    : next !== null && next.start === end
    ? obstacleBefore(next, fresh, pgoff + (end - start) / PAGE_SIZE)
    : "nothing there";
  const prevOf = (wanted: MergeProperties) =>
    special
      ? "VM_SPECIAL"
      : prev !== null && prev.end === start
      ? obstacleAfter(prev, wanted, pgoff)
      : "nothing there";
  const prevFirst = mm.system.flavour.mergeNewPrefers === "prev";
  // Preferring the next one, Linux asks the previous one whether it goes together with *that* one.
  const prevObstacle = prevOf(
    nextObstacle === null && !prevFirst ? { ...fresh, anonVma: next!.anonVma } : fresh,
  );
  const both = prevObstacle === null && nextObstacle === null &&
    (!prevFirst || isMergeableAnonVma(prev!.anonVma, next!.anonVma, null));
  let rule = 0;
  let result: Vma | null = null;
  const place = placeOf(start, end, prev, null, next);
  if (both) {
    rule = 1;
    result = prev!;
    swallow(prev!, [next!], next!.end);
  } else if (prevObstacle === null && (prevFirst || nextObstacle !== null)) {
    rule = 2;
    result = prev!;
    setBounds(prev!, prev!.start, end);
  } else if (nextObstacle === null) {
    rule = 3;
    result = next!;
    next!.pgoff -= (end - start) / PAGE_SIZE;
    setBounds(next!, start, next!.end);
  }
  if (result !== null) preallocateNodes(mm.system);
  mm.lastMerge = new MergeRecord("mmap_region", place, rule, prevObstacle, nextObstacle, result);
  decided(mm, mm.lastMerge);
  return result;
}

/** Who is there, in pages. */
function placeOf(
  start: number,
  end: number,
  prev: Vma | null,
  middle: Vma | null,
  next: Vma | null,
): MergePlace {
  const pages = (from: number, to: number) => Math.max(0, (to - from) / PAGE_SIZE);
  const isHeldByMiddle = middle !== null && middle.start < end;
  const holder = prev !== null && prev.end > start ? prev : isHeldByMiddle ? middle : null;
  return {
    start,
    end,
    before: prev !== null && prev.end >= start ? pages(prev.start, Math.min(prev.end, start)) : 0,
    rest: holder === null ? 0 : pages(end, holder.end),
    restLetter: holder === prev ? "P" : "M",
    after: next !== null && next.start === end ? next.nrPages : 0,
  };
}

/** `vma` takes the place of the VMAs in `gone`, which follow it. @cite linux 6.1 mm/mmap.c __vma_adjust */
function swallow(vma: Vma, gone: readonly Vma[], end: number): void {
  for (const victim of gone) absorb(vma, victim);
  setBounds(vma, vma.start, end);
}

/** Ends `victim`, whose anonymous pages `vma` takes over. */
function absorb(vma: Vma, victim: Vma): void {
  if (victim.anonVma !== null && vma.anonVma === null) anonVmaClone(vma, victim);
  vma.mm.vmas.remove(victim);
  if (victim.file !== null) fput(victim.file);
  vmAreaFree(victim);
}

/** Moves the border between two VMAs; the one that grows must know the anonymous pages it gets. */
function moveBorder(low: Vma, high: Vma, border: number, direction: "up" | "down"): void {
  const [grows, shrinks] = direction === "up" ? [low, high] : [high, low];
  if (shrinks.anonVma !== null && grows.anonVma === null) anonVmaClone(grows, shrinks);
  high.pgoff += (border - high.start) / PAGE_SIZE;
  if (direction === "up") {
    setBounds(high, border, high.end);
    setBounds(low, low.start, border);
  } else {
    setBounds(low, low.start, border);
    setBounds(high, border, high.end);
  }
}

function setBounds(vma: Vma, start: number, end: number): void {
  vma.mm.system.trace.add(EV.vma_tree_write);
  vma.mm.vmas.setBounds(vma, start, end);
}
