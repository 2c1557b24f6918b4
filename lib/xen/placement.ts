/**
 * Which machine frames a new domain gets: the lowest that are free, or those that were named. Checked whole before the
 * first one is taken.
 *
 * @module
 */

import { withinBudget } from "../core/budget.ts";
import { mfn } from "../core/frames.ts";
import { outOfRange, wrongType } from "../core/misuse.ts";
import { hex } from "../core/show.ts";
import { type FrameTable, NO_OWNER } from "./frame_table.ts";

/** How many frames, or a range of machine frames, or the machine frame of each pseudo-physical frame in order. */
export type FrameWish = number | { readonly first: number; readonly count: number } | readonly number[];

/**
 * The machine frame of each pseudo-physical frame.
 *
 * @param lowest no frame below is free
 * @throws {RangeError} if a frame does not exist, is taken or named twice, or a budget is exceeded
 */
export function framePlacement(frames: FrameTable, wish: FrameWish, lowest: number): number[] {
  if (typeof wish === "number") return freeFrames(frames, wish, lowest);
  let list: readonly number[];
  if (Array.isArray(wish)) {
    withinBudget("create a domain of frames", wish.length, "domainFrames");
    list = wish;
  } else if (typeof wish === "object" && wish !== null) {
    const { first, count } = wish as { first: number; count: number };
    withinBudget("create a domain of frames", count, "domainFrames");
    mfn(first);
    list = Array.from({ length: count }, (_, i) => first + i);
  } else {
    throw wrongType(
      "create a domain of frames",
      wish,
      "it must be a number, {first, count} or a list of frames",
    );
  }
  const seen = new Set<number>();
  for (const frame of list) {
    const problem = whyNot(frames, frame, seen);
    if (problem !== undefined) throw outOfRange("create a domain with frame", frame, problem);
    seen.add(frame);
  }
  return [...list];
}

function whyNot(frames: FrameTable, frame: number, seen: ReadonlySet<number>): string | undefined {
  if (!frames.isValid(mfn(frame))) return `there are ${hex(frames.nrFrames)} frames`;
  if (frame === 0) return "frame 0 is the hypervisor's";
  const owner = frames.owner(frame);
  if (owner !== NO_OWNER) return `domain ${owner} owns it`;
  return seen.has(frame) ? "it is listed twice" : undefined;
}

function freeFrames(frames: FrameTable, count: number, lowest: number): number[] {
  withinBudget("create a domain of frames", count, "domainFrames");
  const list: number[] = [];
  for (let at = lowest; list.length < count && at < frames.nrFrames; at++) {
    if (frames.owner(at) === NO_OWNER) list.push(at);
  }
  if (list.length === count) return list;
  const reason = `only ${list.length} of ${frames.nrFrames} are free`;
  throw outOfRange("create a domain of frames", count, reason);
}
