/**
 * Vega-Lite in, SVG out: no canvas, no browser, no permission. Text is measured with the widths of `font_metrics.ts`,
 * so the layout is the same on every machine, whether or not a canvas package happens to be installed beside Vega.
 *
 * Vega is loaded at the first picture, not before: a session that only prints text does not wait for it.
 *
 * @module
 */

import { textWidth } from "./font_metrics.ts";
import type { VegaLiteSpec } from "./spec.ts";

/** The part of Vega's text items that decides their width. */
interface TextItem {
  readonly fontSize?: number;
  readonly fontWeight?: string | number;
  /** Greatest width in pixels; Vega cuts longer text. */
  readonly limit?: number;
}

/** Exported by Vega, but not in its type declarations. */
interface VegaTextMetrics {
  readonly textMetrics: { width: (item: TextItem, text: unknown) => number };
}

/**
 * SVG text of a specification. The same specification gives the same bytes.
 *
 * @throws {Error} if Vega cannot compile or draw it
 */
export async function renderSvg(spec: VegaLiteSpec): Promise<string> {
  const [vega, vegaLite] = await Promise.all([import("vega"), import("vega-lite")]);
  (vega as unknown as VegaTextMetrics).textMetrics.width = itemWidth;
  // A copy, because Vega writes its row numbers into inline data.
  const compiled = vegaLite.compile(
    structuredClone(spec) as unknown as Parameters<typeof vegaLite.compile>[0],
    {
      logger: vega.logger(vega.Error),
    },
  );
  const view = new vega.View(vega.parse(compiled.spec), { renderer: "none", logLevel: vega.Error });
  try {
    return renumber(await view.toSVG());
  } finally {
    view.finalize();
  }
}

function itemWidth(item: TextItem, text: unknown): number {
  const bold = item.fontWeight === "bold" || Number(item.fontWeight) >= 600;
  const width = textWidth(String(text ?? "").trim(), item.fontSize ?? 11, bold);
  return item.limit !== undefined && item.limit > 0 ? Math.min(width, item.limit) : width;
}

/** Vega numbers clip paths and gradients through the life of the process; here they count from 0 in every picture. */
function renumber(svg: string): string {
  const places = new Map<string, string>();
  return svg.replace(
    /(id="|url\(#)(clip|gradient_|pattern_)(\d+)/g,
    (_, before: string, kind: string, id: string) => {
      const known = places.get(kind + id) ?? `${kind}${places.size}`;
      places.set(kind + id, known);
      return before + known;
    },
  );
}
