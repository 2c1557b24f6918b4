/**
 * Why can a frame not be freed? Who holds it, one sentence a holder: the allocation, page-table entries, base pointers,
 * pins, grant mappings, foreign mappings. The same accounting as `validateXen`, told to people.
 *
 * @module
 */

import { maddrOf, type Mfn } from "../core/frames.ts";
import { PTRS_PER_TABLE } from "../core/geometry.ts";
import { wholeNumber } from "../core/misuse.ts";
import { hex } from "../core/show.ts";
import { _PAGE_PRESENT, _PAGE_RW } from "../x86/pte.ts";
import { GNTMAP_device_map, GNTMAP_host_map, GNTMAP_readonly } from "./abi.ts";
import type { Domain } from "./domain.ts";
import { NO_OWNER, PAGE_TYPES, PGT_l1_page_table, PGT_l4_page_table } from "./frame_table.ts";
import { entryFlags, entryFrame } from "./host_map/guest_l1e.ts";
import type { Hypervisor } from "./hypervisor.ts";
import { LEAKED_PTE } from "./maptrack.ts";
import { isGuestSlot } from "./mmu/page_type.ts";
import { p2m_map_foreign } from "./p2m.ts";

/** Something that keeps a frame. */
export interface FrameHolder {
  readonly kind:
    | "allocation"
    | "pin"
    | "base"
    | "page-table entry"
    | "grant mapping"
    | "foreign mapping"
    | "leaked pin";
  /** Domid of the holder. */
  readonly domid: number;
  /** Does it hold a reference? A leaked pin does not: it keeps the grant, not the frame. */
  readonly holdsReference: boolean;
  /** A sentence, without full stop. */
  readonly what: string;
}

/** What is known of a frame. */
export interface FrameExplanation {
  readonly mfn: number;
  /** Domid, or `NO_OWNER`. */
  readonly owner: number;
  readonly count: number;
  readonly type: string;
  readonly typeCount: number;
  readonly holders: readonly FrameHolder[];
  /** Why it cannot be freed, or that it is free; one sentence, without full stop. */
  readonly verdict: string;
  toString(): string;
}

/**
 * Explains a frame.
 *
 * @throws {RangeError} if the machine has no such frame
 *
 * @example
 * ```ts
 * import { PhysMem } from "grantlab/x86";
 * import { Trace } from "grantlab/trace";
 * import * as xen from "grantlab/xen";
 * const cpus = [{ flushAll() {}, invlpg() {} }];
 * const hv = new xen.Hypervisor({ mem: new PhysMem(4096), trace: new Trace(), flavour: xen.xen4_17, cpus });
 * const guest = hv.createDomain({ frames: 8 });
 * const why = xen.explainFrame(hv, guest.mfnOf(0));
 * if (why.holders.length !== 1 || why.holders[0]?.kind !== "allocation") throw new Error(`${why}`);
 * ```
 */
export function explainFrame(hv: Hypervisor, mfn: number): FrameExplanation {
  wholeNumber("explain frame", mfn, 0, hv.frames.nrFrames - 1);
  const { frames } = hv;
  const holders: FrameHolder[] = [];
  const owner = frames.owner(mfn);
  const add = (kind: FrameHolder["kind"], domid: number, what: string): void => {
    holders.push({ kind, domid, holdsReference: kind !== "leaked pin", what });
  };
  if (frames.isAllocated(mfn)) {
    add(
      "allocation",
      owner,
      `it is allocated to ${nameOf(hv, owner)}${frames.isXenHeap(mfn) ? ", a page of Xen's own" : ""}`,
    );
  }
  if (frames.isPinned(mfn)) {
    add("pin", owner, `${nameOf(hv, owner)} has pinned it as ${PAGE_TYPES[frames.type(mfn)]}`);
  }
  for (const domain of hv.domains.values()) {
    basesOf(domain, mfn, add);
    mappingsOf(hv, domain, mfn, add);
    domain.p2m?.forEach((gfn, frame, type) => {
      if (type === p2m_map_foreign && frame === mfn) {
        add(
          "foreign mapping",
          domain.domid,
          `${domain.name} maps it as a foreign frame at guest frame ${hex(gfn)}`,
        );
      }
    });
  }
  entriesTo(hv, mfn, add);
  const count = frames.count(mfn);
  const verdict = verdictOf(hv, owner, holders);
  const head = `frame ${hex(mfn)}: ${owner === NO_OWNER ? "nobody's" : `of ${nameOf(hv, owner)}`}, ` +
    `${count} references, used as ${PAGE_TYPES[frames.type(mfn)]} ${frames.typeCount(mfn)} times`;
  return {
    mfn,
    owner,
    count,
    type: PAGE_TYPES[frames.type(mfn)]!,
    typeCount: frames.typeCount(mfn),
    holders,
    verdict,
    toString: () => [head, ...holders.map((holder) => `  - ${holder.what}`), `  → ${verdict}`].join("\n"),
  };
}

type Add = (kind: FrameHolder["kind"], domid: number, what: string) => void;

function nameOf(hv: Hypervisor, domid: number): string {
  const domain = hv.domainById(domid);
  return domain === undefined ? `domain ${domid}` : `${domain.name}${domain.isDying ? " (dying)" : ""}`;
}

function basesOf(domain: Domain, mfn: number, add: Add): void {
  for (const vcpu of domain.vcpus) {
    if (vcpu.kernelBase === mfn) {
      add("base", domain.domid, `vCPU ${vcpu.id} of ${domain.name} runs its kernel on it`);
    }
    if (vcpu.userBase === mfn) {
      add("base", domain.domid, `vCPU ${vcpu.id} of ${domain.name} runs user mode on it`);
    }
  }
}

function mappingsOf(hv: Hypervisor, mapper: Domain, mfn: number, add: Add): void {
  const { maptrack } = mapper;
  for (let handle = 0; handle < maptrack.limit; handle++) {
    const flags = maptrack.flags(handle);
    const granter = flags === 0 ? undefined : hv.domainById(maptrack.domid(handle));
    const ref = maptrack.ref(handle);
    if (granter === undefined || granter.grantTable.mfn[ref] !== mfn) continue;
    const how = (flags & GNTMAP_readonly) !== 0 ? "read-only" : "writable";
    const what = `handle ${handle} of ${mapper.name} maps it by grant ${ref} of ${granter.name}, ${how}`;
    if ((flags & GNTMAP_device_map) !== 0) add("grant mapping", mapper.domid, `${what}, for devices`);
    if ((flags & GNTMAP_host_map) === 0) continue;
    const at = maptrack.hostPte(handle);
    if (at === LEAKED_PTE) {
      add(
        "leaked pin",
        mapper.domid,
        `${what}, but its page-table entry is gone: grant ${ref} stays in use until ${mapper.name} dies`,
      );
    } else if (mapper.external) {
      add("grant mapping", mapper.domid, `${what}, at guest address ${hex(at)}`);
    }
  }
}

/** Entries of page tables in use that hold the frame, grants' among them. */
function entriesTo(hv: Hypervisor, mfn: number, add: Add): void {
  const { frames } = hv;
  for (let row = 0; row < frames.nrRows; row++) {
    const table = frames.mfnOfRow(row);
    const level = frames.type(table);
    if (level < PGT_l1_page_table || level > PGT_l4_page_table || !frames.isLockable(table)) continue;
    if (hv.mem.slotOf(table) < 0) continue;
    const owner = hv.domainById(frames.owner(table));
    for (let slot = 0; slot < PTRS_PER_TABLE; slot++) {
      const pte = maddrOf(table as Mfn, slot * 8);
      const flags = entryFlags(hv, pte);
      if ((flags & _PAGE_PRESENT) === 0 || !isGuestSlot(level, slot) || entryFrame(hv, pte) !== mfn) continue;
      const how = (flags & _PAGE_RW) !== 0 ? "writable" : "read-only";
      const handle = owner?.maptrack.findHostPte(pte) ?? -1;
      const by = handle < 0 || owner === undefined
        ? ""
        : `, by handle ${handle}: grant ${owner.maptrack.ref(handle)} of domain ${
          owner.maptrack.domid(handle)
        }`;
      add(
        handle < 0 ? "page-table entry" : "grant mapping",
        frames.owner(table),
        `entry ${slot} of ${nameOf(hv, frames.owner(table))}'s level-${level} table ${
          hex(table)
        } maps it ${how}${by}`,
      );
    }
  }
}

function verdictOf(hv: Hypervisor, owner: number, holders: readonly FrameHolder[]): string {
  if (owner === NO_OWNER) return "it is free";
  const others = holders.filter((holder) => holder.kind !== "allocation" && holder.holdsReference);
  const [first] = others;
  if (first === undefined) {
    const leak = holders.find((holder) => holder.kind === "leaked pin");
    return leak === undefined
      ? `nothing but its allocation holds it: ${nameOf(hv, owner)} may give it up`
      : "it may be given up, but the grant stays in use: a leaked pin";
  }
  const rest = others.length === 1 ? "" : ` and ${others.length - 1} more`;
  return `it cannot be freed: ${first.what}${rest}`;
}
