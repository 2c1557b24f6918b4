/**
 * The evaluator over V8's inspector protocol. A source runs in `replMode` (top-level `await`, `let` and `const` that
 * may be declared again) in the process of `host.ts`.
 *
 * The trick that makes a busy line stoppable: every script starts with `await`. What is evaluated while V8 handles
 * a protocol message cannot be interrupted, as the next message waits for the first; after an `await` the source
 * runs as a microtask, between messages, and `Runtime.terminateExecution` ends it and nothing else.
 *
 * @module
 */

import { classAt, completions, declaredNames } from "./complete.ts";
import type {
  DisplayBundle,
  Evaluation,
  EvaluationError,
  Evaluator,
  EvaluatorOptions,
  Interruption,
  PrintOptions,
  ValueHandle,
} from "./evaluator.ts";
import { HostProcess } from "./host_process.ts";
import {
  type EvaluateAnswer,
  type ExceptionDetails,
  HostGone,
  type RemoteObject,
} from "./inspector_client.ts";
import { markText } from "./mark.ts";
import { nameOfPath } from "./named_text.ts";
import { lineOf, textOf } from "./print.ts";
import { HOST, scriptOf } from "./source.ts";

/** How long the host may take for one turn of its event loop before it counts as busy. */
const TURN_MS = 60;
/** How long a terminated line may take to let go before its prints are stopped. */
const LET_GO_MS = 500;
/** How long its event loop may take to turn then. */
const STOP_MS = 1500;

const INTERRUPTED: EvaluationError = {
  kind: "error",
  phase: "interrupt",
  name: "Interrupted",
  message: "Interrupted",
  line: 0,
};

/**
 * Opens a session.
 *
 * @throws {Error} if the preamble fails
 */
export async function openEvaluator(options: EvaluatorOptions): Promise<Evaluator> {
  const host = await HostProcess.start(options);
  const evaluator = new InspectorEvaluator(host);
  try {
    await evaluator.open(options);
    return evaluator;
  } catch (error) {
    await evaluator.close();
    throw error;
  }
}

class InspectorEvaluator implements Evaluator {
  readonly #host: HostProcess;
  #scripts = 0;
  #marks = 0;
  /** Lets the caller of the running source go. */
  #abandon: ((result: Evaluation) => void) | undefined;
  /** The running source has been told to end. */
  #isTerminated = false;

  constructor(host: HostProcess) {
    this.#host = host;
  }

  async open({ preamble: { module, setup } }: EvaluatorOptions): Promise<void> {
    while ((await this.#run(`typeof ${HOST}`)).result.value !== "object") await this.#pause(1);
    const { exceptionDetails } = await this.#run(
      `${HOST}.bring(import(${JSON.stringify(module)}))`,
      { awaitPromise: true },
    );
    if (exceptionDetails !== undefined) {
      throw new Error(`Cannot open a session with ${module}: ${errorOf(exceptionDetails, "").message}`);
    }
    for (const source of setup) {
      const result = await this.evaluate(source);
      if (result.kind === "error") {
        throw new Error(`Cannot set the session up by ${source}: ${result.message}`);
      }
    }
  }

  async evaluate(source: string): Promise<Evaluation> {
    const url = `${new URL(`file://${Deno.cwd()}/`).href}line-${++this.#scripts}`;
    const expression = `await undefined;${scriptOf(source)}\n//# sourceURL=${url}`;
    const abandoned = new Promise<Evaluation>((resolve) => this.#abandon = resolve);
    this.#isTerminated = false;
    const finished = this.#run(expression, { replMode: true }).then(async (answer): Promise<Evaluation> => {
      const { result, exceptionDetails } = answer;
      if (exceptionDetails !== undefined) {
        // What ends inside an op of Deno (a console.log, say) throws null.
        if (this.#isTerminated) return INTERRUPTED;
        return await this.#thrownObject(exceptionDetails, errorOf(exceptionDetails, url));
      }
      const name = nameOfPath(source);
      return { kind: "value", value: { ...handleOf(result), ...name === undefined ? {} : { name } } };
    });
    try {
      const result = await Promise.race([finished, abandoned]);
      await this.#outputs();
      return result;
    } catch (error) {
      if (!(error instanceof HostGone)) throw error;
      return { kind: "ended", code: await this.#host.ended };
    } finally {
      this.#abandon = undefined;
      finished.catch(() => {});
    }
  }

  /** The error, with the text of what was thrown if that is an object but no error. */
  async #thrownObject({ exception }: ExceptionDetails, error: EvaluationError): Promise<EvaluationError> {
    if (exception?.objectId === undefined || exception.subtype === "error") return error;
    const thrown = handleOf(exception);
    const message = `Uncaught ${await this.print(thrown, { form: "line" })}`;
    await this.release(thrown);
    return { ...error, message };
  }

  async print(value: ValueHandle, options: PrintOptions): Promise<string> {
    const named = { ...options, ...nameIn(value) };
    if (value.objectId === undefined) {
      return options.form === "line" ? lineOf(value.primitive) : textOf(value.primitive, named);
    }
    const text = await this.#view(value.objectId, "print", [{ value: named }]);
    return text ?? "<its text view was interrupted>";
  }

  async display(value: ValueHandle): Promise<DisplayBundle | undefined> {
    if (value.objectId === undefined) {
      return value.type === "undefined"
        ? undefined
        : { data: { "text/plain": textOf(value.primitive, nameIn(value)) }, metadata: {} };
    }
    const bundle = await this.#view(value.objectId, "display", [{ value: value.name }]);
    await this.#outputs();
    return bundle === undefined
      ? { data: { "text/plain": "<its view was interrupted>" }, metadata: {} }
      : JSON.parse(bundle);
  }

  async release({ objectId }: ValueHandle): Promise<void> {
    if (objectId !== undefined) await this.#host.client.request("Runtime.releaseObject", { objectId });
  }

  complete(prefix: string): Promise<{ readonly from: number; readonly names: readonly string[] }> {
    return completions(this.#host.client, prefix);
  }

  sessionNames(): Promise<readonly string[]> {
    return declaredNames(this.#host.client);
  }

  classOf(path: string): Promise<string | undefined> {
    return classAt(this.#host.client, path);
  }

  async unhandled(): Promise<number> {
    try {
      return Number((await this.#run(`${HOST}.unhandled`)).result.value);
    } catch (error) {
      // It has left by itself, which is no error.
      if (error instanceof HostGone) return 0;
      throw error;
    }
  }

  async interrupt(): Promise<Interruption> {
    const abandon = this.#abandon;
    if (abandon === undefined) return "idle";
    if (await this.#turns(TURN_MS)) {
      abandon(INTERRUPTED);
      return "left-behind";
    }
    this.#isTerminated = true;
    // Answered when the source has let go, refused while an earlier one is under way.
    const letGo = this.#host.client.request("Runtime.terminateExecution").then(() => true, () => false);
    const hasLetGo = await Promise.race([letGo, this.#pause(LET_GO_MS)]) === true;
    if (!hasLetGo) await this.#stopPrints();
    if (!await this.#turns(STOP_MS)) return "stuck";
    if (!hasLetGo) await this.#run(`${HOST}.isStopping = false`);
    abandon(INTERRUPTED);
    return "stopped";
  }

  async close(): Promise<void> {
    await this.#host.kill();
  }

  /** A text that the host makes of a value; nothing if it was interrupted. */
  async #view(
    objectId: string,
    view: "print" | "display",
    more: readonly unknown[],
  ): Promise<string | undefined> {
    const abandoned = new Promise<Evaluation>((resolve) => this.#abandon = resolve);
    const made = this.#host.client.request<EvaluateAnswer>("Runtime.callFunctionOn", {
      functionDeclaration: `function (...more) { return ${HOST}.${view}(this, ...more); }`,
      objectId,
      arguments: more,
      awaitPromise: true,
    });
    made.catch(() => {});
    const answer = await Promise.race([made, abandoned]).finally(() => this.#abandon = undefined);
    return "result" in answer ? String(answer.result.value) : undefined;
  }

  #run(expression: string, more: Record<string, unknown> = {}): Promise<EvaluateAnswer> {
    return this.#host.client.request("Runtime.evaluate", { expression, ...more });
  }

  /** A busy line reads messages, but cannot be told to stop a second time: its next print throws. */
  async #stopPrints(): Promise<void> {
    await Promise.race([this.#run(`${HOST}.isStopping = true`), this.#pause(LET_GO_MS)]);
  }

  /** Waits until what has been written so far has been passed on. */
  async #outputs(): Promise<void> {
    const mark = `grantlab${++this.#marks}`;
    const marked = this.#host.marked(mark);
    await this.#run(`${HOST}.mark(${JSON.stringify(markText(mark))})`);
    await marked;
  }

  /** Whether the host's event loop turns within a time. */
  async #turns(ms: number): Promise<boolean> {
    const turned = this.#run(`${HOST}.turn()`, { awaitPromise: true }).then(() => true, () => true);
    return await Promise.race([turned, this.#pause(ms)]) === true;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void setTimeout(resolve, ms));
  }
}

function nameIn({ name }: ValueHandle): { readonly name?: string } {
  return name === undefined ? {} : { name };
}

function handleOf(result: RemoteObject): ValueHandle {
  const { type, objectId, unserializableValue, value } = result;
  if (objectId !== undefined) return { type, objectId };
  if (type === "bigint") return { type, primitive: BigInt(unserializableValue!.slice(0, -1)) };
  if (unserializableValue !== undefined) return { type, primitive: Number(unserializableValue) };
  return { type, primitive: value as string | number | boolean | null | undefined };
}

function errorOf(details: ExceptionDetails, url: string): EvaluationError {
  const { exception, stackTrace, text } = details;
  const frame = stackTrace?.callFrames.find((candidate) => candidate.url === url);
  if (exception?.subtype !== "error") {
    const thrown = exception === undefined ? text : describe(exception);
    return {
      kind: "error",
      phase: "run",
      name: "",
      message: `Uncaught ${thrown}`,
      line: frame?.lineNumber ?? 0,
    };
  }
  const message = (exception.description ?? text).replace(/(?:\n {4}at .*)+$/s, "");
  const name = exception.className ?? "Error";
  // A script that V8 cannot compile has no frame of its own.
  const isSyntax = name === "SyntaxError" && frame === undefined && stackTrace === undefined;
  const line = frame?.lineNumber ?? (isSyntax ? details.lineNumber : 0);
  return { kind: "error", phase: isSyntax ? "syntax" : "run", name, message, line };
}

function describe(thrown: RemoteObject): string {
  return thrown.objectId === undefined
    ? lineOf(handleOf(thrown).primitive)
    : thrown.description ?? thrown.type;
}
