/**
 * SVG in, PNG out, with the DejaVu Sans that is bundled: the fonts of the machine are never asked. The first picture
 * loads renderer and fonts (`renderer.ts`), which needs read permission for the installed packages and nothing else.
 *
 * @module
 */

import { outOfRange } from "../core/misuse.ts";
import type { FigureSize } from "./spec.ts";

const SMALLEST_SCALE = 0.1;
const GREATEST_SCALE = 8;

/**
 * PNG file of an SVG picture, `scale` device pixels per CSS pixel. The same picture gives the same bytes.
 *
 * @throws {RangeError} if `scale` is not a number from 0.1 to 8
 */
export async function renderPng(svg: string, scale = 1): Promise<Uint8Array<ArrayBuffer>> {
  if (!(scale >= SMALLEST_SCALE && scale <= GREATEST_SCALE)) {
    throw outOfRange(
      "draw a picture at scale",
      scale,
      `it must be a number from ${SMALLEST_SCALE} to ${GREATEST_SCALE}`,
    );
  }
  const { rasterize } = await import("./renderer.ts");
  return rasterize(svg, scale);
}

/**
 * Width and height in pixels, as a PNG file's header has them.
 *
 * @throws {TypeError} if the bytes do not begin as a PNG file
 */
export function pngSize(png: Uint8Array): FigureSize {
  const header = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const isPng = png.length >= 24 && header.getUint32(0) === 0x89504e47 && header.getUint32(4) === 0x0d0a1a0a;
  if (!isPng) throw new TypeError("Cannot read the size of a picture: it does not begin as a PNG file");
  return { width: header.getUint32(16), height: header.getUint32(20) };
}
