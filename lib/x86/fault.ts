/**
 * x86 faults as values, and what they mean in a sentence with the manual's rule.
 *
 * @module
 */

import { joinHalves } from "../core/frames.ts";
import { hex } from "../core/show.ts";
import {
  type AccessResult,
  WHY_NOT_CANONICAL,
  WHY_NOT_PRESENT,
  WHY_NX,
  WHY_PKRS,
  WHY_PKRU,
  WHY_READ_ONLY_USER,
  WHY_READ_ONLY_WP,
  WHY_RESERVED,
  WHY_SMAP,
  WHY_SMAP_IMPLICIT,
  WHY_SMEP,
  WHY_SUPERVISOR_PAGE,
} from "./access.ts";
import { ENTRY_NAME } from "./levels.ts";
import { PF_ID, PF_P, PF_PK, PF_RSVD, PF_US, PF_WR } from "./registers.ts";

/** #PF: vector 14. */
export interface PageFault {
  readonly kind: "#PF";
  /** CR2. */
  readonly va: bigint;
  readonly errorCode: number;
  /** Decoded error code. */
  readonly present: boolean;
  readonly write: boolean;
  readonly user: boolean;
  readonly reserved: boolean;
  readonly fetch: boolean;
  readonly key: boolean;
  /** Level of the entry at which the walk stopped or of the leaf whose rights denied the access. */
  readonly level: number;
  /** The rule that decided (`WHY_*`). */
  readonly why: number;
}

/** #GP(0): vector 13, for a non-canonical address or a register value that the processor refuses. */
export interface GeneralProtection {
  readonly kind: "#GP";
  readonly errorCode: 0;
  /** A clause without full stop. */
  readonly reason: string;
}

/** A walk or an access reached a frame with no memory behind it. Not an exception of the instruction set. */
export interface NoMemory {
  readonly kind: "no-memory";
  readonly va: bigint;
  readonly frame: number;
  /** Level of the table that is not there; 0 if it is the page itself. */
  readonly level: number;
}

/** Any way an access can fail. */
export type Fault = PageFault | GeneralProtection | NoMemory;

/** Makes a #GP(0). */
export function generalProtection(reason: string): GeneralProtection {
  return { kind: "#GP", errorCode: 0, reason };
}

/** The #PF that a translation wrote into `out`. */
export function pageFault(hi: number, lo: number, out: AccessResult): PageFault {
  const e = out.errorCode;
  return {
    kind: "#PF",
    va: joinHalves(hi, lo),
    errorCode: e,
    present: (e & PF_P) !== 0,
    write: (e & PF_WR) !== 0,
    user: (e & PF_US) !== 0,
    reserved: (e & PF_RSVD) !== 0,
    fetch: (e & PF_ID) !== 0,
    key: (e & PF_PK) !== 0,
    level: out.level,
    why: out.why,
  };
}

/** The manual's rule behind each `WHY_*`: a clause, and where it stands. */
export const RULES: Readonly<Record<number, { readonly rule: string; readonly cite: string }>> = Object
  .freeze({
    [WHY_NOT_PRESENT]: { rule: "P = 0, so there is no translation", cite: "sdm 3A 4.7" },
    [WHY_RESERVED]: { rule: "a reserved bit is set in a present entry", cite: "sdm 3A 4.7" },
    [WHY_SUPERVISOR_PAGE]: {
      rule: "a user-mode access needs U/S = 1 in every entry of the walk",
      cite: "sdm 3A 4.6.1",
    },
    [WHY_READ_ONLY_USER]: {
      rule: "a user-mode write needs R/W = 1 in every entry of the walk",
      cite: "sdm 3A 4.6.1",
    },
    [WHY_READ_ONLY_WP]: {
      rule: "with CR0.WP = 1 a supervisor write needs R/W = 1 in every entry of the walk",
      cite: "sdm 3A 4.6.1",
    },
    [WHY_NX]: { rule: "a fetch needs NX = 0 in every entry of the walk", cite: "sdm 3A 4.6.1" },
    [WHY_SMEP]: { rule: "with CR4.SMEP = 1 the supervisor may not execute user pages", cite: "sdm 3A 4.6.1" },
    [WHY_SMAP]: {
      rule: "with CR4.SMAP = 1 and RFLAGS.AC = 0 the supervisor may not touch user pages",
      cite: "sdm 3A 4.6.1",
    },
    [WHY_SMAP_IMPLICIT]: {
      rule: "with CR4.SMAP = 1 implicit supervisor accesses may not touch user pages, whatever RFLAGS.AC is",
      cite: "sdm 3A 4.6.1",
    },
    [WHY_PKRU]: { rule: "PKRU denies the protection key of this user page", cite: "sdm 3A 4.6.2" },
    [WHY_PKRS]: { rule: "IA32_PKRS denies the protection key of this supervisor page", cite: "sdm 3A 4.6.2" },
    [WHY_NOT_CANONICAL]: { rule: "the address is not canonical", cite: "sdm 3A 3.3.7.1" },
  });

/**
 * A fault in a sentence.
 *
 * @example
 * ```ts
 * import { Cpu, describeFault, Mmu, PhysMem } from "grantlab/x86";
 * const mmu = new Mmu(new Cpu(), new PhysMem(16));
 * const fault = mmu.access(0x1000, "write");
 * if (fault.kind === "ok" || !describeFault(fault).includes("P = 0")) throw new Error();
 * ```
 */
export function describeFault(fault: Fault): string {
  if (fault.kind === "#GP") return `#GP(0): ${fault.reason}.`;
  if (fault.kind === "no-memory") {
    const what = fault.level === 0 ? "the page itself" : `the table of ${ENTRY_NAME[fault.level]}s`;
    return `No memory behind frame ${hex(fault.frame)}, ${what}, on the way to ${hex(fault.va)}.`;
  }
  const who = fault.user ? "user" : "supervisor";
  const what = fault.write ? "write" : fault.fetch ? "fetch" : "access";
  const { rule, cite } = RULES[fault.why]!;
  return `#PF error ${hex(fault.errorCode)} (${describeErrorCode(fault.errorCode)}): ${who} ${what} at ` +
    `${hex(fault.va)}; ${ENTRY_NAME[fault.level]}, level ${fault.level}: ${rule} (${cite}).`;
}

/** The set bits of a #PF error code by their names in the manual; "none" for 0. */
export function describeErrorCode(errorCode: number): string {
  const names = ["P", "W/R", "U/S", "RSVD", "I/D", "PK"].filter((_, bit) => (errorCode >>> bit & 1) !== 0);
  return names.length > 0 ? names.join(" ") : "none";
}
