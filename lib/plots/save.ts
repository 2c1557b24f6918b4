/**
 * A figure as a file. The one file of the plots layer that touches the file system by name.
 *
 * @module
 */

import { outOfRange, wrongType } from "../core/misuse.ts";
import { show } from "../core/show.ts";
import type { Figure } from "./figure.ts";

/** From a figure to the content of a file. */
export type FigureWriter = (figure: Figure) => Promise<string | Uint8Array> | string;

/** What each ending writes. `.vl.json` is the Vega-Lite specification with its data inside. */
const WRITERS: Readonly<Record<string, FigureWriter>> = {
  ".png": (figure) => figure.toPng(2),
  ".svg": (figure) => figure.toSvg(),
  ".csv": (figure) => figure.toCsv(),
  ".vl.json": (figure) => JSON.stringify(figure.spec, null, 2) + "\n",
};

/**
 * Writes a figure to `path`; the ending says as what. PNG is drawn at two device pixels per CSS pixel. The picture is
 * finished before the file is opened.
 *
 * @throws {Error} if the file cannot be written
 * @throws {RangeError} if the ending is none of `.png`, `.svg`, `.csv`, `.vl.json`; nothing is written then
 */
export async function saveFigure(figure: Figure, path: string): Promise<void> {
  const write = writerOf(path);
  const content = await write(figure);
  try {
    await Deno.writeFile(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
  } catch (error) {
    const reason = error instanceof Deno.errors.NotFound
      ? "there is no such folder"
      : (error as Error).message;
    const Kind = (error as Error).constructor as ErrorConstructor;
    throw new Kind(`Cannot save a figure as ${show(path)}: ${reason}`, { cause: error });
  }
}

/**
 * What writes a file of that name.
 *
 * @throws {RangeError} if the ending is none of `.png`, `.svg`, `.csv`, `.vl.json`
 */
export function writerOf(path: string): FigureWriter {
  if (typeof path !== "string") throw wrongType("save a figure as", path, "it must be the name of a file");
  const ending = Object.keys(WRITERS).find((known) => path.toLowerCase().endsWith(known));
  if (ending === undefined) {
    const known = Object.keys(WRITERS).join(", ");
    throw outOfRange("save a figure as", path, `its name must end in one of ${known}`);
  }
  return WRITERS[ending]!;
}
