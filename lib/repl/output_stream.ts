/**
 * What comes out of one pipe of the host: text, and marks (`mark.ts`) that are taken out of it.
 *
 * - `display:JSON` is a display, in its place between the text.
 * - `meet:N` stands in both pipes; what follows it in one is held back until the other has come there. So lines that
 *   were written alternately to both come out in their order.
 * - any other word is awaited by somebody who wants to know what has been written so far.
 *
 * @module
 */

import { MARK, MARK_BEGUN, mayEndMark } from "./mark.ts";

/** Receivers of what one pipe brings. */
export interface OutputReceivers {
  /** A promise that is answered holds back what comes after. */
  readonly onText: (text: string) => void | Promise<void>;
  readonly onDisplay?: (json: string) => void;
}

/**
 * Meeting points of two streams, numbered in the order in which they are written. A line that is stopped may write one
 * into one stream only; whoever waits there goes on when the other has come to something later.
 */
export class Meetings {
  readonly #first = new Map<string, () => void>();
  #isOver = false;

  /** Settles when both have come to the point, or there is nobody to wait for. */
  meet(point: string): Promise<void> {
    for (const [waiting, resolve] of this.#first) {
      if (Number(waiting) >= Number(point)) continue;
      this.#first.delete(waiting);
      resolve();
    }
    const other = this.#first.get(point);
    if (other !== undefined || this.#isOver) {
      this.#first.delete(point);
      other?.();
      return Promise.resolve();
    }
    return new Promise((resolve) => void this.#first.set(point, resolve));
  }

  /** One of the streams has ended. */
  end(): void {
    this.#isOver = true;
    this.pass();
  }

  /** One of the streams has come past all points so far. */
  pass(): void {
    for (const resolve of this.#first.values()) resolve();
    this.#first.clear();
  }
}

/** Text of one pipe, with marks taken out. */
export class OutputStream {
  /** Settles when the pipe has ended. */
  readonly finished: Promise<void>;
  readonly #receivers: OutputReceivers;
  readonly #meetings: Meetings;
  readonly #awaited = new Map<string, () => void>();
  readonly #seen = new Set<string>();
  #isFinished = false;
  /** The begin of a mark whose end has not come. */
  #held: string[] = [];

  constructor(
    bytes: ReadableStream<Uint8Array<ArrayBuffer>>,
    meetings: Meetings,
    receivers: OutputReceivers,
  ) {
    this.#meetings = meetings;
    this.#receivers = receivers;
    this.finished = this.#read(bytes);
  }

  /** Settles when a mark has come, or can come no more. */
  found(mark: string): Promise<void> {
    if (this.#seen.delete(mark) || this.#isFinished) return Promise.resolve();
    return new Promise((resolve) => void this.#awaited.set(mark, resolve));
  }

  async #read(bytes: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const text of bytes.pipeThrough(new TextDecoderStream())) await this.#take(text);
    await this.#write(this.#held.join(""));
    this.#isFinished = true;
    this.#meetings.end();
    for (const resolve of this.#awaited.values()) resolve();
  }

  async #take(text: string): Promise<void> {
    this.#held.push(text);
    // A large display comes in many pieces; they are put together once.
    if (this.#held.length > 1 && this.#held[0]!.includes(":") && !mayEndMark(text)) return;
    let rest = this.#held.join("");
    this.#held = [];
    for (let found = MARK.exec(rest); found !== null; found = MARK.exec(rest)) {
      await this.#write(rest.slice(0, found.index));
      rest = rest.slice(found.index + found[0].length);
      const [, word, carried] = found;
      if (word === "display" && carried !== undefined) this.#receivers.onDisplay?.(carried);
      else if (word === "meet" && carried !== undefined) await this.#meetings.meet(carried);
      else {
        this.#meetings.pass();
        this.#arrived(word!);
      }
    }
    const held = MARK_BEGUN.exec(rest)?.[0] ?? "";
    if (held !== "") this.#held.push(held);
    await this.#write(rest.slice(0, rest.length - held.length));
  }

  #write(text: string): void | Promise<void> {
    if (text !== "") return this.#receivers.onText(text);
  }

  #arrived(mark: string): void {
    const resolve = this.#awaited.get(mark);
    this.#awaited.delete(mark);
    if (resolve === undefined) this.#seen.add(mark);
    else resolve();
  }
}
