/**
 * What is wrong with a tree of page tables. Assumes nothing: tables may point to themselves, to each other, or to
 * frames that are not there.
 *
 * @module
 */

import { PTRS_PER_TABLE } from "../core/geometry.ts";
import { hex } from "../core/show.ts";
import { isLeafEntry } from "./leaves.ts";
import {
  checkLevels,
  ENTRY_NAME,
  FRAMES_PER_ENTRY,
  PAGE_NAME,
  RESERVED_IN_LEAF,
  RESERVED_IN_TABLE_ENTRY,
  reservedHighBits,
} from "./levels.ts";
import type { PhysMem } from "./phys_mem.ts";
import { _PAGE_PRESENT, frameOf } from "./pte.ts";

/** One thing that is wrong. */
export interface TableViolation {
  readonly rule: "table without memory" | "page without memory" | "misaligned large page" | "reserved bit";
  /** Frame of the table that holds the entry; the top table itself if that has no memory. */
  readonly table: number;
  readonly level: number;
  readonly index: number;
  /** A sentence without full stop. */
  readonly text: string;
}

/** What the tables are judged against. */
export interface ValidateOptions {
  readonly levels?: 4 | 5;
  readonly maxPhyAddr?: number;
  readonly nxEnabled?: boolean;
}

/**
 * The violations in the tables under `root`; none means that every walk ends in a page or in P = 0. A table that is
 * reached twice at the same level is looked at once.
 *
 * @example
 * ```ts
 * import { maddr } from "grantlab/core";
 * import { PhysMem, validateTables } from "grantlab/x86";
 * const mem = new PhysMem(16);
 * mem.write64(maddr(0x1008), 0x20_0003n); // points to frame 0x200 of 16
 * const [violation] = validateTables(mem, 1);
 * if (violation?.rule !== "table without memory" || violation.index !== 1) throw new Error();
 * ```
 */
export function validateTables(
  mem: PhysMem,
  root: number,
  { levels = 4, maxPhyAddr = 52, nxEnabled = true }: ValidateOptions = {},
): TableViolation[] {
  checkLevels("validate tables of levels", levels);
  const violations: TableViolation[] = [];
  const reservedHi = reservedHighBits(maxPhyAddr, nxEnabled);
  const seen = new Set<string>();

  function add(
    rule: TableViolation["rule"],
    table: number,
    level: number,
    index: number,
    what: string,
  ): void {
    const text = `${ENTRY_NAME[level]} ${index} of table ${hex(table)} ${what}`;
    violations.push({ rule, table, level, index, text });
  }

  function visit(table: number, level: number): void {
    const key = `${level}:${table}`;
    if (seen.has(key)) return;
    seen.add(key);
    const slot = mem.slotOf(table);
    if (slot < 0) return;
    for (let index = 0; index < PTRS_PER_TABLE; index++) {
      const at = slot << 10 | index << 1;
      const lo = mem.words[at]!;
      const hi = mem.words[at + 1]!;
      if ((lo & _PAGE_PRESENT) === 0) continue;
      const isLeaf = isLeafEntry(level, lo);
      const frame = frameOf(lo, hi);
      const reservedLo = isLeaf ? RESERVED_IN_LEAF[level]! : RESERVED_IN_TABLE_ENTRY[level]!;
      if (isLeaf && (lo & reservedLo) !== 0) {
        add(
          "misaligned large page",
          table,
          level,
          index,
          `maps ${PAGE_NAME[level]} from frame ${hex(frame)}`,
        );
      } else if (((lo & reservedLo) | (hi & reservedHi)) !== 0) {
        add("reserved bit", table, level, index, "has a reserved bit set");
      } else if (!isLeaf) {
        if (!mem.isBacked(frame)) {
          add(
            "table without memory",
            table,
            level,
            index,
            `points to frame ${hex(frame)}, where there is no memory`,
          );
        } else visit(frame, level - 1);
      } else if (!mem.isBacked(frame + FRAMES_PER_ENTRY[level]! - 1)) {
        add("page without memory", table, level, index, `maps frame ${hex(frame)}, where there is no memory`);
      }
    }
  }

  if (!mem.isBacked(root)) {
    const text = `the top table ${hex(root)} has no memory behind it`;
    return [{ rule: "table without memory", table: root, level: levels, index: 0, text }];
  }
  visit(root, levels);
  return violations;
}
