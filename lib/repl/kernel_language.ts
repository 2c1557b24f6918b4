/**
 * The session as a notebook kernel's language: cells are sources of the same evaluator that the prompt has.
 *
 * A session that ends under a cell (its process was killed, ran out of memory or called `Deno.exit`) is an error of
 * that cell, and the next cell finds a fresh one.
 *
 * @module
 */

import type { CellOutcome, CellOutput, Completeness, Language, MimeBundle } from "../jupyter/language.ts";
import type { EvaluationError, Evaluator, Preamble } from "./evaluator.ts";
import { helpFor } from "./help.ts";
import { openEvaluator } from "./inspector_evaluator.ts";
import { completeness } from "./source.ts";
import { TypeWarnings } from "./type_warnings.ts";

/** A cell that asks for help: `?name` or `name?`. */
const HELP_CELL = /^\s*(?:\?+\s*([\p{ID_Continue}$.]+)|([\p{ID_Continue}$.]+)\s*\?+)\s*;?\s*$/u;

/** How `helpFor` begins when it has nothing to tell. */
const NO_HELP = /^(?:Nothing is known of|Cannot) /;

/** What the language of a kernel is made of. */
export interface KernelLanguageOptions {
  readonly preamble: Preamble;
  readonly banner: string;
  readonly output: CellOutput;
  /** Check the types of cells and show what is wrong with them as warnings. */
  readonly types?: boolean;
  /** Rights of the cells, as flags of `deno run`; all unless told. */
  readonly permissions?: readonly string[];
}

/** Opens a session at once and answers for it. */
export function kernelLanguage(options: KernelLanguageOptions): Language {
  return new SessionLanguage(options);
}

class SessionLanguage implements Language {
  readonly info = {
    name: "typescript",
    version: Deno.version.typescript,
    mimetype: "text/x.typescript",
    file_extension: ".ts",
    pygments_lexer: "typescript",
    codemirror_mode: { name: "javascript", typescript: true },
    nbconvert_exporter: "script",
  };
  readonly banner: string;
  readonly #options: KernelLanguageOptions;
  #evaluator: Promise<Evaluator>;
  #types: TypeWarnings | undefined;
  #isStuck = false;
  #isClosed = false;

  constructor(options: KernelLanguageOptions) {
    this.banner = options.banner;
    this.#options = options;
    this.#evaluator = this.#open();
    this.#types = this.#openTypes();
  }

  async run(code: string): Promise<CellOutcome> {
    const asked = HELP_CELL.exec(code);
    if (asked !== null) return await this.#help((asked[1] ?? asked[2])!);
    if (completeness(code) === "blank") return { kind: "value" };
    this.#isStuck = false;
    let evaluator: Evaluator;
    try {
      evaluator = await this.#evaluator;
    } catch (error) {
      this.#evaluator = this.#open();
      return failure("SessionError", (error as Error).message);
    }
    const warned = this.#types?.check(code);
    const evaluation = await evaluator.evaluate(code);
    await warned;
    if (evaluation.kind === "error") return errorOutcome(evaluation, code);
    if (evaluation.kind === "ended") return await this.#again(evaluator, `code ${evaluation.code}`);
    try {
      const bundle = await evaluator.display(evaluation.value);
      await evaluator.release(evaluation.value);
      return bundle === undefined ? { kind: "value" } : { kind: "value", bundle };
    } catch {
      return await this.#again(evaluator, "its value unseen");
    }
  }

  async complete(code: string, cursor: number): Promise<{ from: number; names: readonly string[] }> {
    return await (await this.#evaluator).complete(code.slice(0, cursor));
  }

  async inspect(code: string, cursor: number): Promise<MimeBundle | undefined> {
    const name = nameAt(code, cursor);
    const text = name === undefined ? undefined : await this.#helpFor(name);
    return text === undefined || NO_HELP.test(text)
      ? undefined
      : { data: { "text/plain": text }, metadata: {} };
  }

  completeness(code: string): Completeness {
    return completeness(code) === "unfinished" ? "incomplete" : "complete";
  }

  async interrupt(): Promise<void> {
    const evaluator = await this.#evaluator.catch(() => undefined);
    if (evaluator === undefined) return;
    if (this.#isStuck) return await evaluator.close();
    if (await evaluator.interrupt() !== "stuck") return;
    this.#isStuck = true;
    void this.#options.output.onText(
      "stderr",
      "The cell does not let go. Interrupt again to end the session.\n",
    );
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const evaluator = await this.#evaluator.catch(() => undefined);
    await evaluator?.close();
    await this.#types?.close();
  }

  #openTypes(): TypeWarnings | undefined {
    const { types, preamble: { module }, output } = this.#options;
    if (types !== true || !module.startsWith("file:")) return undefined;
    return new TypeWarnings({ module, evaluator: this.#evaluator, show: output.onDisplay });
  }

  #open(): Promise<Evaluator> {
    const { preamble, output, permissions } = this.#options;
    const evaluator = openEvaluator({
      preamble,
      onOutput: output.onText,
      onDisplay: output.onDisplay,
      ...permissions === undefined ? {} : { permissions },
    });
    // Its failure is told to the next cell.
    evaluator.catch(() => {});
    return evaluator;
  }

  /** A fresh session after one that has ended. */
  async #again(old: Evaluator, how: string): Promise<CellOutcome> {
    await old.close();
    if (!this.#isClosed) {
      this.#evaluator = this.#open();
      await this.#types?.close();
      this.#types = this.#openTypes();
    }
    return failure(
      "SessionEnded",
      `The session's process ended with ${how}. A fresh one is open, without its names.`,
    );
  }

  async #helpFor(name: string): Promise<string> {
    const evaluator = await this.#evaluator;
    return await helpFor(name, {
      module: this.#options.preamble.module,
      classOf: (path) => evaluator.classOf(path),
    });
  }

  async #help(name: string): Promise<CellOutcome> {
    const text = await this.#helpFor(name);
    if (NO_HELP.test(text)) return failure("NoHelp", text);
    return { kind: "value", bundle: { data: { "text/plain": text }, metadata: {} } };
  }
}

function failure(name: string, message: string): CellOutcome {
  return { kind: "error", name, message, lines: [message] };
}

/** The message, and the line of the cell if there are several. */
function errorOutcome({ name, message, line, phase }: EvaluationError, code: string): CellOutcome {
  const prefix = `${name}: `;
  const source = code.split("\n");
  const lines = message.split("\n");
  if (phase !== "interrupt" && source.length > 1 && source[line] !== undefined) {
    lines.push(`  in line ${line + 1}: ${source[line].trim()}`);
  }
  return {
    kind: "error",
    name: name === "" ? "Uncaught" : name,
    message: message.startsWith(prefix) ? message.slice(prefix.length) : message.replace(/^Uncaught /, ""),
    lines,
  };
}

const PATH_BEFORE = /[\p{ID_Start}$_][\p{ID_Continue}$]*(?:\??\.[\p{ID_Start}$_][\p{ID_Continue}$]*)*$/u;

/** The dotted name at a cursor, or that of the call whose arguments it is in. */
function nameAt(code: string, cursor: number): string | undefined {
  const rest = /^[\p{ID_Continue}$]*/u.exec(code.slice(cursor))![0];
  const name = PATH_BEFORE.exec(code.slice(0, cursor) + rest)?.[0];
  if (name !== undefined) return name.replaceAll("?.", ".");
  let depth = 0;
  for (let i = cursor - 1; i >= 0; i--) {
    if (code[i] === ")") depth++;
    else if (code[i] === "(" && depth-- === 0) {
      return PATH_BEFORE.exec(code.slice(0, i))?.[0].replaceAll("?.", ".");
    }
  }
  return undefined;
}
