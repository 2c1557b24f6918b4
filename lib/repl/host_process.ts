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
import { Meetings, OutputStream } from "./output_stream.ts";
import type { EvaluatorOptions } from "./evaluator.ts";

/** Lines that Deno itself writes to stderr: of the inspector, and while another Deno of the same project starts. */
const DENOS_OWN =
  /^(?:Debugger listening on |Visit chrome:|Debugger session (?:started|ended)|Waiting for the debugger to disconnect\.\.\.$|\S*Blocking\S* waiting for file lock on ).*\n?/gm;

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
  static async start(options: EvaluatorOptions): Promise<HostProcess> {
    const { onOutput, onDisplay, permissions, colour } = options;
    const process = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-check",
        ...permissions ?? ["--allow-all"],
        "--inspect=127.0.0.1:0",
        "--inspect-publish-uid=stderr",
        new URL("host.ts", import.meta.url).href,
        ...onDisplay === undefined ? [] : ["--displays"],
      ],
      env: colour ? { FORCE_COLOR: "1" } : { NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const address = Promise.withResolvers<string>();
    const leaving = Promise.withResolvers<void>();
    const meetings = new Meetings();
    const stdout = new OutputStream(process.stdout, meetings, {
      onText: (text) => onOutput("stdout", text),
      onDisplay: (json) => onDisplay?.(JSON.parse(json)),
    });
    const stderr = new OutputStream(process.stderr, meetings, {
      onText: (text) => {
        const found = /ws:\/\/127\.0\.0\.1:\S+/.exec(text);
        if (found !== null) address.resolve(found[0]);
        if (IS_LEAVING.test(text)) leaving.resolve();
        const rest = text.replaceAll(DENOS_OWN, "");
        if (rest !== "") return onOutput("stderr", rest);
      },
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
