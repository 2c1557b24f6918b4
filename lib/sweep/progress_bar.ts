/**
 * A sweep's progress as one line of text.
 *
 * @module
 */

import type { SweepProgress } from "./sweep.ts";

const CELLS = 24;

/** `[██████░░░░]  512/1000 points, 51 %, 12 s, about 11 s left`, without a newline. */
export function progressBar({ points, found, ran }: SweepProgress, seconds: number): string {
  const done = found + ran;
  const share = points === 0 ? 1 : done / points;
  const full = Math.floor(share * CELLS);
  const left = ran === 0 || done === points
    ? ""
    : `, about ${Math.ceil(seconds / ran * (points - done))} s left`;
  return `[${"█".repeat(full)}${"░".repeat(CELLS - full)}] ${done}/${points} points, ` +
    `${Math.floor(share * 100)} %, ${Math.round(seconds)} s${left}`;
}
