/**
 * `GNTTABOP_set_version`: changes the layout of the caller's own table. Everything but the reserved entries 0 … 7 is
 * wiped, so nothing else may be in use. Whatever happens, the version in effect is written back.
 *
 * @cite xen 4.17 xen/common/grant_table.c gnttab_set_version
 * @module
 */

import { ERRNO } from "../../core/errno.ts";
import type { Maddr } from "../../core/frames.ts";
import {
  GNTTAB_NR_RESERVED_ENTRIES,
  type GnttabSetVersion,
  GTF_permit_access,
  GTF_reading,
  GTF_transitive,
  GTF_type_mask,
  GTF_writing,
} from "../abi.ts";
import type { Domain } from "../domain.ts";
import { flagsOfHeader, readFrame, readFrameV2, readHeader } from "../grant_entry.ts";
import { grantToStatusFrames } from "../grant_table.ts";
import { word32 } from "../guest_word.ts";
import type { Hypervisor } from "../hypervisor.ts";

const IN_USE = GTF_reading | GTF_writing;

/** A reserved entry, between two layouts. */
interface Reserved {
  readonly header: number;
  readonly inUse: number;
  readonly frame: number;
}

/** 0 or -errno. */
export function gnttabSetVersion(hv: Hypervisor, caller: Domain, op: GnttabSetVersion): number {
  const rc = setVersion(hv, caller, word32(op.version));
  op.version = caller.grantTable.version;
  return rc;
}

function setVersion(hv: Hypervisor, caller: Domain, version: number): number {
  const table = caller.grantTable;
  if (version !== 1 && version !== 2) return -ERRNO.EINVAL;
  if (version > hv.flavour.gnttabMaxVersion) return -ERRNO.ENOSYS;
  if (version === table.version) return 0;
  hv.flavour.locks.grantWriteLock(hv.trace);
  for (let ref = GNTTAB_NR_RESERVED_ENTRIES; ref < table.nrEntries; ref++) {
    if (table.pin[ref] !== 0) return -ERRNO.EBUSY;
  }
  if (version === 1 && table.nrV2Ops > 0 && hv.flavour.versionWaitsForCopies) return -ERRNO.EAGAIN;
  const reserved = saveReserved(hv, caller);
  if (reserved === null) return -ERRNO.ERANGE;
  if (version === 1) {
    if (table.statusFrames.some((frame) => hv.frames.count(frame) > 1)) return -ERRNO.EBUSY;
    table.unpopulateStatusFrames();
  } else {
    if (!hv.hasFreeFrames(grantToStatusFrames(table.nrFrames))) return -ERRNO.ENOMEM;
    table.populateStatusFrames();
  }
  for (const frame of table.sharedFrames) hv.mem.clearFrame(frame);
  table.version = version;
  reserved.forEach((entry, ref) => restore(hv, caller, ref, entry));
  return 0;
}

/** The entries 0 … 7; null if one cannot be told in version 1. */
function saveReserved(hv: Hypervisor, caller: Domain): Reserved[] | null {
  const table = caller.grantTable;
  const saved: Reserved[] = [];
  for (let ref = 0; ref < GNTTAB_NR_RESERVED_ENTRIES; ref++) {
    const entry = table.entry(ref);
    const header = readHeader(hv.mem, entry);
    if (table.version === 1) {
      const inUse = flagsOfHeader(header) & IN_USE;
      saved.push({ header: (header & ~IN_USE) >>> 0, inUse, frame: readFrame(hv.mem, entry) });
      continue;
    }
    const type = flagsOfHeader(header) & GTF_type_mask;
    const frame = readFrameV2(hv.mem, entry);
    if (type === GTF_transitive || type === GTF_permit_access && frame >= 2 ** 32) return null;
    saved.push({ header, inUse: hv.mem.read16(table.statusWord(ref)) & IN_USE, frame });
  }
  return saved;
}

function restore(hv: Hypervisor, caller: Domain, ref: number, { header, inUse, frame }: Reserved): void {
  const table = caller.grantTable;
  const entry = table.entry(ref);
  if (header === 0 && inUse === 0 && frame === 0) return;
  if (table.version === 1) {
    hv.mem.write32((entry + 4) as Maddr, frame);
    hv.mem.write32(entry, header | inUse);
    return;
  }
  hv.mem.write32((entry + 8) as Maddr, frame);
  hv.mem.write32((entry + 12) as Maddr, 0);
  hv.mem.write32(entry, header);
  hv.mem.write16(table.statusWord(ref), inUse);
}
