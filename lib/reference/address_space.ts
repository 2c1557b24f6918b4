/**
 * The specification in miniature: an address space is a map from page to (frame, rights). No tables, no VMAs, no
 * pages, nothing clever: small enough to be obviously right, so that it can judge what the model does.
 *
 * @module
 */

import { Shown, viewOf } from "../core/shown.ts";
import type { View } from "../core/view.ts";
import { referenceView } from "./reference_view.ts";
import { outOfRange } from "../core/misuse.ts";
import { PAGE_SIZE } from "../core/geometry.ts";

/** What one page of an address space stands for. */
export interface ReferencePage {
  /** Machine frame. */
  readonly frame: number;
  /** PROT_READ 1, PROT_WRITE 2, PROT_EXEC 4. */
  readonly prot: number;
}

/**
 * Which frame each page must reach.
 *
 * @example
 * ```ts
 * import { ReferenceSpace } from "grantlab/reference";
 * const space = new ReferenceSpace();
 * space.map(0x10000, [0x20, 0x21, 0x22], 3);
 * space.unmap(0x11000, 0x1000);
 * if (space.at(0x12000)?.frame !== 0x22 || space.at(0x11000) !== undefined) throw new Error();
 * ```
 */
export class ReferenceSpace extends Shown {
  /** Memory of the process itself, as ranges of pages: the reference knows that it is there, not in which frame. */
  #own: readonly (readonly [first: number, end: number])[] = [];
  /** A page without a frame is mapped and stands for nothing. */
  readonly #pages = new Map<number, { readonly frame: number | null; readonly prot: number }>();

  /** Pages from `address` on stand for these frames. */
  map(address: number, frames: readonly number[], prot: number): void {
    const first = pageNumber("map", address);
    this.unmap(address, frames.length * PAGE_SIZE);
    frames.forEach((frame, i) => this.#pages.set(first + i, { frame, prot }));
  }

  /** Pages of `[address, address + length)` are the process's own memory: what they reach, only the processor knows. */
  mapOwn(address: number, length: number): void {
    const first = pageNumber("map", address);
    this.unmap(address, length);
    this.#own = [...this.#own, [first, first + Math.ceil(length / PAGE_SIZE)]];
  }

  /** True if the page of `address` is the process's own memory. */
  isOwn(address: number): boolean {
    const page = Math.floor(address / PAGE_SIZE);
    return this.#own.some(([first, end]) => page >= first && page < end);
  }

  /** Pages of `[address, address + length)` stand for nothing. */
  unmap(address: number, length: number): void {
    const first = pageNumber("unmap", address);
    const end = first + Math.ceil(length / PAGE_SIZE);
    for (const page of this.#pages.keys()) if (page >= first && page < end) this.#pages.delete(page);
    this.#own = this.#own.flatMap(([from, to]) => {
      const left = [[from, Math.min(to, first)], [Math.max(from, end), to]] as const;
      return left.filter(([a, b]) => a < b);
    });
  }

  /**
   * Changes the rights of a range of grant mappings on a PV kernel: where they really change, the grants go and the
   * page stands for nothing, also when the old rights come back.
   *
   * @param toFirstGap the call ended with ENOMEM: what lies before the first page that is not mapped has changed
   * @cite recorded grant-cases-pv.jsonl mprotect
   */
  protect(address: number, length: number, prot: number, toFirstGap = false): void {
    const first = pageNumber("protect", address);
    let end = first + Math.ceil(length / PAGE_SIZE);
    if (toFirstGap) {
      const asked = end;
      for (end = first; end < asked && this.#pages.has(end);) end++;
    }
    for (const [page, { prot: before }] of this.#pages) {
      if (page >= first && page < end && before !== prot) this.#pages.set(page, { frame: null, prot });
    }
  }

  /** What the page of `address` stands for, if anything. */
  at(address: number): ReferencePage | undefined {
    const page = this.#pages.get(Math.floor(address / PAGE_SIZE));
    return page === undefined || page.frame === null ? undefined : { frame: page.frame, prot: page.prot };
  }

  override [viewOf](): View {
    return referenceView(this.#pages, this.#own);
  }
}

function pageNumber(action: string, address: number): number {
  if (!Number.isSafeInteger(address) || address < 0 || address % PAGE_SIZE !== 0) {
    throw outOfRange(`${action} pages from`, address, "the address must be a multiple of 4096");
  }
  return address / PAGE_SIZE;
}
