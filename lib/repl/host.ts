/**
 * Main module of the process in which a session's code runs. It puts the preamble's names in scope, prints values
 * when asked through the inspector, and otherwise waits.
 *
 * Four things keep a session alive that plain `deno run` would lose: errors that nobody handles are reported and
 * survived; timer callbacks run as microtasks, where V8 can stop a busy loop without ending the process; prints can be
 * made to throw, where V8's own stop is lost; SIGINT, which a terminal sends to the whole group, is left to the front
 * end.
 *
 * @module
 */

import { bundleOf } from "./display.ts";
import type { DisplayBundle, PrintOptions } from "./evaluator.ts";
import { markText } from "./mark.ts";
import { lineOf, textOf } from "./print.ts";
import type { EventKind } from "../trace/events.ts";
import type { EventCounts, Trace } from "../trace/trace.ts";

// deno-lint-ignore house/no-module-state -- this module is the main module of a process, its state is the session's
const marks: Map<Trace, Float64Array> = new Map();

/** What the front end calls, under `Symbol.for("grantlab.repl.host")`; see `HOST` in `source.ts`. */
const host = {
  /** Makes the exports of a module names of the session. The front end's script imports it. */
  async bring(module: Promise<Readonly<Record<string, unknown>>>): Promise<void> {
    for (const [name, value] of Object.entries(await module)) {
      Object.defineProperty(globalThis, name, {
        value,
        writable: true,
        configurable: true,
        enumerable: false,
      });
    }
  },

  async print(value: unknown, options: PrintOptions & { readonly name?: string }): Promise<string> {
    // A view runs code of the session; after an await a busy one can be interrupted.
    await undefined;
    try {
      return options.form === "line" ? lineOf(value) : textOf(value, options);
    } catch (error) {
      // What V8 throws through Deno.inspect when it is told to stop.
      if (error === null) return "<its text view was interrupted>";
      return `<its text view failed: ${lineOf(error)}>`;
    }
  },

  /** The value's display bundle as JSON. */
  async display(value: unknown, name?: string): Promise<string> {
    await undefined;
    return JSON.stringify(await bundleOf(value, name)) ?? "null";
  },

  /** Errors of timers and promises that nobody handled. */
  unhandled: 0,

  /** The running line is to end at its next print. */
  isStopping: false,

  /** What `show()` calls, if the front end takes displays. */
  show: undefined as ((bundle: DisplayBundle) => void) | undefined,

  /** Remembers the counters of the worlds that these names hold now. */
  beginEvents(readers: readonly (() => unknown)[]): void {
    marks.clear();
    for (const trace of tracesOf(readers)) marks.set(trace, trace.mark());
  },

  /** What was counted since then, new worlds included. */
  async endEvents(readers: readonly (() => unknown)[]): Promise<unknown> {
    const { EventTally } = await import("../experiments/event_tally.ts");
    const counts: EventCounts = {};
    for (const trace of new Set([...marks.keys(), ...tracesOf(readers)])) {
      const mark = marks.get(trace) ?? new Float64Array(trace.counters.length);
      for (const [kind, n] of Object.entries(trace.since(mark)) as [EventKind, number][]) {
        counts[kind] = (counts[kind] ?? 0) + n;
      }
    }
    marks.clear();
    return new EventTally(counts);
  },

  /** The module if it has all the names, as a static import would insist. */
  provided(module: Record<string, unknown>, names: readonly string[], specifier: string): unknown {
    const missing = names.find((name) => !(name in module));
    if (missing === undefined) return module;
    throw new SyntaxError(
      `The requested module '${specifier}' does not provide an export named '${missing}'`,
    );
  },

  /** Settles after one turn of the event loop: never, while a line is busy. */
  turn: turnOf(setTimeout as Timer),

  /** Writes a mark to both streams: all output before it has then been seen by whoever finds the mark. */
  mark(text: string): void {
    writeAll(Deno.stdout, text);
    writeAll(Deno.stderr, text);
  },
};

function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let done = 0; done < bytes.length;) done += stream.writeSync(bytes.subarray(done));
}

/**
 * Lets displays flow with the output: through stdout, within a mark. What `console` writes to stderr gets a meeting
 * point of both streams before and after it, so that it stays where it was written.
 */
function flowTogether(): void {
  host.show = (bundle) => writeAll(Deno.stdout, markText("display", JSON.stringify(bundle)));
  let meetings = 0;
  const meet = () => host.mark(markText("meet", String(++meetings)));
  for (const name of ["error", "warn", "assert", "trace"] as const) {
    const write = console[name] as (...values: unknown[]) => void;
    console[name] = (...values: unknown[]) => {
      if (name === "assert" && values[0]) return;
      meet();
      write.apply(console, values);
      meet();
    };
  }
}

/** The traces of the worlds among the values; a name that cannot be read yet is passed over. */
function tracesOf(readers: readonly (() => unknown)[]): Set<Trace> {
  const traces = new Set<Trace>();
  for (const read of readers) {
    try {
      const found = traceOf(read());
      if (found !== undefined) traces.add(found);
    } catch {
      // Not initialized: its declaration failed.
    }
  }
  return traces;
}

/** Of a world, or of what stands in one: a process, a guest, a native machine, an address space. */
function traceOf(value: unknown): Trace | undefined {
  const { trace, world, system } = Object(value) as { trace?: unknown; world?: unknown; system?: unknown };
  for (const one of [trace, Object(world).trace, Object(system).trace]) {
    if (typeof one === "object" && one !== null && "counters" in one && "mark" in one) return one as Trace;
  }
  return undefined;
}

/** `setTimeout` or `setInterval`, without what Node adds to their types. */
type Timer = (callback: (...rest: unknown[]) => void, delay?: number, ...rest: unknown[]) => unknown;

function turnOf(timer: Timer): () => Promise<void> {
  return () => new Promise((resolve) => void timer(() => resolve(), 0));
}

/** A timer function whose callbacks run as microtasks. */
function interruptible(timer: Timer): Timer {
  return (callback, delay, ...rest) => {
    // What is no function is refused by the timer itself.
    if (typeof callback !== "function") return timer(callback, delay, ...rest);
    return timer(() => void Promise.resolve().then(() => callback(...rest)), delay);
  };
}

/**
 * V8 tells a line to stop once. Where that falls into an operation that Deno's inspector of values calls, the operation
 * ends and the loop around the print goes on; so a print of a line that is to end throws.
 */
function letPrintsStop(): void {
  for (const [owner, names] of [[console, Object.keys(console)], [Deno, ["inspect"]]] as const) {
    const functions = owner as unknown as Record<string, unknown>;
    for (const name of names) {
      const print = functions[name];
      if (typeof print !== "function") continue;
      functions[name] = (...values: unknown[]) => {
        // As V8 does out of an operation; the front end knows.
        if (host.isStopping) throw null;
        return print.apply(owner, values);
      };
    }
  }
}

/** Ends this process when the front end has gone, even out of a busy loop: hence a thread of its own. */
function endWithFrontEnd(): void {
  const source = `for await (const _ of Deno.stdin.readable); Deno.kill(${Deno.pid}, "SIGKILL");`;
  new Worker(`data:text/javascript,${encodeURIComponent(source)}`, { type: "module" });
}

function report(error: unknown): void {
  host.unhandled++;
  console.error(`Uncaught ${error instanceof Error ? `${error.name}: ${error.message}` : lineOf(error)}`);
}

if (import.meta.main) {
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    report(event.reason);
  });
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    report(event.error);
  });
  Deno.addSignalListener("SIGINT", () => {});
  endWithFrontEnd();
  letPrintsStop();
  Object.assign(globalThis, {
    setTimeout: interruptible(setTimeout as Timer),
    setInterval: interruptible(setInterval as Timer),
  });
  if (Deno.args[0] === "--displays") flowTogether();
  Object.defineProperty(globalThis, Symbol.for("grantlab.repl.host"), { value: host });
}
