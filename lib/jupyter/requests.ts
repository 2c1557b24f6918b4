/**
 * Requests that are answered from what is known, without running a cell.
 *
 * @module
 */

import type { Cells } from "./cells.ts";
import type { Language } from "./language.ts";
import { type Content, PROTOCOL_VERSION } from "./message.ts";

/** What the answers are made of. */
export interface Answerer {
  readonly language: Language;
  readonly cells: Cells;
}

/** Request by type: the content of its reply. */
export const ANSWERS: Readonly<
  Record<string, (from: Answerer, content: Content) => Content | Promise<Content>>
> = {
  kernel_info_request: ({ language }) => ({
    status: "ok",
    protocol_version: PROTOCOL_VERSION,
    implementation: "grantlab",
    implementation_version: "0.0.1",
    language_info: language.info,
    banner: language.banner,
    debugger: false,
    help_links: [],
  }),

  complete_request: async ({ language }, { code, cursor_pos }) => {
    const source = String(code);
    const end = indexOfPoint(source, cursor_pos);
    const { from, names } = await language.complete(source, end);
    return {
      status: "ok",
      matches: names,
      cursor_start: pointsBefore(source, from),
      cursor_end: pointsBefore(source, end),
      metadata: {},
    };
  },

  inspect_request: async ({ language }, { code, cursor_pos }) => {
    const source = String(code);
    const bundle = await language.inspect(source, indexOfPoint(source, cursor_pos));
    return { status: "ok", found: bundle !== undefined, ...bundle ?? { data: {}, metadata: {} } };
  },

  is_complete_request: ({ language }, { code }) => {
    const status = language.completeness(String(code));
    return status === "incomplete" ? { status, indent: "  " } : { status };
  },

  history_request: ({ cells }, { hist_access_type, n, start, stop }) => {
    const all = cells.history.map((source, i) => [1, i + 1, source]);
    const history = hist_access_type === "tail"
      ? all.slice(-Number(n ?? 10))
      : hist_access_type === "range"
      ? all.slice(Number(start ?? 1) - 1, stop === undefined || stop === null ? undefined : Number(stop) - 1)
      : [];
    return { status: "ok", history };
  },

  comm_info_request: () => ({ status: "ok", comms: {} }),

  connect_request: () => ({ status: "ok" }),
};

/** Jupyter counts characters as Unicode does, JavaScript in halves of surrogates. */
function indexOfPoint(text: string, points: unknown): number {
  return typeof points === "number" ? [...text].slice(0, points).join("").length : text.length;
}

function pointsBefore(text: string, index: number): number {
  return [...text.slice(0, index)].length;
}
