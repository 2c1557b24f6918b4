/**
 * The front end for people, plain: a prompt with line editing and the history of this session, entries of several
 * lines, Tab for names, Ctrl-C for the running line (twice if it does not let go) or the entry being typed, Ctrl-D to
 * leave.
 *
 * @module
 */

import process from "node:process";
import { createInterface, type Interface } from "node:readline";
import type { Evaluation, Evaluator } from "./evaluator.ts";
import { completeness } from "./source.ts";

const PROMPT = "> ";
const CONTINUATION = "… ";

/** How the session looks. */
export interface InteractiveOptions {
  readonly colour: boolean;
  /** Written before the first prompt. */
  readonly banner: string;
}

/**
 * Prompts until the user leaves.
 *
 * @returns exit code: 0, or that of `Deno.exit` in an entry
 */
export async function runInteractive(
  evaluator: Evaluator,
  { colour, banner }: InteractiveOptions,
): Promise<number> {
  console.log(banner);
  const readline = createInterface({
    input: process.stdin,
    output: process.stdout,
    terminal: true,
    prompt: PROMPT,
    completer: (line: string, done: (error: null, result: [string[], string]) => void) => {
      void evaluator.complete(line).then(
        ({ from, names }) => done(null, [[...names], line.slice(from)]),
        () => done(null, [[], line]),
      );
    },
  });
  const prompt = new Prompt(readline, evaluator);
  try {
    for await (const source of prompt.entries()) {
      const evaluation = await evaluator.evaluate(source);
      if (evaluation.kind === "ended") return evaluation.code;
      await show(evaluator, evaluation, colour);
    }
    return 0;
  } finally {
    readline.close();
  }
}

async function show(
  evaluator: Evaluator,
  evaluation: Exclude<Evaluation, { kind: "ended" }>,
  colour: boolean,
): Promise<void> {
  if (evaluation.kind === "error") {
    console.log(colour ? `\x1b[31m${evaluation.message}\x1b[39m` : evaluation.message);
    return;
  }
  // A declaration has nothing to show.
  if (evaluation.value.type === "undefined") return;
  const width = process.stdout.columns ?? 80;
  console.log(await evaluator.print(evaluation.value, { form: "text", width, colour }));
}

/** Lines as they are typed or pasted, made into entries. */
class Prompt {
  readonly #readline: Interface;
  readonly #evaluator: Evaluator;
  readonly #lines: string[] = [];
  #wake: (() => void) | undefined;
  #hasLeft = false;
  #isStuck = false;
  /** The lines so far of an unfinished entry. */
  #source = "";

  constructor(readline: Interface, evaluator: Evaluator) {
    this.#readline = readline;
    this.#evaluator = evaluator;
    readline.on("line", (line: string) => this.#take(() => this.#lines.push(line)));
    readline.on("close", () => this.#take(() => this.#hasLeft = true));
    readline.on("SIGINT", () => void this.#interrupt());
  }

  async *entries(): AsyncGenerator<string> {
    this.#ask();
    while (true) {
      const line = this.#lines.shift();
      if (line === undefined) {
        if (this.#hasLeft) return;
        await new Promise<void>((resolve) => this.#wake = resolve);
        continue;
      }
      this.#source = this.#source === "" ? line : `${this.#source}\n${line}`;
      const state = completeness(this.#source);
      const source = this.#source;
      if (state !== "unfinished") this.#source = "";
      if (state === "finished") yield source;
      this.#ask();
    }
  }

  #take(arrive: () => void): void {
    arrive();
    this.#wake?.();
    this.#wake = undefined;
  }

  #ask(): void {
    if (this.#hasLeft || this.#lines.length > 0) return;
    this.#readline.setPrompt(this.#source === "" ? PROMPT : CONTINUATION);
    this.#readline.prompt();
  }

  async #interrupt(): Promise<void> {
    if (this.#isStuck) return await this.#evaluator.close();
    const result = await this.#evaluator.interrupt();
    this.#isStuck = result === "stuck";
    if (this.#isStuck) console.log("The line does not stop; Ctrl-C again ends the session");
    if (result !== "idle") return;
    this.#source = "";
    // Ctrl-U: what has been typed of the line goes.
    this.#readline.write(null, { ctrl: true, name: "e" });
    this.#readline.write(null, { ctrl: true, name: "u" });
    console.log();
    this.#ask();
  }
}
