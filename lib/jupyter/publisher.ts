/**
 * What a kernel publishes (iopub): statuses, inputs, outputs, errors, each under the request that it belongs to.
 *
 * Text is gathered for a moment before it leaves, because Jupyter's server throws messages away above a thousand a
 * second. Whatever else is published pushes the gathered text out first, so order is kept.
 *
 * @module
 */

import type { MimeBundle } from "./language.ts";
import type { Content, Header, MessageCodec } from "./message.ts";
import type { PubServer } from "./zmtp/server.ts";

/** How long text is gathered. */
const GATHER_MS = 20;
/** Characters that are not gathered any longer. */
const GATHER_CHARACTERS = 65536;

/** The publishing side of a kernel. */
export class Publisher {
  readonly #server: PubServer;
  readonly #codec: MessageCodec;
  /** The cell that output belongs to: the one that runs, between cells the last one. */
  #cell: Header | undefined;
  #isSilent = false;
  #gathered: { readonly stream: string; text: string } | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(server: PubServer, codec: MessageCodec) {
    this.#server = server;
    this.#codec = codec;
  }

  /** From here on, output belongs to this request; a silent one's is dropped. */
  begin(cell: Header, isSilent: boolean): void {
    this.flush();
    this.#cell = cell;
    this.#isSilent = isSilent;
  }

  /** Text of the cell. The answer settles when there is room for more. */
  text(stream: "stdout" | "stderr", text: string): void | Promise<void> {
    if (this.#isSilent) return;
    if (this.#gathered !== undefined && this.#gathered.stream !== stream) this.flush();
    if (this.#gathered === undefined) this.#gathered = { stream, text };
    else this.#gathered.text += text;
    this.#timer ??= setTimeout(() => this.flush(), GATHER_MS);
    if (this.#gathered.text.length < GATHER_CHARACTERS) return;
    this.flush();
    return this.#server.room();
  }

  /** A display of the cell. */
  display({ data, metadata }: MimeBundle): void {
    if (!this.#isSilent) this.publish("display_data", this.#cell, { data, metadata, transient: {} });
  }

  /** Publishes text gathered so far. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const gathered = this.#gathered;
    this.#gathered = undefined;
    if (gathered !== undefined) {
      this.#send("stream", this.#cell, { name: gathered.stream, text: gathered.text });
    }
  }

  /** Publishes a message under a request. */
  publish(type: string, parent: Header | undefined, content: Content): void {
    this.flush();
    this.#send(type, parent, content);
  }

  #send(type: string, parent: Header | undefined, content: Content): void {
    this.#server.publish(this.#codec.encode({
      identities: [new TextEncoder().encode(type)],
      header: this.#codec.header(type),
      parentHeader: parent ?? {},
      metadata: {},
      content,
    }));
  }
}
