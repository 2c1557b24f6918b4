/**
 * The grant tables as Xen prints them on its console when the debug key `g` is pressed: a line for every reference that
 * is in use, what Xen holds beside what the guest's entry says.
 *
 * @cite xen 4.17 xen/common/grant_table.c gnttab_usage_print
 * @module
 */

import type { Domain } from "./domain.ts";
import { readGrantEntry } from "./grant_access.ts";
import type { Hypervisor } from "./hypervisor.ts";

/** A reference in use. */
export interface GrantDumpRow {
  /** Domid of the granter. */
  readonly granter: number;
  readonly ref: number;
  /** Xen's side: domid of the user. */
  readonly mapper: number;
  /** Xen's side: machine frame. */
  readonly mfn: number;
  /** Xen's side: four counters, see `pin.ts`; unsigned. */
  readonly pin: number;
  /** The entry: who is granted access. */
  readonly grantedTo: number;
  /** The entry: frame number. */
  readonly gmfn: number;
  /** The entry: flags (version 1), or the status word (version 2). */
  readonly flags: number;
}

/** The rows of one granter's table. */
export function grantDumpOf(domain: Domain): GrantDumpRow[] {
  const table = domain.grantTable;
  const rows: GrantDumpRow[] = [];
  for (let ref = 0; ref < table.nrEntries; ref++) {
    if (table.pin[ref] === 0) continue;
    const { domid, frame, flags, status } = readGrantEntry(domain, ref);
    rows.push({
      granter: domain.domid,
      ref,
      mapper: table.domid[ref]!,
      mfn: table.mfn[ref]!,
      pin: table.pin[ref]! >>> 0,
      grantedTo: domid,
      gmfn: frame,
      flags: status ?? flags,
    });
  }
  return rows;
}

/** The rows of all tables, by domain number. */
export function grantDump(hv: Hypervisor): GrantDumpRow[] {
  return byNumber(hv).flatMap(grantDumpOf);
}

function byNumber(hv: Hypervisor): Domain[] {
  return [...hv.domains.values()].sort((a, b) => a.domid - b.domid);
}

/**
 * The text of the debug key, for all domains, as the machine's release words it.
 *
 * @example
 * ```ts
 * import { PhysMem } from "grantlab/x86";
 * import { Trace } from "grantlab/trace";
 * import * as xen from "grantlab/xen";
 * const cpus = [{ flushAll() {}, invlpg() {} }];
 * const hv = new xen.Hypervisor({ mem: new PhysMem(4096), trace: new Trace(), flavour: xen.xen4_17, cpus });
 * hv.createDomain({ frames: 8, privileged: true });
 * if (!xen.gnttabUsagePrintAll(hv).includes("no active grant table entries")) throw new Error();
 * ```
 */
export function gnttabUsagePrintAll(hv: Hypervisor): string {
  const lines = ["gnttab_usage_print_all [ key 'g' pressed"];
  for (const domain of byNumber(hv)) lines.push(...hv.flavour.usagePrint(domain, grantDumpOf(domain)));
  lines.push("gnttab_usage_print_all ] done");
  return lines.join("\n");
}
