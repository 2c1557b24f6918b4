/**
 * Pin counts: how often a grant is in use, four 8-bit counters in one word.
 *
 * ```text
 *  31     24 23     16 15      8 7       0
 * ┌─────────┬─────────┬─────────┬─────────┐
 * │ devr    │ devw    │ hstr    │ hstw    │
 * └─────────┴─────────┴─────────┴─────────┘
 * ```
 *
 * A counter is not stepped when its top bit is already set, so at most 128 of a kind exist.
 *
 * @cite xen 4.17 xen/common/grant_table.c GNTPIN_hstw_inc
 * @module
 */

import { GNTMAP_device_map, GNTMAP_host_map, GNTMAP_readonly } from "./abi.ts";

export const GNTPIN_cntr_width = 8;
/** One writable CPU mapping. */
export const GNTPIN_hstw_inc = 1 << 0;
export const GNTPIN_hstw_mask = 0xff << 0;
/** One read-only CPU mapping. */
export const GNTPIN_hstr_inc = 1 << 8;
export const GNTPIN_hstr_mask = 0xff << 8;
/** One writable device mapping. */
export const GNTPIN_devw_inc = 1 << 16;
export const GNTPIN_devw_mask = 0xff << 16;
/** One read-only device mapping. */
export const GNTPIN_devr_inc = 1 << 24;
export const GNTPIN_devr_mask = 0xff << 24;

/** Pins of any writing kind. */
export const GNTPIN_writing_mask: number = GNTPIN_hstw_mask | GNTPIN_devw_mask;

/** What a mapping with these `GNTMAP_*` flags adds to the pin word (signed 32 bits). */
export function pinIncrement(flags: number): number {
  const readonly = (flags & GNTMAP_readonly) !== 0;
  let increment = 0;
  if ((flags & GNTMAP_device_map) !== 0) increment |= readonly ? GNTPIN_devr_inc : GNTPIN_devw_inc;
  if ((flags & GNTMAP_host_map) !== 0) increment |= readonly ? GNTPIN_hstr_inc : GNTPIN_hstw_inc;
  return increment;
}

/** True if one of the counters to be stepped is full. */
export function pinOverflows(pin: number, increment: number): boolean {
  return (pin & increment << GNTPIN_cntr_width - 1) !== 0;
}

/** The four counters, for people. */
export function describePin(pin: number): { hstw: number; hstr: number; devw: number; devr: number } {
  return { hstw: pin & 0xff, hstr: pin >>> 8 & 0xff, devw: pin >>> 16 & 0xff, devr: pin >>> 24 };
}
