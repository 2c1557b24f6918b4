/**
 * `execute_request`: runs cells one after the other, numbers them, publishes what they say, and gives up those that
 * wait behind one that failed.
 *
 * @module
 */

import type { CellOutcome, Language } from "./language.ts";
import type { Content, JupyterMessage } from "./message.ts";
import type { Publisher } from "./publisher.ts";

/** What a cell is sent with, as far as it is used. */
interface ExecuteRequest {
  readonly code: string;
  readonly silent?: boolean;
  readonly store_history?: boolean;
  readonly user_expressions?: Readonly<Record<string, string>>;
}

type CellError = Extract<CellOutcome, { kind: "error" }>;

const RED = "\x1b[31m";
const PLAIN = "\x1b[39m";

/** The cells of a kernel. */
export class Cells {
  /** Sources that were run, by number from 1. */
  readonly history: string[] = [];
  readonly #language: Language;
  readonly #publisher: Publisher;

  constructor(language: Language, publisher: Publisher) {
    this.#language = language;
    this.#publisher = publisher;
  }

  /** Number of the last cell. */
  get count(): number {
    return this.history.length;
  }

  /** Runs a cell; all that it published has been sent when the reply comes. */
  async execute({ header, content }: JupyterMessage): Promise<Content> {
    const request = content as unknown as ExecuteRequest;
    const isSilent = request.silent === true;
    if (!isSilent && request.store_history !== false) this.history.push(request.code);
    this.#publisher.begin(header, isSilent);
    if (!isSilent) {
      this.#publisher.publish("execute_input", header, {
        code: request.code,
        execution_count: this.count,
      });
    }
    const outcome = await this.#run(request.code);
    this.#publisher.flush();
    if (outcome.kind === "error") {
      const error = errorContent(outcome);
      if (!isSilent) this.#publisher.publish("error", header, error);
      return { status: "error", execution_count: this.count, ...error };
    }
    if (outcome.bundle !== undefined && !isSilent) {
      const { data, metadata } = outcome.bundle;
      this.#publisher.publish("execute_result", header, { execution_count: this.count, data, metadata });
    }
    return {
      status: "ok",
      execution_count: this.count,
      payload: [],
      user_expressions: await this.#expressions(request.user_expressions ?? {}),
    };
  }

  /** The reply to a cell that is given up because one before it failed. */
  aborted(): Content {
    return { status: "aborted", execution_count: this.count };
  }

  async #expressions(wanted: Readonly<Record<string, string>>): Promise<Content> {
    const values: Record<string, unknown> = {};
    for (const [name, code] of Object.entries(wanted)) {
      const outcome = await this.#run(code);
      values[name] = outcome.kind === "error"
        ? { status: "error", ...errorContent(outcome) }
        : { status: "ok", ...outcome.bundle ?? { data: { "text/plain": "undefined" }, metadata: {} } };
    }
    return values;
  }

  /** A fault of ours must reach the front end as well. */
  async #run(code: string): Promise<CellOutcome> {
    try {
      return await this.#language.run(code);
    } catch (error) {
      const message = `the kernel itself failed: ${(error as Error).message}`;
      return { kind: "error", name: "KernelFault", message, lines: [message] };
    }
  }
}

/** What Jupyter shows of an error is the traceback; its first line is red. */
function errorContent({ name, message, lines: [first, ...rest] }: CellError): Content {
  return { ename: name, evalue: message, traceback: [`${RED}${first}${PLAIN}`, ...rest] };
}
