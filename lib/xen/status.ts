/**
 * Grant status codes: the per-element result of a grant operation. A failing element does not stop its batch.
 *
 * @cite xen 4.17 xen/include/public/grant_table.h GNTST_okay
 * @module
 */

export const GNTST_okay = 0;
/** Most failed checks. */
export const GNTST_general_error = -1;
/** No such domain. */
export const GNTST_bad_domain = -2;
/** Reference beyond the table; a map that asks for neither a host nor a device mapping. */
export const GNTST_bad_gntref = -3;
/** Handle out of range, unused, or lost in a race. */
export const GNTST_bad_handle = -4;
/** A result could not be written to the guest's list. */
export const GNTST_bad_virt_addr = -5;
/** `dev_bus_addr` is not the address of the granted frame. */
export const GNTST_bad_dev_addr = -6;
/** Until 4.15: no handle left. */
export const GNTST_no_device_space = -7;
/** Refused by the security module. */
export const GNTST_permission_denied = -8;
/** The granted frame number does not lead to a page of the granter. */
export const GNTST_bad_page = -9;
/** A copy crosses a page boundary. */
export const GNTST_bad_copy_arg = -10;
/** Transfer: no frame that the receiver can address. */
export const GNTST_address_too_big = -11;
/** Try again: the page is on its way. */
export const GNTST_eagain = -12;
/** Since 4.16: no handle left. */
export const GNTST_no_space = -13;

/** Names by value, index `-status`. */
const NAMES = [
  "okay",
  "general_error",
  "bad_domain",
  "bad_gntref",
  "bad_handle",
  "bad_virt_addr",
  "bad_dev_addr",
  "no_device_space",
  "permission_denied",
  "bad_page",
  "bad_copy_arg",
  "address_too_big",
  "eagain",
  "no_space",
] as const;

/**
 * The name of a status: `GNTST_bad_handle`; other numbers are shown as they are.
 *
 * @example
 * ```ts
 * import { statusName } from "grantlab/xen";
 * if (statusName(-4) !== "GNTST_bad_handle" || statusName(77) !== "status 77") throw new Error();
 * ```
 */
export function statusName(status: number): string {
  const name = NAMES[-status];
  return name === undefined ? `status ${status}` : `GNTST_${name}`;
}
