/**
 * Cutting one VMA in two. Who is the *new* VMA of the two is the caller's choice (`newBelow`) and has consequences:
 * `open` is called for the new one only, at a moment when the old one still has its old bounds.
 *
 * ```text
 *            address                     O old VMA    N new VMA
 *   OOOOOOOOO|OOOOOO
 *   NNNNNNNNN|OOOOOO    newBelow
 *   OOOOOOOOO|NNNNNN    otherwise
 * ```
 *
 * @module
 */

import { ok, type SysResult } from "../../core/errno.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { hex } from "../../core/show.ts";
import { Shown, viewOf } from "../../core/shown.ts";
import { drawing, type View } from "../../core/view.ts";
import { EV } from "../../trace/events.ts";
import { type CallDecision, decided, pageLetters, refuse } from "./last_call.ts";
import type { Vma } from "./vma.ts";
import { vmAreaDup } from "./vm_area.ts";
import { preallocateNodes } from "./tree_nodes.ts";

/** One cut, as it happened. */
export class SplitRecord extends Shown implements CallDecision {
  readonly where = "__split_vma";
  /** Pages of the lower and the upper piece. */
  readonly #low: number;
  readonly #high: number;

  /**
   * @param address where the cut is
   * @param newBelow the copy is the lower piece
   */
  constructor(readonly old: Vma, readonly copy: Vma, readonly address: number, readonly newBelow: boolean) {
    super();
    this.#low = (newBelow ? copy : old).nrPages;
    this.#high = (newBelow ? old : copy).nrPages;
  }

  get what(): string {
    return `cuts at ${hex(this.address)}; the ${this.newBelow ? "lower" : "upper"} piece is the new VMA`;
  }

  /** One letter a page (long pieces are shortened): `NNN|OOOO`. */
  get drawing(): string {
    const [low, high] = this.newBelow ? ["N", "O"] : ["O", "N"];
    return `${pageLetters(low!, this.#low)}|${pageLetters(high!, this.#high)}`;
  }

  override [viewOf](): View {
    return { line: `${this.where} ${this.what}`, blocks: [drawing([this.drawing])] };
  }
}

/**
 * Cuts without asking for the limit of the number of VMAs; answers the new VMA.
 *
 * @param address page aligned, inside the VMA and not its start
 * @returns whatever `may_split` answers; ENOMEM without memory for the structure
 * @cite linux 6.1 mm/mmap.c __split_vma
 */
export function splitVma(vma: Vma, address: number, newBelow: boolean): SysResult<Vma> {
  const { mm } = vma;
  const refused = vma.ops?.maySplit?.(vma, address) ?? null;
  if (refused !== null) {
    return refuse(mm, refused, "__split_vma", `may_split refuses ${hex(address)}`);
  }
  const copy = vmAreaDup(vma);
  if (copy === null) return refuse(mm, "ENOMEM", "__split_vma", "no memory for a VMA");
  const shift = (address - vma.start) / PAGE_SIZE;
  if (newBelow) copy.end = address;
  else {
    copy.start = address;
    copy.pgoff += shift;
  }
  mm.system.flavour.foreign.splitVma(vma, copy, address, newBelow);
  copy.ops?.open?.(copy);
  // The bounds of the old VMA change only now: `open` above has seen it as it was.
  const { start, end } = vma;
  if (newBelow) {
    mm.vmas.setBounds(vma, address, end);
    vma.pgoff += shift;
  } else mm.vmas.setBounds(vma, start, address);
  mm.vmas.insert(copy);
  preallocateNodes(mm.system);
  mm.system.trace.add(EV.vma_tree_write, 2);
  mm.lastSplit = new SplitRecord(vma, copy, address, newBelow);
  decided(mm, mm.lastSplit);
  return ok(copy);
}

/**
 * Cuts if the process may have one more VMA, else ENOMEM.
 *
 * @cite linux 6.1 mm/mmap.c split_vma
 */
export function splitVmaWithinLimit(vma: Vma, address: number, newBelow: boolean): SysResult<Vma> {
  const { mm } = vma;
  if (mm.vmas.size >= mm.maxMapCount) {
    return refuse(mm, "ENOMEM", "split_vma", `${mm.vmas.size} VMAs are all that a process may have`);
  }
  return splitVma(vma, address, newBelow);
}
