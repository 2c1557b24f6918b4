/**
 * The two-dimensional walk: the guest's tables hold guest-physical addresses, and each of them, table or page, goes
 * through the nested tables first.
 *
 * ```text
 *            guest CR3   PML4E    PDPTE     PDE      PTE     page
 *  nested        4         4        4        4        4              references to nested tables: 5 × 4
 *  guest                   1        1        1        1              references to guest tables:  4
 *                                                                    together 24
 * ```
 *
 * No cache is consulted or filled: this is the walk at its full length. Faults of the guest's own tables are the
 * guest's #PF; faults of the nested tables are exits to the hypervisor, `OUTCOME_NESTED`, with the words in the
 * `NestedResult`. Counts `walk_step` for guest entries, `nested_step` for nested ones.
 *
 * @cite sdm 3C 29.3 the extended page table mechanism
 * @cite apm 2 15.25 nested paging
 * @module
 */

import { EV } from "../trace/events.ts";
import {
  ACCESS_FETCH,
  ACCESS_PEEK,
  ACCESS_WRITE,
  type AccessResult,
  OUTCOME_NESTED,
  OUTCOME_OK,
  RIGHT_DIRTY,
  RIGHT_USER,
  RIGHT_WRITE,
  WHY_NONE,
  WHY_NOT_PRESENT,
  WHY_RESERVED,
} from "./access.ts";
import type { Cpu } from "./cpu.ts";
import { doubleIndexAt, OFFSET_MASK, RESERVED_IN_TABLE_ENTRY } from "./levels.ts";
import {
  NESTED_FETCH,
  NESTED_OK,
  NESTED_READ,
  NESTED_TABLE_READ,
  NESTED_TABLE_WRITE,
  NESTED_WRITE,
  type NestedResult,
  type NestedTables,
} from "./nested_access.ts";
import { denialErrorCode, denialOf } from "./permission.ts";
import type { PhysMem } from "./phys_mem.ts";
import { _PAGE_ACCESSED, _PAGE_DIRTY, _PAGE_PRESENT, _PAGE_PSE } from "./pte.ts";
import { CR4_LA57, PF_P, PF_RSVD } from "./registers.ts";
import { faultAt, notCanonical, rightsOf } from "./walk.ts";

const WALK_STEP = EV.walk_step;
const AD_UPDATE = EV.ad_update;
const TABLE_RESERVED: Int32Array = Int32Array.from(RESERVED_IN_TABLE_ENTRY);
const OFFSET: Int32Array = Int32Array.from(OFFSET_MASK);

/** A guest: its processor state and the hypervisor's tables for it. */
export interface NestedGuest {
  /** Control registers, CPL and keys are the guest's; CR3 is guest-physical. */
  readonly cpu: Cpu;
  readonly nested: NestedTables;
  readonly mem: PhysMem;
}

/**
 * Walks both dimensions for one access of the guest; answers `out.outcome`. `out.frame` is the machine frame,
 * `out.entryLo` and `entryHi` are the guest's entries, `nested` is what the nested tables said last.
 *
 * @param hi high half of the guest-linear address, signed 32 bits
 * @param lo low half
 * @param access `ACCESS_*`, without `ACCESS_PEEK`
 *
 * @example
 * ```ts
 * import { Cpu, ACCESS_READ, AccessResult, ept, nestedWalk, NestedResult, OUTCOME_NESTED, PhysMem } from "grantlab/x86";
 * const guest = { cpu: new Cpu(), nested: ept(1), mem: new PhysMem(16) };
 * const nested = new NestedResult();
 * if (nestedWalk(guest, 0, 0x1000, ACCESS_READ, new AccessResult(), nested) !== OUTCOME_NESTED) throw new Error();
 * if (nested.qualification !== 0x81) throw new Error(); // a read of a table that the EPT does not map
 * ```
 */
export function nestedWalk(
  guest: NestedGuest,
  hi: number,
  lo: number,
  access: number,
  out: AccessResult,
  nested: NestedResult,
): number {
  if (access >= ACCESS_PEEK) {
    throw new RangeError("Cannot walk both dimensions for a peek: it has no nested form");
  }
  const { cpu, mem, nested: tables } = guest;
  const trace = cpu.trace;
  out.isFromTlb = false;
  out.why = WHY_NONE;
  if (cpu.cr0 >= 0) return finalAccess(guest, hi & 0xfffff, lo, access, out, nested, unpaged(out));
  let level = (cpu.cr4 & CR4_LA57) !== 0 ? 5 : 4;
  out.topLevel = level;
  const top = level === 5 ? hi >> 24 : hi >> 15;
  if (top !== 0 && top !== -1) return notCanonical(out);

  const reservedHi = cpu.reservedHi;
  let gpaHi = Math.floor(cpu.rootFrame / 0x100000);
  let gpaLo = cpu.rootFrame % 0x100000 << 12;
  let both = RIGHT_WRITE | RIGHT_USER;
  let either = 0;
  let updates = 0;
  let steps = 0;
  for (;; level--) {
    // The guest's entry lies at a guest-physical address: first the other dimension.
    const entryGpaLo = gpaLo | doubleIndexAt(level, hi, lo) << 2;
    if (tables.translate(mem, trace, gpaHi, entryGpaLo, NESTED_TABLE_READ, nested) !== NESTED_OK) {
      return exit(cpu, level, steps, updates, out);
    }
    const tableFrame = nested.paHi << 20 | nested.paLo >>> 12;
    const slot = nested.paHi > 0x7ff ? -1 : mem.slotOf(tableFrame);
    const at = slot << 10 | (nested.paLo & 0xfff) >>> 2;
    const words = mem.words;
    const entryLo = slot < 0 ? 0 : words[at]!;
    const entryHi = slot < 0 ? 0 : words[at + 1]!;
    steps++;
    out.entryLo[level] = entryLo;
    out.entryHi[level] = entryHi;
    if ((entryLo & _PAGE_PRESENT) === 0) {
      return faultAt(cpu, access, level, WHY_NOT_PRESENT, 0, steps, updates, out);
    }
    const isLeaf = level === 1 || level <= 3 && (entryLo & _PAGE_PSE) !== 0;
    const reservedLo = isLeaf ? cpu.reservedInLeaf[level]! : TABLE_RESERVED[level]!;
    if (((entryLo & reservedLo) | (entryHi & reservedHi)) !== 0) {
      return faultAt(cpu, access, level, WHY_RESERVED, PF_P | PF_RSVD, steps, updates, out);
    }
    both &= entryLo;
    either |= entryHi;
    let wanted = _PAGE_ACCESSED;
    if (isLeaf) {
      out.level = level;
      out.rights = rightsOf(cpu, level, both, either, entryLo, entryHi);
      const why = denialOf(cpu, access, out.rights);
      if (why !== WHY_NONE) {
        return faultAt(
          cpu,
          access,
          level,
          why,
          denialErrorCode(cpu, access, out.rights),
          steps,
          updates,
          out,
        );
      }
      if (access === ACCESS_WRITE) {
        wanted |= _PAGE_DIRTY;
        out.rights |= RIGHT_DIRTY;
      }
    }
    if ((entryLo & wanted) !== wanted) {
      // The update is a write of a guest page: a page that the nested tables make read-only exits here.
      if (
        !nested.isWritable &&
        tables.translate(mem, trace, gpaHi, entryGpaLo, NESTED_TABLE_WRITE, nested) !== NESTED_OK
      ) return exit(cpu, level, steps, updates, out);
      words[at] = entryLo | wanted;
      updates++;
    }
    gpaHi = entryHi & 0xfffff;
    if (isLeaf) {
      const offset = OFFSET[level]!;
      trace.add(WALK_STEP, steps);
      if (updates !== 0) trace.add(AD_UPDATE, updates);
      return finalAccess(guest, gpaHi, entryLo & ~offset | lo & offset, access, out, nested, out.rights);
    }
    gpaLo = entryLo & ~0xfff;
  }
}

/** The page itself: its guest-physical address through the nested tables. */
function finalAccess(
  { cpu, mem, nested: tables }: NestedGuest,
  gpaHi: number,
  gpaLo: number,
  access: number,
  out: AccessResult,
  nested: NestedResult,
  rights: number,
): number {
  const use = access === ACCESS_WRITE ? NESTED_WRITE : access === ACCESS_FETCH ? NESTED_FETCH : NESTED_READ;
  out.rights = rights;
  if (tables.translate(mem, cpu.trace, gpaHi, gpaLo, use, nested) !== NESTED_OK) {
    return out.outcome = OUTCOME_NESTED;
  }
  const frameLo = nested.paLo >>> 12;
  out.frame = nested.paHi === 0 ? frameLo : nested.paHi * 0x100000 + frameLo;
  return out.outcome = OUTCOME_OK;
}

/** With CR0.PG = 0 guest-linear addresses are guest-physical addresses. */
function unpaged(out: AccessResult): number {
  out.level = 0;
  out.topLevel = 0;
  return RIGHT_WRITE | RIGHT_USER | RIGHT_DIRTY;
}

/** The nested tables stopped the walk at the guest's entry of this level. */
function exit(cpu: Cpu, level: number, steps: number, updates: number, out: AccessResult): number {
  cpu.trace.add(WALK_STEP, steps);
  if (updates !== 0) cpu.trace.add(AD_UPDATE, updates);
  out.level = level;
  return out.outcome = OUTCOME_NESTED;
}
