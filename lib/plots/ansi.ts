/**
 * Colour in terminal text. Nothing here decides *whether* to colour: the caller knows its terminal and NO_COLOR.
 *
 * Verdicts use the sixteen colours that follow the reader's own terminal theme; design swatches use the 256-colour
 * cube, which every common terminal shows.
 *
 * @module
 */

import type { TerminalStyle } from "./theme.ts";

const SGR: Readonly<Record<TerminalStyle, string>> = {
  plain: "",
  dim: "2",
  green: "32",
  yellow: "33",
  "bold-yellow": "1;33",
  "bold-red": "1;31",
  inverse: "1;7",
};

/** `text` in a style; unchanged if `on` is false or the style is plain. */
export function paint(text: string, style: TerminalStyle, on: boolean): string {
  return on && SGR[style] !== "" && text !== "" ? `\x1b[${SGR[style]}m${text}\x1b[0m` : text;
}

/** `text` in the colour of the 256-colour cube nearest to `#rrggbb`; unchanged if `on` is false. */
export function tint(text: string, colour: string, on: boolean): string {
  return on && text !== "" ? `\x1b[38;5;${cubeIndex(colour)}m${text}\x1b[0m` : text;
}

const CUBE_LEVELS: readonly number[] = [0, 95, 135, 175, 215, 255];

function cubeIndex(colour: string): number {
  const level = (at: number) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16);
    let best = 0;
    for (let i = 1; i < CUBE_LEVELS.length; i++) {
      if (Math.abs(CUBE_LEVELS[i]! - value) < Math.abs(CUBE_LEVELS[best]! - value)) best = i;
    }
    return best;
  };
  return 16 + 36 * level(1) + 6 * level(3) + level(5);
}
