/**
 * A client of V8's inspector protocol: requests with answers over one WebSocket. Events are ignored; no domain that
 * sends any is switched on.
 *
 * @module
 */

/** A value as the protocol writes it. */
export interface RemoteObject {
  readonly type: string;
  readonly subtype?: string;
  readonly className?: string;
  readonly value?: unknown;
  /** bigints, -0, NaN and the infinities, which JSON does not have. */
  readonly unserializableValue?: string;
  readonly description?: string;
  readonly objectId?: string;
}

/** What was thrown, and where. Lines are from 0. */
export interface ExceptionDetails {
  readonly text: string;
  readonly lineNumber: number;
  readonly exception?: RemoteObject;
  readonly stackTrace?: {
    readonly callFrames: readonly { readonly url: string; readonly lineNumber: number }[];
  };
}

/** Answer to `Runtime.evaluate` and `Runtime.callFunctionOn`. */
export interface EvaluateAnswer {
  readonly result: RemoteObject;
  readonly exceptionDetails?: ExceptionDetails;
}

/** The host does not answer any more. */
export class HostGone extends Error {
  override readonly name = "HostGone";
}

/**
 * V8's word for a promise that nobody can settle any more: the source waits for ever, or has been terminated. It ends when
 * it is interrupted, like any other that waits.
 */
const COLLECTED = "Promise was collected";

/** One connection. */
export class InspectorClient {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = (event) => this.#receive(JSON.parse(event.data));
    socket.onclose = () => this.#end();
    socket.onerror = (event) => event.preventDefault();
  }

  /** @throws {HostGone} if nobody listens there */
  static async connect(url: string): Promise<InspectorClient> {
    const client = new InspectorClient(new WebSocket(url));
    await new Promise<void>((resolve, reject) => {
      client.#socket.addEventListener("open", () => resolve(), { once: true });
      client.#socket.addEventListener("close", () => reject(new HostGone("nobody listens")), { once: true });
    });
    return client;
  }

  /** @throws {HostGone} if the connection ends before the answer */
  request<T = unknown>(method: string, params: Record<string, unknown> = {}): Promise<T> {
    if (this.#socket.readyState !== WebSocket.OPEN) return Promise.reject(new HostGone("connection closed"));
    const id = ++this.#lastId;
    const answer = Promise.withResolvers<unknown>();
    this.#waiting.set(id, answer);
    this.#socket.send(JSON.stringify({ id, method, params }));
    return answer.promise as Promise<T>;
  }

  close(): void {
    if (this.#socket.readyState <= WebSocket.OPEN) this.#socket.close();
  }

  #receive(message: { id?: number; result?: unknown; error?: { message: string } }): void {
    const answer = message.id === undefined ? undefined : this.#waiting.get(message.id);
    if (answer === undefined || message.error?.message === COLLECTED) return;
    this.#waiting.delete(message.id!);
    if (message.error === undefined) answer.resolve(message.result);
    else answer.reject(new HostGone(message.error.message));
  }

  #end(): void {
    for (const answer of this.#waiting.values()) answer.reject(new HostGone("connection closed"));
    this.#waiting.clear();
  }
}
