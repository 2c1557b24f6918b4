/** Entries of both versions as a guest writes them, and the other commands, for the tests of this folder. */

import { assertEquals } from "@std/assert";
import type { Maddr } from "../../../lib/core/frames.ts";
import * as xen from "../../../lib/xen/mod.ts";
import type { Host } from "./two_domains.ts";

/** Writes a version-2 entry: the body first, then the header. */
export function writeV2(
  domain: xen.Domain,
  ref: number,
  entry: {
    flags: number;
    domid: number;
    frame?: number;
    offset?: number;
    length?: number;
    trans?: number;
    gref?: number;
  },
): void {
  const at = domain.grantTable.entry(ref);
  const { mem } = domain;
  mem.write32((at + 4) as Maddr, entry.trans ?? ((entry.length ?? 0) << 16 | (entry.offset ?? 0)));
  const body = entry.gref ?? entry.frame ?? 0;
  mem.write32((at + 8) as Maddr, body);
  mem.write32((at + 12) as Maddr, Math.floor(body / 2 ** 32));
  mem.write16((at + 2) as Maddr, entry.domid);
  mem.write16(at, entry.flags);
}

export function setVersion(h: Host, domain: xen.Domain, version: number): { rc: number; version: number } {
  const op = { version };
  return { rc: xen.grantTableOp(h.hv, domain, xen.GNTTABOP_set_version, [op]), version: op.version };
}

/** A copy of 16 bytes from the guest's first grant to dom0's pseudo-physical frame 10. */
export function copyOp(h: Host, change: Partial<xen.GnttabCopy> = {}): xen.GnttabCopy {
  return {
    source: { ref: 8, domid: h.guest.domid, offset: 0 },
    dest: { gmfn: h.dom0.mfnOf(10), domid: xen.DOMID_SELF, offset: 0 },
    len: 16,
    flags: xen.GNTCOPY_source_gref,
    status: 77,
    ...change,
  };
}

export function copy(h: Host, change: Partial<xen.GnttabCopy> = {}): number {
  const op = copyOp(h, change);
  assertEquals(xen.grantTableOp(h.hv, h.dom0, xen.GNTTABOP_copy, [op]), 0);
  return op.status;
}

export function byteAt(h: Host, mfn: number, offset = 0): number {
  return h.hv.mem.read8((mfn * 4096 + offset) as Maddr);
}
