/**
 * The kernel: Jupyter's five sockets, requests in, replies and publications out.
 *
 * Requests on the shell socket are done one after the other. Those on the control socket are done at once, so that an
 * interrupt reaches a busy cell. A cell's `idle` is published when everything that the cell wrote has been.
 *
 * Start with `#serve`; cells are in `cells.ts`, other requests in `requests.ts`.
 *
 * @module
 */

import { Cells } from "./cells.ts";
import type { ConnectionInfo } from "./connection_file.ts";
import type { CellOutput, Language } from "./language.ts";
import { type Content, type JupyterMessage, MessageCodec } from "./message.ts";
import { Publisher } from "./publisher.ts";
import { ANSWERS } from "./requests.ts";
import type { Message } from "./zmtp/connection.ts";
import { EchoServer, PubServer, RouterServer } from "./zmtp/server.ts";

/** How long the first cell waits for somebody who listens. */
const AUDIENCE_MS = 1000;
/** After an error, how long cells that were sent together with the failed one may take to arrive. */
const FOLLOWERS_MS = 10;

/** How a kernel is started. */
export interface KernelOptions {
  readonly connection: ConnectionInfo;
  /** Opens the session whose output is handed to the kernel. */
  readonly open: (output: CellOutput) => Language;
  /** Receives complaints about messages that cannot be read; they have no sender to be told. */
  readonly onComplaint?: (complaint: string) => void;
}

/** A request and the way back. */
interface Request extends JupyterMessage {
  readonly reply: (frames: readonly Uint8Array[]) => void;
}

/** A running kernel. */
export class Kernel {
  /** Settles when it has been told to shut down, its session is closed and everything has been sent. */
  readonly finished: Promise<void>;
  readonly #finish = Promise.withResolvers<void>();
  readonly #codec: MessageCodec;
  readonly #language: Language;
  readonly #cells: Cells;
  readonly #iopub: PubServer;
  readonly #publisher: Publisher;
  readonly #sockets: readonly { close(): Promise<void> }[];
  readonly #complain: (complaint: string) => void;
  readonly #waiting: Request[] = [];
  #isServing = false;
  #isEnding = false;

  constructor({ connection, open, onComplaint = () => {} }: KernelOptions) {
    const at = (port: number) => ({ hostname: connection.ip, port });
    this.finished = this.#finish.promise;
    this.#complain = onComplaint;
    this.#codec = new MessageCodec(connection.key);
    this.#iopub = new PubServer(at(connection.iopub_port));
    this.#publisher = new Publisher(this.#iopub, this.#codec);
    const shell = this.#router(at(connection.shell_port), (request) => {
      this.#waiting.push(request);
      if (!this.#isServing) void this.#serve();
    });
    const control = this.#router(at(connection.control_port), (request) => void this.#answer(request));
    // Nothing is ever asked of the front end: cells have no stdin.
    const stdin = this.#router(at(connection.stdin_port), () => {});
    const heartbeat = new EchoServer(at(connection.hb_port));
    this.#sockets = [shell, control, stdin, heartbeat, this.#iopub];
    this.#language = open({
      onText: (stream, text) => this.#publisher.text(stream, text),
      onDisplay: (bundle) => this.#publisher.display(bundle),
    });
    this.#cells = new Cells(this.#language, this.#publisher);
    this.#publisher.publish("status", undefined, { execution_state: "starting" });
  }

  /** Stops the running cell; what a signal may ask for. */
  async interrupt(): Promise<void> {
    await this.#language.interrupt();
  }

  /** Ends the session and the sockets. */
  async end(): Promise<void> {
    if (this.#isEnding) return await this.finished;
    this.#isEnding = true;
    this.#waiting.length = 0;
    await this.#language.close();
    await Promise.all(this.#sockets.map((socket) => socket.close()));
    this.#finish.resolve();
  }

  #router(address: { hostname: string; port: number }, receive: (request: Request) => void): RouterServer {
    return new RouterServer(address, (frames: Message, reply) => {
      let message: JupyterMessage;
      try {
        message = this.#codec.decode(frames);
      } catch (error) {
        this.#complain((error as Error).message);
        return;
      }
      receive({ ...message, reply });
    });
  }

  /** Does what waits on the shell socket. */
  async #serve(): Promise<void> {
    this.#isServing = true;
    for (let request = this.#waiting.shift(); request !== undefined; request = this.#waiting.shift()) {
      await this.#answer(request);
    }
    this.#isServing = false;
  }

  async #answer(request: Request): Promise<void> {
    const { header, content } = request;
    const type = header.msg_type;
    if (type === "execute_request") await this.#iopub.audience(AUDIENCE_MS);
    this.#status("busy", request);
    if (type === "execute_request") await this.#execute(request);
    else if (type === "interrupt_request") {
      await this.#language.interrupt();
      this.#reply(request, { status: "ok" });
    } else if (type === "shutdown_request") return await this.#shutDown(request);
    else if (type === "comm_open") {
      this.#publisher.publish("comm_close", header, { comm_id: content["comm_id"], data: {} });
    } else if (Object.hasOwn(ANSWERS, type)) this.#reply(request, await this.#known(request));
    else this.#complain(`Cannot answer a ${type}: it is not known`);
    this.#status("idle", request);
  }

  async #execute(request: Request): Promise<void> {
    const reply = await this.#cells.execute(request);
    if (reply["status"] === "error" && request.content["stop_on_error"] !== false) {
      await new Promise((resolve) => void setTimeout(resolve, FOLLOWERS_MS));
      const followers = this.#waiting.splice(0);
      this.#reply(request, reply);
      for (const follower of followers) {
        if (follower.header.msg_type !== "execute_request") this.#waiting.push(follower);
        else this.#abort(follower);
      }
    } else this.#reply(request, reply);
  }

  #abort(request: Request): void {
    this.#status("busy", request);
    this.#reply(request, this.#cells.aborted());
    this.#status("idle", request);
  }

  async #known({ header, content }: Request): Promise<Content> {
    try {
      return await ANSWERS[header.msg_type]!({ language: this.#language, cells: this.#cells }, content);
    } catch (error) {
      const { name, message } = error as Error;
      return { status: "error", ename: name, evalue: message, traceback: [] };
    }
  }

  async #shutDown(request: Request): Promise<void> {
    const content = { status: "ok", restart: request.content["restart"] === true };
    // Ends the session first: whoever has the reply may rely on it.
    await this.#language.close();
    this.#publisher.publish("shutdown_reply", request.header, content);
    this.#reply(request, content);
    this.#status("idle", request);
    await this.end();
  }

  #status(state: "busy" | "idle", { header }: Request): void {
    this.#publisher.publish("status", header, { execution_state: state });
  }

  #reply(request: Request, content: Content): void {
    request.reply(this.#codec.encode({
      identities: request.identities,
      header: this.#codec.header(request.header.msg_type.replace(/_request$/, "_reply")),
      parentHeader: request.header,
      metadata: {},
      content,
    }));
  }
}
