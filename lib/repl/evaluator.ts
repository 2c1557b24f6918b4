/**
 * What evaluates lines, as the prompt, the pipe and a notebook kernel see it. Nothing here prints: a result is a
 * handle to a live value, and the front end asks for it in the form that it shows.
 *
 * The one implementation is `inspector_evaluator.ts`; why it is that one, with the numbers, is in `README.md`.
 *
 * @module
 */

/** A value that lives in the host. Primitives travel whole, anything else stays there and has an `objectId`. */
export interface ValueHandle {
  /** `typeof` the value. */
  readonly type: string;
  /** The value, if it is a primitive other than a symbol. */
  readonly primitive?: string | number | boolean | bigint | null | undefined;
  /** Where the value lives, if it is not a primitive. */
  readonly objectId?: string;
  /** What the source calls it, if it is nothing but a path: `mmapBase` of `qemu.mm.mmapBase`. */
  readonly name?: string;
}

/** How a line failed. */
export interface EvaluationError {
  readonly kind: "error";
  /** `syntax`: nothing ran. `run`: it threw. `interrupt`: somebody stopped it. */
  readonly phase: "syntax" | "run" | "interrupt";
  /** Class of what was thrown: `RangeError`; empty if it was not an error. */
  readonly name: string;
  /** What a person reads, class included: `RangeError: Cannot map …`. May have several lines; no stack. */
  readonly message: string;
  /** Line within the source, from 0. */
  readonly line: number;
}

/** What became of a source. */
export type Evaluation =
  | { readonly kind: "value"; readonly value: ValueHandle }
  | EvaluationError
  /** The host is gone: the source called `Deno.exit`, or ran out of memory. */
  | { readonly kind: "ended"; readonly code: number };

/** How a value is written. */
export interface PrintOptions {
  /** `line`: one line, for pipes. `text`: for people, tables and drawings included. */
  readonly form: "line" | "text";
  /** Columns of the terminal; `text` only. */
  readonly width?: number;
  /** ANSI colours; `text` only. */
  readonly colour?: boolean;
  /** Characters after which the text is cut and its size told; `text` only. */
  readonly most?: number;
}

/** A value by media type, as a notebook shows it. Text is a string, pictures are base64, JSON is itself. */
export interface DisplayBundle {
  readonly data: Readonly<Record<string, unknown>>;
  /** By media type, too: the size at which a picture is to be shown. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** What `interrupt()` did: ended a busy line, left an awaiting line behind, found nothing, or had no effect. */
export type Interruption = "stopped" | "left-behind" | "idle" | "stuck";

/** A session: declarations last from source to source. One source is evaluated at a time. */
export interface Evaluator {
  /**
   * Evaluates TypeScript with imports and top-level `await`. When the promise settles, everything that the source
   * has written to stdout and stderr has been passed on. Never rejects for what the source does.
   */
  evaluate(source: string): Promise<Evaluation>;
  /** A value in the form asked for. A text view that throws gives the error's message in angle brackets. */
  print(value: ValueHandle, options: PrintOptions): Promise<string>;
  /**
   * A value as a notebook shows it; nothing for `undefined`. When it settles, what the value's own views have written
   * has been passed on, too.
   */
  display(value: ValueHandle): Promise<DisplayBundle | undefined>;
  /** Lets the host forget a value that nobody else holds. */
  release(value: ValueHandle): Promise<void>;
  /** Names that may follow `prefix`, the text up to the cursor: whole replacements of its last word, sorted. */
  complete(prefix: string): Promise<{ readonly from: number; readonly names: readonly string[] }>;
  /** Names that the session's lines have declared, in no order. */
  sessionNames(): Promise<readonly string[]>;
  /**
   * Name of the class of the object at a dotted path, found without side effects; undefined if there is no object.
   * Of a class it is its own name.
   */
  classOf(path: string): Promise<string | undefined>;
  /** How many errors of timers and promises nobody has handled so far. */
  unhandled(): Promise<number>;
  /** Stops the running source; the session stays. */
  interrupt(): Promise<Interruption>;
  /** Ends the host. No process is left when it settles. */
  close(): Promise<void>;
}

/** What is there when a session opens. */
export interface Preamble {
  /** URL of a module whose exports become names of the session. */
  readonly module: string;
  /** Sources evaluated before the first line, silently; a failing one is an error of ours. */
  readonly setup: readonly string[];
}

/** How a session is opened. */
export interface EvaluatorOptions {
  readonly preamble: Preamble;
  /** Receives what the session's code writes, as it comes. A promise that is answered holds back what comes after. */
  readonly onOutput: (stream: "stdout" | "stderr", text: string) => void | Promise<void>;
  /**
   * Receives what `show()` in the session displays, in the order of the output around it. Without it `show()` writes
   * text. With it, what goes through `console` to stderr keeps its place between what goes to stdout.
   */
  readonly onDisplay?: (bundle: DisplayBundle) => void;
  /** Permission flags of the host, as `deno run` takes them; all of them unless told. */
  readonly permissions?: readonly string[];
  /** Whether `console.log` in the session writes colours. */
  readonly colour?: boolean;
}
