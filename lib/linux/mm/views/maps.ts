/**
 * The VMAs of an address space as they were when asked for: rows as in /proc/PID/maps, a drawing, and what changed
 * since an earlier picture.
 *
 * @module
 */

import { Shown, viewOf } from "../../../core/shown.ts";
import { instanceOf } from "../../../core/misuse.ts";
import { hex } from "../../../core/show.ts";
import { drawing, tableBlock, type View } from "../../../core/view.ts";
import type { MmStruct } from "../mm_struct.ts";
import { vmFlagsLetters } from "../proc.ts";
import type { Vma } from "../vma.ts";
import { drawChange, drawVmas } from "./vma_drawing.ts";

/** One VMA of a picture. */
export interface MapsRow {
  readonly start: number;
  readonly end: number;
  /** `rw-s`. */
  readonly permissions: string;
  /** Offset in the object behind, in pages. */
  readonly pgoff: number;
  readonly name: string;
  /** Letters of the VmFlags line of smaps. */
  readonly vmFlags: string;
}

/** Rows of a picture that are made of an address space with more VMAs than this. */
const SHOWN = 40;

/** A picture of an address space. */
export class Maps extends Shown {
  readonly rows: readonly MapsRow[];

  /** @param nameOf what stands for a VMA; default: its file, or its operations */
  constructor(mm: MmStruct, nameOf: (vma: Vma) => string = (vma) => vma.file?.name ?? vma.ops?.name ?? "") {
    super();
    this.rows = mm.vmas.toArray().map((vma) => ({
      start: vma.start,
      end: vma.end,
      permissions: vma.permissions,
      pgoff: vma.pgoff,
      name: nameOf(vma),
      vmFlags: vmFlagsLetters(vma),
    }));
  }

  /** Pages of all VMAs. */
  get nrPages(): number {
    return this.rows.reduce((sum, { start, end }) => sum + (end - start) / 4096, 0);
  }

  /** The drawing, one letter a page. */
  get drawing(): string {
    return drawVmas(this.rows).join("\n");
  }

  /** What is different from an earlier picture of the same address space. */
  since(before: Maps): MapsChange {
    instanceOf("tell what changed since", before, Maps, "it must be an earlier qemu.maps");
    return new MapsChange(before, this);
  }

  override toString(): string {
    return this[viewOf]().line;
  }

  override [viewOf](): View {
    const rows = this.rows.map(({ start, end, permissions, pgoff, name, vmFlags }) => [
      hex(start),
      hex(end),
      String((end - start) / 4096),
      permissions,
      hex(pgoff),
      name,
      vmFlags,
    ]);
    return {
      line: `${this.rows.length} VMAs, ${this.nrPages} pages`,
      blocks: [
        tableBlock(
          ["start", "end", { header: "pages", right: true }, "perm", "pgoff", "name", "VmFlags"],
          rows,
          {
            limit: SHOWN,
          },
        ),
        drawing(drawVmas(this.rows, SHOWN)),
      ],
    };
  }
}

/** Before over after. */
export class MapsChange extends Shown {
  constructor(readonly before: Maps, readonly after: Maps) {
    super();
  }

  override toString(): string {
    const { before, after } = this;
    return drawChange(before.rows, after.rows).join("\n");
  }

  override [viewOf](): View {
    const { before, after } = this;
    const lines = drawChange(before.rows, after.rows);
    return {
      line: lines.length === 0
        ? "no VMA changed"
        : `${before.rows.length} VMAs before, ${after.rows.length} after; ${
          lines.join("; ").replaceAll(/ {2,}/g, " ")
        }`,
      title: lines.length === 0
        ? "no VMA changed"
        : `${before.rows.length} VMAs before, ${after.rows.length} after`,
      blocks: [drawing(lines)],
    };
  }
}
