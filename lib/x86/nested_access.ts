/**
 * Nested paging: what both formats of nested tables share. A guest-physical address goes in as two 32-bit halves, a
 * machine address comes out the same way; if the tables do not let the access through, the hypervisor gets an exit,
 * whose words are the vendor's.
 *
 * @module
 */

import { joinHalves } from "../core/frames.ts";
import { hex } from "../core/show.ts";
import type { Trace } from "../trace/trace.ts";
import { ENTRY_NAME } from "./levels.ts";
import type { PhysMem } from "./phys_mem.ts";

/** The access went through the nested tables. */
export const NESTED_OK = 0;
/** EPT violation: VM exit 48. */
export const NESTED_EPT_VIOLATION = 1;
/** EPT misconfiguration: VM exit 49. */
export const NESTED_EPT_MISCONFIGURATION = 2;
/** Nested page fault: #VMEXIT(NPF). */
export const NESTED_PAGE_FAULT = 3;
/** A table of the nested tables has no memory behind it. */
export const NESTED_NO_MEMORY = 4;

// What a guest-physical access is for.
/** A read of the data itself. */
export const NESTED_READ = 0;
/** A write of the data itself. */
export const NESTED_WRITE = 1;
/** A fetch. */
export const NESTED_FETCH = 2;
/** A read of an entry of the guest's tables by the walk. */
export const NESTED_TABLE_READ = 3;
/** A write of an accessed or dirty bit there. */
export const NESTED_TABLE_WRITE = 4;

/** The outcome of one guest-physical access, preallocated. */
export class NestedResult {
  /** `NESTED_*`. */
  outcome: number = NESTED_OK;
  /** Machine address, high half (20 bits); the frame of the missing table where there is no memory. */
  paHi: number = 0;
  /** Machine address, low half. */
  paLo: number = 0;
  /** Guest-physical address, high half. */
  gpaHi: number = 0;
  /** Guest-physical address, low half. */
  gpaLo: number = 0;
  /** Level of the leaf, or where the walk stopped. */
  level: number = 0;
  /** Whether a write would have gone through as well. */
  isWritable: boolean = false;
  /** Memory type that the leaf names (EPT), -1 if the format has none. */
  memoryType: number = -1;
  /** EPT: the exit qualification of a violation. NPT: EXITINFO1, low half. */
  qualification: number = 0;
  /** NPT: EXITINFO1, high half: bit 0 (32) the final address, bit 1 (33) a table of the guest. */
  qualificationHi: number = 0;
}

/** Nested tables of one guest: an operation table with its parameters. */
export interface NestedTables {
  readonly format: "EPT" | "NPT";
  /** Frame of the top table. */
  readonly root: number;
  /**
   * Translates a guest-physical access and writes the outcome to `out`; answers `out.outcome`.
   *
   * @param use `NESTED_READ` … `NESTED_TABLE_WRITE`
   */
  translate(mem: PhysMem, trace: Trace, gpaHi: number, gpaLo: number, use: number, out: NestedResult): number;
}

/** An exit in a sentence. */
export function describeNestedExit(out: NestedResult): string {
  const gpa = hex(joinHalves(out.gpaHi, out.gpaLo));
  const where = `${ENTRY_NAME[out.level] ?? ""}, level ${out.level} of the nested tables`;
  switch (out.outcome) {
    case NESTED_EPT_VIOLATION:
      return `EPT violation at guest-physical ${gpa}; ${where}: exit qualification ${
        hex(out.qualification)
      } ` +
        `(${describeQualification(out.qualification)}) (sdm 3C 28.2.1).`;
    case NESTED_EPT_MISCONFIGURATION:
      return `EPT misconfiguration at guest-physical ${gpa}; ${where}: the entry has a setting that is not ` +
        `supported (sdm 3C 29.3.3.1).`;
    case NESTED_PAGE_FAULT:
      return `#VMEXIT(NPF) at guest-physical ${gpa}; ${where}: EXITINFO1 ` +
        `${hex(joinHalves(out.qualificationHi, out.qualification))} (apm 2 15.25.6).`;
    case NESTED_NO_MEMORY:
      return `No memory behind a nested table at level ${out.level}, on the way to guest-physical ${gpa}.`;
    default:
      return `Guest-physical ${gpa} is at machine address ${hex(joinHalves(out.paHi, out.paLo))}.`;
  }
}

/** The set bits of an EPT violation's exit qualification by name. */
export function describeQualification(qualification: number): string {
  const names = [
    "read",
    "write",
    "fetch",
    "readable",
    "writable",
    "executable",
    "",
    "linear address",
    "of the page",
  ];
  return names.filter((name, bit) => name !== "" && (qualification >>> bit & 1) !== 0).join(", ");
}
