/**
 * A figure: rows that were drawn, the Vega-Lite specification that draws them, and the same chart as terminal text.
 * Charts make figures; a figure knows how to become text, SVG, PNG, CSV and a notebook's bundle of media types.
 *
 * `toText`, `toCsv`, `toVegaLite` and `toSvg` need no permission; `toPng` reads the bundled fonts (`png.ts`); `save`
 * writes the named file (`save.ts`).
 *
 * @module
 */

import { outOfRange } from "../core/misuse.ts";
import { knownOptions } from "../core/options.ts";
import { lineView, textView } from "../core/views.ts";
import { toCsv } from "./csv.ts";
import { pngSize, renderPng } from "./png.ts";
import { type FigureSize, VEGA_LITE_MIME, type VegaLiteSpec } from "./spec.ts";
import { renderSvg } from "./svg.ts";

/** How terminal text is written. */
export interface TextOptions {
  /** With ANSI colours; false unless asked, the caller knows its terminal and NO_COLOR. */
  readonly colour?: boolean;
}

/** Words of a chart that its caller may know better. */
export interface ChartOptions {
  readonly title?: string;
  readonly subtitle?: string;
}

/** What a chart hands over. */
export interface FigureParts<Row extends object> {
  readonly title: string;
  /** At least one. */
  readonly rows: readonly Row[];
  readonly spec: VegaLiteSpec;
  /** Of the whole picture, in CSS pixels. */
  readonly size: FigureSize;
  /** The terminal twin, in at most `width` columns. */
  readonly text: (width: number, options: Required<TextOptions>) => string;
}

/** What a notebook shows: the figure by media type. */
export interface FigureData {
  /** Base64. */
  readonly "image/png": string;
  readonly "application/vnd.vegalite.v5+json": VegaLiteSpec;
  readonly "text/plain": string;
}

/** A display message's two halves. */
export interface FigureBundle {
  readonly data: FigureData;
  /** Size at which the PNG is to be shown, in CSS pixels: a picture drawn at scale 2 is not twice as large. */
  readonly metadata: { readonly "image/png": FigureSize };
}

/** Columns of terminal text when nobody says otherwise. */
const TEXT_WIDTH = 80;
/** Columns beyond which bars only get longer. */
const WIDEST_TEXT = 120;
const NARROWEST_TEXT = 40;

/**
 * A chart of some rows.
 *
 * @example
 * ```ts
 * import { costByDesign } from "grantlab/plots";
 * const figure = costByDesign([{ design: "linux6_1", layer: "xen", amount: 900, unit: "instructions", source: "assumed" }]);
 * if (!figure.toText().includes("Linux 6.1")) throw new Error();
 * if (!figure.toCsv().startsWith("design,layer,amount,unit,source\n")) throw new Error();
 * ```
 */
export class Figure<Row extends object = object> {
  readonly title: string;
  readonly rows: readonly Row[];
  readonly spec: VegaLiteSpec;
  readonly size: FigureSize;
  readonly #text: FigureParts<Row>["text"];

  constructor(parts: FigureParts<Row>) {
    if (parts.rows.length === 0) throw outOfRange("draw", parts.title, "there are no rows");
    this.title = parts.title;
    this.rows = parts.rows;
    this.spec = parts.spec;
    this.size = parts.size;
    this.#text = parts.text;
  }

  /**
   * The terminal twin, in at most `width` columns (80 if not given).
   *
   * @throws {RangeError} if `width` is not a whole number of at least 40
   */
  toText(width: number = TEXT_WIDTH, options: TextOptions = {}): string {
    if (!Number.isSafeInteger(width) || width < NARROWEST_TEXT) {
      throw outOfRange(
        "draw a chart of width",
        width,
        `it must be a whole number of at least ${NARROWEST_TEXT}`,
      );
    }
    knownOptions("toText()", options, { colour: "boolean" });
    return this.#text(width, { colour: options.colour ?? false });
  }

  /** The picture as SVG text; the same rows give the same bytes. */
  toSvg(): Promise<string> {
    return renderSvg(this.spec);
  }

  /** The picture as a PNG file, `scale` device pixels per CSS pixel; the same rows give the same bytes. */
  async toPng(scale = 1): Promise<Uint8Array<ArrayBuffer>> {
    return await renderPng(await this.toSvg(), scale);
  }

  /** The rows as CSV, header first. */
  toCsv(): string {
    return toCsv(this.rows);
  }

  /** A copy of the specification, data inside, to be changed or embedded at will. */
  toVegaLite(): VegaLiteSpec {
    return structuredClone(this.spec);
  }

  /** The figure by media type, with the size at which the PNG (drawn at `scale`) is to be shown. */
  async bundle(scale = 2): Promise<FigureBundle> {
    const png = await this.toPng(scale);
    const { width, height } = pngSize(png);
    return {
      data: { "image/png": png.toBase64(), [VEGA_LITE_MIME]: this.toVegaLite(), "text/plain": this.toText() },
      metadata: { "image/png": { width: Math.round(width / scale), height: Math.round(height / scale) } },
    };
  }

  /** Writes the file that the name's ending asks for: `.png`, `.svg`, `.csv` or `.vl.json`. See `saveFigure`. */
  async save(path: string): Promise<void> {
    const { saveFigure } = await import("./save.ts");
    await saveFigure(this, path);
  }

  /** What `console.log` and the REPL print: as wide as the terminal, within reason. */
  [textView](
    _inspect: unknown,
    options?: { readonly colors?: boolean; readonly breakLength?: number },
  ): string {
    const wished = options?.breakLength ?? TEXT_WIDTH;
    const width = Number.isFinite(wished)
      ? Math.min(WIDEST_TEXT, Math.max(NARROWEST_TEXT, wished))
      : TEXT_WIDTH;
    return this.toText(Math.floor(width), { colour: options?.colors ?? false });
  }

  /** What a pipe gets. */
  [lineView](): string {
    return `chart ${JSON.stringify(this.title)} of ${this.rows.length} rows`;
  }

  /** What a notebook shows for the last value of a cell; its PNG is at scale 1, as no size can be sent with it. */
  async [Symbol.for("Jupyter.display")](): Promise<FigureData> {
    return (await this.bundle(1)).data;
  }
}
