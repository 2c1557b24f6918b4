/**
 * Type errors of cells as warnings beside their output. They never stop or fail a cell: it waits for them at most a
 * second from its start; what comes later is shown if no other cell has begun.
 *
 * @module
 */

import { escapeHtml } from "../core/view.ts";
import { CellTypes, globalNames } from "./cell_types.ts";
import type { DisplayBundle, Evaluator } from "./evaluator.ts";
import { LanguageServer, type TypeComplaint } from "./language_server.ts";

/** How long a cell waits for its warnings, in ms. */
const PATIENCE = 1000;

/** What warnings are made from. */
export interface TypeWarningsOptions {
  /** URL of the module whose names the session has; `file:`, with the configuration beside it. */
  readonly module: string;
  readonly evaluator: Promise<Evaluator>;
  readonly show: (bundle: DisplayBundle) => void;
}

/** The checker of one session. */
export class TypeWarnings {
  readonly #show: TypeWarningsOptions["show"];
  readonly #server: Promise<LanguageServer>;
  /** Cells are checked one after the other. */
  #types: Promise<CellTypes | undefined>;
  #cells = 0;

  constructor({ module, evaluator, show }: TypeWarningsOptions) {
    this.#show = show;
    const root = new URL(".", module).href;
    this.#server = LanguageServer.start(root, `${root}session_${Deno.pid}.ts`);
    this.#types = this.#warm(module, evaluator);
  }

  async #warm(module: string, opened: Promise<Evaluator>): Promise<CellTypes | undefined> {
    try {
      const evaluator = await opened;
      const names = `Object.keys(await import(${JSON.stringify(module)})).join()`;
      const found = await evaluator.evaluate(names);
      if (found.kind !== "value") return undefined;
      const head = globalNames(module, String(found.value.primitive).split(","));
      const types = new CellTypes(await this.#server, head);
      await types.warm();
      return types;
    } catch {
      // Without a checker there are no warnings, and cells run as ever.
      return undefined;
    }
  }

  /** Checks a cell while it runs; settles when the cell need wait no longer. Never rejects. */
  async check(code: string): Promise<void> {
    const cell = ++this.#cells;
    const types = this.#types;
    const checked = types.then((ready) => ready?.check(code) ?? []).catch(() => []);
    this.#types = checked.then(() => types);
    const shown = checked.then((complaints) => {
      if (complaints.length > 0 && cell === this.#cells) this.#show(warningsOf(complaints));
    });
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, PATIENCE);
    await Promise.race([shown, late.promise]);
    clearTimeout(timer);
  }

  /** Ends the server's process. */
  async close(): Promise<void> {
    await this.#server.then((server) => server.close()).catch(() => {});
  }
}

/** Complaints as text and HTML; lines and columns from 1. */
export function warningsOf(complaints: readonly TypeComplaint[]): DisplayBundle {
  const lines = complaints.map(({ line, column, code, message }) =>
    `line ${line + 1}, column ${column + 1}: ${message} (TS${code})`
  );
  const items = lines.map((line) => `<li style="white-space: pre-wrap">${escapeHtml(line)}</li>`).join("");
  return {
    data: {
      "text/html":
        `<div style="border-left: 4px solid #c80; padding-left: 8px">types do not fit; the cell runs all the same` +
        `<ul style="margin: 0">${items}</ul></div>`,
      "text/plain": ["types do not fit; the cell runs all the same", ...lines.map((line) => `  ${line}`)]
        .join("\n"),
    },
    metadata: {},
  };
}
