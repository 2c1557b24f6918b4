/**
 * The front end for people: entries from the prompt go to the session or to a command, results to the screen.
 * What the keys do is in `editor/`, what the commands do in `commands/`.
 *
 * @module
 */

import { isCommand, runCommand } from "./commands/mod.ts";
import type { CommandContext } from "./commands/command.ts";
import { History } from "./editor/history.ts";
import { HistoryFile } from "./editor/history_file.ts";
import type { Evaluation } from "./evaluator.ts";
import { LiveSession } from "./live_session.ts";
import type { OpenHost } from "./live_session.ts";
import { Prompt } from "./prompt.ts";
import { namesFor } from "./names.ts";
import { completeness } from "./source.ts";
import { openTerminal, type Terminal } from "./terminal.ts";

/** Characters of a value that are shown; the size of the rest is told. */
const MOST_SHOWN = 20_000;

/** How the session looks, and what stands behind it. */
export interface InteractiveOptions {
  readonly colour: boolean;
  /** Written before the first prompt. */
  readonly banner: string;
  /** URL of the module whose names the session has. */
  readonly module: string;
  /** Lines that ran before the first one of the user. */
  readonly setup: readonly string[];
  /** File of the history; undefined: this session only. */
  readonly historyPath: string | undefined;
}

/** Opens hosts; what their code writes is given to `onOutput`. */
export type OpenWithOutput = (
  onOutput: (text: string) => void,
  isMuted: () => boolean,
) => ReturnType<OpenHost>;

/**
 * Prompts until the user leaves.
 *
 * @returns exit code: 0, or that of `Deno.exit` in an entry
 * @throws {Error} if the host cannot be opened
 */
export async function runInteractive(open: OpenWithOutput, options: InteractiveOptions): Promise<number> {
  let prompt: Prompt | undefined;
  const session = await LiveSession.start((isMuted) => open((text) => prompt?.write(text), isMuted));
  const terminal = openTerminal();
  try {
    const file = new HistoryFile(options.historyPath, (message) => terminal.write(`${message}\n`));
    terminal.write(`${options.banner}\n`);
    const history = new History(file.load());
    prompt = new Prompt(terminal, history, {
      isFinished: (source) => isCommand(source) || completeness(source) !== "unfinished",
      complete: (prefix) => namesFor(session.evaluator, prefix),
      interrupt: interrupter(session, terminal),
    });
    return await new Loop(session, terminal, prompt, options).run((entry) => {
      if (history.add(entry)) file.append(entry);
    });
  } finally {
    terminal.close();
    await session.close();
  }
}

/** Entries one after the other. */
class Loop {
  readonly #session: LiveSession;
  readonly #terminal: Terminal;
  readonly #prompt: Prompt;
  readonly #options: InteractiveOptions;
  #code: number | undefined;

  constructor(session: LiveSession, terminal: Terminal, prompt: Prompt, options: InteractiveOptions) {
    this.#session = session;
    this.#terminal = terminal;
    this.#prompt = prompt;
    this.#options = options;
  }

  async run(remember: (entry: string) => void): Promise<number> {
    const { module, setup } = this.#options;
    const context: CommandContext = {
      session: this.#session,
      module,
      setup,
      write: (text) => this.#prompt.write(`${text}\n`),
      show: (evaluation) => this.#show(evaluation),
      leave: (code) => this.#code = code,
    };
    while (this.#code === undefined) {
      const entry = await this.#prompt.ask();
      if (entry === undefined) return 0;
      remember(entry);
      if (isCommand(entry)) await runCommand(context, entry);
      else if (completeness(entry) !== "blank") await this.#show(await this.#session.run(entry));
    }
    return this.#code;
  }

  async #show(evaluation: Evaluation): Promise<void> {
    const { colour } = this.#options;
    if (evaluation.kind === "ended") {
      this.#code = evaluation.code;
    } else if (evaluation.kind === "error") {
      const { message } = evaluation;
      this.#prompt.write(`${colour ? `\x1b[31m${message}\x1b[39m` : message}\n`);
    } else if (evaluation.value.type !== "undefined") {
      const { columns } = this.#terminal.size;
      const form = { form: "text", width: columns, colour, most: MOST_SHOWN } as const;
      this.#prompt.write(`${await this.#session.print(evaluation.value, form)}\n`);
      await this.#session.evaluator.release(evaluation.value);
    }
  }
}

/** Ctrl-C while a line runs: stops it, or, if it did not let go the last time, ends the session. */
function interrupter(session: LiveSession, terminal: Terminal): () => Promise<void> {
  let isStuck = false;
  return async () => {
    if (isStuck) return await session.close();
    isStuck = await session.interrupt() === "stuck";
    if (isStuck) terminal.write("\r\nThe line does not stop; Ctrl-C again ends the session\r\n");
  };
}
