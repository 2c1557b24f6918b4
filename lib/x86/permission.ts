/**
 * May this access use this translation? The rules of the manual as one decision, used after a walk and on every TLB
 * hit: cached rights are judged with the *current* CR0.WP, CR4, CPL, AC, PKRU and PKRS.
 *
 * @cite sdm 3A 4.6 access rights
 * @module
 */

import {
  ACCESS_FETCH,
  ACCESS_IMPLICIT,
  ACCESS_WRITE,
  RIGHT_KEY_SHIFT,
  RIGHT_NX,
  RIGHT_USER,
  RIGHT_WRITE,
  WHY_NONE,
  WHY_NX,
  WHY_PKRS,
  WHY_PKRU,
  WHY_READ_ONLY_USER,
  WHY_READ_ONLY_WP,
  WHY_SMAP,
  WHY_SMAP_IMPLICIT,
  WHY_SMEP,
  WHY_SUPERVISOR_PAGE,
} from "./access.ts";
import {
  CR0_WP,
  CR4_PKE,
  CR4_PKS,
  CR4_SMAP,
  CR4_SMEP,
  EFER_NXE,
  PF_ID,
  PF_P,
  PF_PK,
  PF_US,
  PF_WR,
} from "./registers.ts";

/** What the decision looks at; a `Cpu` is one. */
export interface PermissionState {
  readonly cr0: number;
  readonly cr4: number;
  readonly efer: number;
  /** Current privilege level, 0 … 3. */
  readonly cpl: number;
  /** RFLAGS.AC, 0 or 1. */
  readonly ac: number;
  readonly pkru: number;
  readonly pkrs: number;
}

/** True for a user-mode access: made at CPL 3 and not implicit. @cite sdm 3A 4.6.1 */
export function isUserMode(state: PermissionState, access: number): boolean {
  return state.cpl === 3 && access !== ACCESS_IMPLICIT;
}

/** The rule that forbids the access (`WHY_*`), or `WHY_NONE`. */
export function denialOf(state: PermissionState, access: number, rights: number): number {
  if (isUserMode(state, access)) {
    if ((rights & RIGHT_USER) === 0) return WHY_SUPERVISOR_PAGE;
    if (access === ACCESS_WRITE && (rights & RIGHT_WRITE) === 0) return WHY_READ_ONLY_USER;
    if (access === ACCESS_FETCH && (rights & RIGHT_NX) !== 0) return WHY_NX;
  } else if (access === ACCESS_FETCH) {
    if ((rights & RIGHT_USER) !== 0 && (state.cr4 & CR4_SMEP) !== 0) return WHY_SMEP;
    if ((rights & RIGHT_NX) !== 0) return WHY_NX;
  } else {
    if ((rights & RIGHT_USER) !== 0 && (state.cr4 & CR4_SMAP) !== 0) {
      // AC opens user pages to explicit accesses only.
      if (access === ACCESS_IMPLICIT) return WHY_SMAP_IMPLICIT;
      if (state.ac === 0) return WHY_SMAP;
    }
    if (access === ACCESS_WRITE && (rights & RIGHT_WRITE) === 0 && (state.cr0 & CR0_WP) !== 0) {
      return WHY_READ_ONLY_WP;
    }
  }
  return (state.cr4 & (CR4_PKE | CR4_PKS)) === 0 ? WHY_NONE : keyDenialOf(state, access, rights);
}

/**
 * The protection-key rule alone. Keys govern data accesses; the U/S bits of the translation choose the register:
 * PKRU for user-mode addresses, IA32_PKRS for supervisor-mode addresses.
 *
 * @cite sdm 3A 4.6.2 protection keys
 */
export function keyDenialOf(state: PermissionState, access: number, rights: number): number {
  if (access === ACCESS_FETCH) return WHY_NONE;
  const isUserAddress = (rights & RIGHT_USER) !== 0;
  if ((state.cr4 & (isUserAddress ? CR4_PKE : CR4_PKS)) === 0) return WHY_NONE;
  const bits = (isUserAddress ? state.pkru : state.pkrs) >>> 2 * (rights >>> RIGHT_KEY_SHIFT & 0xf);
  const why = isUserAddress ? WHY_PKRU : WHY_PKRS;
  if ((bits & 1) !== 0) return why; // ADi
  if ((bits & 2) !== 0 && access === ACCESS_WRITE) { // WDi
    // Supervisor writes obey WDi only while CR0.WP = 1.
    if ((state.cr0 & CR0_WP) !== 0 || isUserMode(state, access)) return why;
  }
  return WHY_NONE;
}

/** W/R, U/S and I/D of the error code: what kind of access it was. @cite sdm 3A 4.7 */
export function accessErrorBits(state: PermissionState, access: number): number {
  let bits = access === ACCESS_WRITE ? PF_WR : 0;
  if (isUserMode(state, access)) bits |= PF_US;
  if (access === ACCESS_FETCH && ((state.cr4 & CR4_SMEP) !== 0 || (state.efer & EFER_NXE) !== 0)) {
    bits |= PF_ID;
  }
  return bits;
}

/** The whole error code of an access that a right denied. PK is set whenever a key denies it, also beside another reason. */
export function denialErrorCode(state: PermissionState, access: number, rights: number): number {
  const pk = keyDenialOf(state, access, rights) === WHY_NONE ? 0 : PF_PK;
  return accessErrorBits(state, access) | PF_P | pk;
}
