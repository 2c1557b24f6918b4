/**
 * The process of `host.ts`: started with an inspector on a free local port, its output read, marks in the output
 * found, its end noticed.
 *
 * The inspector's address holds a random name and is told on stderr alone (`--inspect-publish-uid`), so that other
 * users of the machine can find the port but not the session.
 *
 * @module
 */

import { InspectorClient } from "./inspector_client.ts";
import type { EvaluatorOptions } from "./evaluator.ts";

/** Lines that Deno itself writes to stderr because of the inspector. */
const DENOS_OWN =
  /^(?:Debugger listening on |Visit chrome:|Debugger session (?:started|ended)|Waiting for the debugger to disconnect\.\.\.$).*\n?/gm;

/** What the host says when its code has called `Deno.exit`: it goes as soon as the inspector has let go. */
const IS_LEAVING = /^Waiting for the debugger to disconnect\.\.\.$/m;

/** A running host and the connection to it. */
export class HostProcess {
  readonly client: InspectorClient;
  /** Exit code, once it has ended. */
  readonly ended: Promise<number>;
  readonly #process: Deno.ChildProcess;
  readonly #streams: readonly OutputStream[];

  private constructor(process: Deno.ChildProcess, streams: readonly OutputStream[], client: InspectorClient) {
    this.#process = process;
    this.#streams = streams;
    this.client = client;
    this.ended = Promise.all([process.status, ...streams.map((stream) => stream.finished)])
      .then(([status]) => status.code);
  }

  /** @throws {Error} if the process ends before it listens */
  static async start({ preamble, onOutput, permissions, colour }: EvaluatorOptions): Promise<HostProcess> {
    const process = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-check",
        ...permissions ?? ["--allow-all"],
        "--inspect=127.0.0.1:0",
        "--inspect-publish-uid=stderr",
        new URL("host.ts", import.meta.url).href,
        preamble.module,
      ],
      env: colour ? { FORCE_COLOR: "1" } : { NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const address = Promise.withResolvers<string>();
    const leaving = Promise.withResolvers<void>();
    const stdout = new OutputStream(process.stdout, (text) => onOutput("stdout", text));
    const stderr = new OutputStream(process.stderr, (text) => {
      const found = /ws:\/\/127\.0\.0\.1:\S+/.exec(text);
      if (found !== null) address.resolve(found[0]);
      if (IS_LEAVING.test(text)) leaving.resolve();
      const rest = text.replaceAll(DENOS_OWN, "");
      if (rest !== "") onOutput("stderr", rest);
    });
    void process.status.then(({ code }) => {
      address.reject(new Error(`Cannot open a session: its process ended with code ${code}`));
    });
    const client = await InspectorClient.connect(await address.promise);
    void leaving.promise.then(() => client.close());
    return new HostProcess(process, [stdout, stderr], client);
  }

  /** Settles when `mark` has come out of both streams, or they have ended. */
  async marked(mark: string): Promise<void> {
    await Promise.all(this.#streams.map((stream) => stream.found(mark)));
  }

  /** Ends the process; it has no say in it. */
  async kill(): Promise<void> {
    this.client.close();
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.#process.stdin.close().catch(() => {});
    await this.ended;
  }
}

/** The record separator that a mark begins and ends with. */
const RS = String.fromCharCode(0x1e);
const MARK = new RegExp(`${RS}(\\w+)${RS}`);
const MARK_BEGUN = new RegExp(`${RS}\\w*$`);

/** A mark as it goes through a stream. */
export function markText(mark: string): string {
  return RS + mark + RS;
}

/** Text of one pipe, with marks taken out. A mark is a word between two record separators (U+001E). */
class OutputStream {
  /** Settles when the pipe has ended. */
  readonly finished: Promise<void>;
  readonly #emit: (text: string) => void;
  readonly #awaited = new Map<string, () => void>();
  readonly #seen = new Set<string>();
  #isFinished = false;
  /** The begin of a mark whose end has not come. */
  #held = "";

  constructor(bytes: ReadableStream<Uint8Array<ArrayBuffer>>, emit: (text: string) => void) {
    this.#emit = emit;
    this.finished = this.#read(bytes);
  }

  found(mark: string): Promise<void> {
    if (this.#seen.delete(mark) || this.#isFinished) return Promise.resolve();
    return new Promise((resolve) => void this.#awaited.set(mark, resolve));
  }

  async #read(bytes: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const text of bytes.pipeThrough(new TextDecoderStream())) this.#take(text);
    if (this.#held !== "") this.#emit(this.#held);
    this.#isFinished = true;
    for (const resolve of this.#awaited.values()) resolve();
  }

  #take(text: string): void {
    const parts = (this.#held + text).split(MARK);
    this.#held = "";
    for (const [i, part] of parts.entries()) {
      if (i % 2 === 1) this.#arrived(part);
      else if (i < parts.length - 1) this.#write(part);
      else this.#write(part.slice(0, part.length - this.#hold(part)));
    }
  }

  /** Keeps what may be the begin of a mark; returns its length. */
  #hold(part: string): number {
    this.#held = MARK_BEGUN.exec(part)?.[0] ?? "";
    return this.#held.length;
  }

  #write(text: string): void {
    if (text !== "") this.#emit(text);
  }

  #arrived(mark: string): void {
    const resolve = this.#awaited.get(mark);
    this.#awaited.delete(mark);
    if (resolve === undefined) this.#seen.add(mark);
    else resolve();
  }
}
