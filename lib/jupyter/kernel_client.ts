/**
 * A front end without a face: starts a kernel, runs cells on it and collects what they say, as a notebook file has it.
 * It talks to any kernel that listens on TCP, Deno's own and Python's included.
 *
 * @module
 */

import { type ConnectionInfo, newConnectionInfo } from "./connection_file.ts";
import { type Content, type JupyterMessage, MessageCodec } from "./message.ts";
import { type CellOutput, wholeText } from "./notebook.ts";
import { connect } from "./zmtp/client.ts";
import type { Connection, Message } from "./zmtp/connection.ts";

/** How a kernel is started, as `kernel.json` has it. */
export interface KernelCommand {
  /** `{connection_file}` stands for the file's path. */
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Folder in which cells run. */
  readonly cwd?: string;
}

/** What became of a cell. */
export interface CellRun {
  readonly status: "ok" | "error" | "aborted";
  readonly executionCount: number;
  readonly outputs: readonly CellOutput[];
}

/** How a cell is sent; the rest is as Jupyter's clients send it. */
export interface ExecuteOptions {
  readonly silent?: boolean;
  readonly store_history?: boolean;
  readonly stop_on_error?: boolean;
  readonly user_expressions?: Readonly<Record<string, string>>;
}

/** A reply and the messages published under its request. */
interface Pending {
  readonly reply: PromiseWithResolvers<Content>;
  readonly idle: PromiseWithResolvers<void>;
  readonly published: JupyterMessage[];
}

/** A kernel and the connections to it. */
export class KernelClient {
  readonly #process: Deno.ChildProcess;
  readonly #folder: string;
  readonly #codec: MessageCodec;
  readonly #pending = new Map<string, Pending>();
  #shell!: Connection;
  #control!: Connection;
  #iopub!: Connection;

  private constructor(process: Deno.ChildProcess, folder: string, key: string) {
    this.#process = process;
    this.#folder = folder;
    this.#codec = new MessageCodec(key);
    void process.status.then(({ code }) => {
      for (const { reply, idle } of this.#pending.values()) {
        reply.reject(new Error(`The kernel ended with code ${code}`));
        idle.resolve();
      }
    });
  }

  /**
   * Starts a kernel and waits until it answers.
   *
   * @throws {Error} if it ends or does not listen
   */
  static async start({ argv, env, cwd }: KernelCommand): Promise<KernelClient> {
    const connection = newConnectionInfo();
    const folder = await Deno.makeTempDir({ prefix: "grantlab-kernel-" });
    const file = `${folder}/connection.json`;
    await Deno.writeTextFile(file, JSON.stringify(connection), { mode: 0o600 });
    const [command, ...args] = argv.map((word) => word.replaceAll("{connection_file}", file));
    const process = new Deno.Command(command!, {
      args,
      ...env === undefined ? {} : { env: { ...env } },
      ...cwd === undefined ? {} : { cwd },
      stdin: "null",
      stdout: "null",
      stderr: "inherit",
    }).spawn();
    const client = new KernelClient(process, folder, connection.key);
    const ended = process.status.then(({ code }) => {
      throw new Error(`Cannot start the kernel: it ended with code ${code}`);
    });
    ended.catch(() => {});
    await Promise.race([client.#connect(connection), ended]);
    return client;
  }

  /** Id of the kernel's process. */
  get pid(): number {
    return this.#process.pid;
  }

  /** Settles when the kernel's process has ended. */
  get ended(): Promise<Deno.CommandStatus> {
    return this.#process.status;
  }

  /** Runs a cell; settles after its reply and its `idle`. */
  async execute(code: string, options: ExecuteOptions = {}): Promise<CellRun> {
    const { reply, published } = await this.request("execute_request", {
      code,
      silent: false,
      store_history: true,
      user_expressions: {},
      allow_stdin: false,
      stop_on_error: true,
      ...options,
    });
    return {
      status: reply["status"] as CellRun["status"],
      executionCount: reply["execution_count"] as number,
      outputs: outputsOf(published),
    };
  }

  /** Sends a request; settles after its reply and its `idle`. */
  async request(
    type: string,
    content: Content = {},
    channel: "shell" | "control" = "shell",
  ): Promise<{ readonly reply: Content; readonly published: readonly JupyterMessage[] }> {
    const pending: Pending = {
      reply: Promise.withResolvers(),
      idle: Promise.withResolvers(),
      published: [],
    };
    const header = this.#codec.header(type);
    this.#pending.set(header.msg_id, pending);
    const socket = channel === "shell" ? this.#shell : this.#control;
    socket.send(this.#codec.encode({ identities: [], header, parentHeader: {}, metadata: {}, content }));
    try {
      const reply = await pending.reply.promise;
      await pending.idle.promise;
      return { reply, published: pending.published };
    } finally {
      this.#pending.delete(header.msg_id);
    }
  }

  /** Stops the running cell. */
  async interrupt(): Promise<void> {
    await this.request("interrupt_request", {}, "control");
  }

  /** Ends the kernel: asks it, and after five seconds does not ask any more. */
  async close(): Promise<void> {
    const timer = setTimeout(() => this.kill(), 5000);
    await this.request("shutdown_request", { restart: false }, "control").catch(() => {});
    await this.#process.status;
    clearTimeout(timer);
    for (const connection of [this.#shell, this.#control, this.#iopub]) connection.close();
    await Deno.remove(this.#folder, { recursive: true });
  }

  /** Ends the kernel without asking. */
  kill(): void {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }

  async #connect(connection: ConnectionInfo): Promise<void> {
    const to = (port: number) => ({ hostname: connection.ip, port });
    const reply = (frames: Message) => this.#replied(this.#codec.decode(frames));
    const published = (frames: Message) => this.#published(this.#codec.decode(frames));
    [this.#iopub, this.#shell, this.#control] = await Promise.all([
      connect("SUB", to(connection.iopub_port), published),
      connect("DEALER", to(connection.shell_port), reply),
      connect("DEALER", to(connection.control_port), reply),
    ]);
    // Whether the kernel has taken the subscription in is not told; a status under a request of ours shows it.
    for (let isHeard = false; !isHeard;) {
      const { promise: patience, resolve } = Promise.withResolvers<boolean>();
      const timer = setTimeout(() => resolve(false), 500);
      isHeard = await Promise.race([this.request("kernel_info_request").then(() => true), patience]);
      clearTimeout(timer);
    }
  }

  #replied({ parentHeader, content }: JupyterMessage): void {
    this.#pending.get(parentHeader.msg_id ?? "")?.reply.resolve(content);
  }

  #published(message: JupyterMessage): void {
    const pending = this.#pending.get(message.parentHeader.msg_id ?? "");
    pending?.published.push(message);
    const isIdle = message.header.msg_type === "status" && message.content["execution_state"] === "idle";
    if (isIdle) pending?.idle.resolve();
  }
}

/** Outputs as a notebook stores them; text of one stream in a row is one output. */
export function outputsOf(published: readonly JupyterMessage[]): CellOutput[] {
  const outputs: CellOutput[] = [];
  for (const { header: { msg_type }, content } of published) {
    const last = outputs.at(-1);
    const { transient: _, ...kept } = content;
    if (msg_type === "stream") {
      const { name, text } = content as { name: string; text: string };
      if (last?.output_type === "stream" && last.name === name) {
        outputs[outputs.length - 1] = { ...last, text: wholeText(last.text) + text };
      } else outputs.push({ output_type: "stream", name, text });
    } else if (msg_type === "display_data" || msg_type === "execute_result" || msg_type === "error") {
      outputs.push({ output_type: msg_type, ...kept } as CellOutput);
    }
  }
  return outputs;
}
