/**
 * `GNTTABOP_transfer`: gives a frame of the caller's to another domain, for good. Only paravirtual domains can give.
 * Once the frame is taken from the caller there is no way back: every later failure frees it.
 *
 * Simplified: every receiver can address every frame, so `address_too_big` never happens.
 *
 * @cite xen 4.17 xen/common/grant_table.c gnttab_transfer
 * @module
 */

import { ERRNO } from "../../core/errno.ts";
import type { Maddr, Mfn } from "../../core/frames.ts";
import { EV } from "../../trace/events.ts";
import {
  GNTTABOP_transfer,
  type GnttabTransfer,
  GTF_accept_transfer,
  GTF_transfer_committed,
  GTF_transfer_completed,
} from "../abi.ts";
import type { Domain } from "../domain.ts";
import { gnttabFlushTlb } from "../flush.ts";
import {
  cmpxchgHeader,
  domidOfHeader,
  flagsOfHeader,
  readFrame,
  readFrameV2,
  readHeader,
} from "../grant_entry.ts";
import { word16, word32, word64 } from "../guest_word.ts";
import { guestPhysmapAddEntry } from "../host_map/translated.ts";
import type { Hypervisor } from "../hypervisor.ts";
import { INVALID_M2P_ENTRY } from "../m2p.ts";
import { p2m_ram_rw } from "../p2m.ts";
import { preemptPoint } from "../preemption.ts";
import {
  GNTST_bad_domain,
  GNTST_bad_page,
  GNTST_general_error,
  GNTST_okay,
  GNTST_permission_denied,
} from "../status.ts";

/** Attempts before a guest counts as misbehaving. */
const MAX_ATTEMPTS = 5;

/** Transfers a list; 0 or -errno. */
export function gnttabTransfer(
  hv: Hypervisor,
  caller: Domain,
  ops: readonly (GnttabTransfer | null)[],
): number {
  if (caller.external || !hv.flavour.gnttabTransfer) return -ERRNO.EOPNOTSUPP;
  for (let i = 0; i < ops.length; i++) {
    if (i > 0) preemptPoint(hv, caller, { cmd: GNTTABOP_transfer, done: i });
    const op = ops[i];
    if (op === null || typeof op !== "object") return -ERRNO.EFAULT;
    hv.trace.one(EV.gnttab_op);
    op.status = transferOne(hv, caller, op);
  }
  return 0;
}

function transferOne(hv: Hypervisor, caller: Domain, op: GnttabTransfer): number {
  const { frames } = hv;
  const mfn = word64(op.mfn);
  if (!frames.isValid(mfn)) return GNTST_bad_page;
  const stolen = stealPage(hv, caller, mfn);
  if (stolen !== GNTST_okay) return stolen;
  gnttabFlushTlb(hv.tlb, caller);
  const status = giveTo(hv, caller, mfn as Mfn, op);
  if (status !== GNTST_okay) frames.putAllocation(mfn);
  return status;
}

/** The frame must be the caller's, and nothing but its allocation may hold it. @cite xen 4.17 xen/arch/x86/mm.c steal_page */
function stealPage(hv: Hypervisor, caller: Domain, mfn: number): number {
  const { frames } = hv;
  if (frames.owner(mfn) !== caller.domid || !frames.isAllocated(mfn)) return GNTST_general_error;
  if (frames.isXenHeap(mfn)) return GNTST_general_error;
  if (frames.count(mfn) !== 1 || frames.typeCount(mfn) !== 0) return GNTST_bad_page;
  hv.m2p.set(mfn, INVALID_M2P_ENTRY);
  return GNTST_okay;
}

function giveTo(hv: Hypervisor, caller: Domain, mfn: Mfn, op: GnttabTransfer): number {
  const receiver = hv.domainById(word16(op.domid));
  if (receiver === undefined) return GNTST_bad_domain;
  if (!hv.flavour.xsm.grantTransfer(caller, receiver)) return GNTST_permission_denied;
  if (receiver.isDying || hv.frames.ownedBy(receiver.domid) >= receiver.maxPages) return GNTST_general_error;
  const ref = word32(op.ref);
  if (!prepareForTransfer(hv, receiver, caller, ref)) return GNTST_general_error;
  hv.frames.reassign(mfn, receiver.domid);
  complete(hv, receiver, ref, mfn);
  return GNTST_okay;
}

/** The entry must accept exactly this; then it is committed. @cite xen 4.17 xen/common/grant_table.c gnttab_prepare_for_transfer */
function prepareForTransfer(hv: Hypervisor, receiver: Domain, caller: Domain, ref: number): boolean {
  const table = receiver.grantTable;
  hv.flavour.locks.grantReadLock(hv.trace);
  if (ref >= table.nrEntries) return false;
  const entry = table.entry(ref);
  let header = readHeader(hv.mem, entry);
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    if (flagsOfHeader(header) !== GTF_accept_transfer || domidOfHeader(header) !== caller.domid) return false;
    if (table.race !== null) table.race(ref);
    const at = table.entryIndex(hv.mem, ref);
    const found = cmpxchgHeader(hv.mem, hv.trace, at, header, (header | GTF_transfer_committed) >>> 0);
    if (found === header) return true;
    header = found;
  }
  return false;
}

/** Tells the receiver: the frame first, then the flag. A translated one finds it at the frame number that it wrote. */
function complete(hv: Hypervisor, receiver: Domain, ref: number, mfn: Mfn): void {
  const table = receiver.grantTable;
  hv.flavour.locks.grantReadLock(hv.trace);
  hv.flavour.locks.activeEntryAcquire(hv.trace);
  const entry = table.entry(ref);
  if (receiver.external) {
    const gfn = table.version === 1 ? readFrame(hv.mem, entry) : readFrameV2(hv.mem, entry);
    if (guestPhysmapAddEntry(hv, receiver, gfn, mfn, p2m_ram_rw)) hv.m2p.set(mfn, gfn);
  } else if (table.version === 1) {
    hv.mem.write32((entry + 4) as Maddr, mfn);
  } else {
    hv.mem.write32((entry + 8) as Maddr, mfn);
    hv.mem.write32((entry + 12) as Maddr, Math.floor(mfn / 2 ** 32));
  }
  hv.mem.write16(entry, hv.mem.read16(entry) | GTF_transfer_completed);
}
