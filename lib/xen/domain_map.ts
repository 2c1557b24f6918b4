/**
 * Domains by number. A `Map` for whoever lists them, and an array beside it for whoever looks one up for every operation
 * of a long list.
 *
 * @module
 */

import type { Domain } from "./domain.ts";

/** The domains of one machine. */
export class DomainMap extends Map<number, Domain> {
  readonly #byNumber: (Domain | undefined)[] = [];

  /** The domain of that number; any number may be asked for. */
  at(domid: number): Domain | undefined {
    const list = this.#byNumber;
    return domid >= 0 && domid < list.length ? list[domid] : undefined;
  }

  override set(domid: number, domain: Domain): this {
    while (this.#byNumber.length <= domid) this.#byNumber.push(undefined);
    this.#byNumber[domid] = domain;
    return super.set(domid, domain);
  }

  override delete(domid: number): boolean {
    if (this.has(domid)) this.#byNumber[domid] = undefined;
    return super.delete(domid);
  }

  override clear(): void {
    this.#byNumber.length = 0;
    super.clear();
  }
}
