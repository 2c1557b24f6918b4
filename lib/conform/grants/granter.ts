/**
 * Steps of the granter: publishing, taking back, and looking at its own pages.
 *
 * @module
 */

import { maddrOf } from "../../core/frames.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { gntallocIoctlAlloc } from "../../drivers/gntalloc/alloc_gref.ts";
import { gntallocIoctlDealloc } from "../../drivers/gntalloc/dealloc_gref.ts";
import { gntallocIoctlUnmapNotify } from "../../drivers/gntalloc/set_unmap_notify.ts";
import type { GntallocPriv } from "../../drivers/gntalloc/grefs.ts";
import { privcmdMmapBatch, privcmdOpen } from "../../drivers/privcmd/mmap_batch.ts";
import { fput } from "../../linux/mm/file.ts";
import { mmap } from "../../linux/mm/mmap.ts";
import { MAP_FIXED, MAP_SHARED, PROT_READ, PROT_WRITE } from "../../linux/mm/prot.ts";
import { userAccess } from "../../linux/mm/user_access.ts";
import { grantAccess, readGrantEntry } from "../../xen/grant_access.ts";
import { BadInput, type Row } from "../format.ts";
import type { CaseGrant, GrantWorld } from "../grant_world.ts";
import { domidOf } from "./gntdev.ts";
import { type GrantOperation, mapFlags } from "./memory.ts";
import type { CaseProcess } from "./processes.ts";
import { numberOf, outcomeOf, type Step } from "./step.ts";

/** Where the granter's own mappings are, one after the other. */
const VIEWS = 0x1200_0000_0000;
const VIEW_SPACING = 2 ** 24;
const GTF_readonly = 4;
/** "granting domain frame number = ref mod 600". */
const GRANTER_PAGES = 600;

export const GRANTER_OPERATIONS: Readonly<Record<string, GrantOperation>> = {
  grant(world, step, process) {
    const made = step.get("entries") === undefined ? grantSelf(world, step) : grantForeign(world, step);
    world.grants.set(step.number("grant"), made);
    made.frames.forEach((frame, page) => world.hv.mem.fillFrame(frame, 0x10 + page % 64));
    if (step.get("view") !== undefined) mapView(world, step, process, made);
    return { view: made.view !== 0 };
  },
  revoke(world, step) {
    const { refs } = world.grant(step.number("grant"), step.where);
    const before = refs.map((ref) => readGrantEntry(world.granter, ref).flags);
    for (const ref of refs) setFlags(world, ref, 0);
    return { before: before.slice(0, step.number("n", before.length)) };
  },
  gntalloc_alloc(world, step) {
    const priv = gntallocOf(world, step);
    const count = step.number("count");
    const result = gntallocIoctlAlloc(priv, {
      domid: domidOf(world, step.get("domid"), step.where),
      flags: step.number("flags"),
      count,
    });
    if (!result.ok) return outcomeOf(result);
    const { index } = result.value;
    const name = step.get("as");
    if (typeof name === "string") world.allocations.set(name, { index, count });
    const outcome = { ...outcomeOf(result), index_pages: index / PAGE_SIZE };
    const then = step.get("then_if_ok") as Row | undefined;
    if (then === undefined) return outcome;
    const freed = gntallocIoctlDealloc(priv, index, numberOf(then.dealloc as Row, "count", step.where));
    return { ...outcome, dealloc: freed.ok ? 0 : -1, dealloc_errno: freed.ok ? "0" : freed.errno };
  },
  gntalloc_dealloc(world, step) {
    const literal = step.get("index_bytes");
    const number = step.get("grant");
    const index = typeof literal === "number"
      ? literal
      : typeof number === "number"
      ? world.grant(number, step.where).index ?? 0
      : allocationOf(world, step).index;
    return outcomeOf(gntallocIoctlDealloc(gntallocOf(world, step), index, step.number("count")));
  },
  gntalloc_mmap(world, step, { mm }) {
    return outcomeOf(mmap(mm, {
      address: step.address(),
      length: step.length(),
      prot: step.prot(),
      flags: mapFlags(step),
      file: world.file(step.text("file"), step.where).file,
      offset: allocationOf(world, step).index + step.number("allocation_offset_pages", 0) * PAGE_SIZE,
    }));
  },
  gntalloc_bogus_ioctl: () => ({ ret: null, errno: "ENOTTY" }),
  gntalloc_set_unmap_notify(world, step) {
    return outcomeOf(gntallocIoctlUnmapNotify(gntallocOf(world, step), {
      index: step.number("index_bytes"),
      action: step.number("action"),
      eventChannelPort: step.number("event_channel_port", 0),
    }));
  },
  granter_view(world, step) {
    const pages = step.number("pages");
    const byte = step.number("byte_in_page", 0);
    return { bytes: Array.from({ length: pages }, (_, page) => readGranted(world, step, page, byte)) };
  },
  granter_byte: (world, step) => ({
    val: readGranted(world, step, step.number("page"), step.number("byte_in_page")),
  }),
};

/** Entries that dom0 writes into the table of a domain that never runs. */
function grantForeign(world: GrantWorld, step: Step): CaseGrant {
  const entries = step.get("entries") as Row;
  const made: CaseGrant = { refs: [], frames: [], view: 0 };
  addEntries(world, made, entries, step.where);
  return made;
}

/** Adds `count` entries from `first_ref` on to a grant. */
export function addEntries(world: GrantWorld, grant: CaseGrant, entries: Row, where: string): void {
  const first = numberOf(entries, "first_ref", where);
  const domid = numberOf(entries, "domid", where, 0);
  const flags = numberOf(entries, "flags", where);
  for (let i = 0; i < numberOf(entries, "count", where); i++) {
    const ref = first + i;
    const frame = world.granter.mfnOf(ref % GRANTER_PAGES);
    grantAccess(world.granter, ref, { domid, frame, readonly: (flags & GTF_readonly) !== 0 });
    setFlags(world, ref, flags);
    grant.refs.push(ref);
    grant.frames.push(frame);
  }
}

/** Pages of dom0 granted to dom0. */
function grantSelf(world: GrantWorld, step: Step): CaseGrant {
  const wish = step.get("alloc_gref") as Row;
  const file = String(wish.file);
  const { gntalloc } = world.file(file, step.where);
  if (gntalloc === undefined) throw new BadInput(step.where, `the file "${file}" is not one of gntalloc`);
  const result = gntallocIoctlAlloc(gntalloc.priv, {
    domid: numberOf(wish, "domid", step.where),
    flags: numberOf(wish, "flags", step.where),
    count: numberOf(wish, "count", step.where),
  });
  if (!result.ok) throw new BadInput(step.where, `granting fails with ${result.errno}`);
  const { refs, index } = result.value;
  const frames = refs.map((ref) => readGrantEntry(world.dom0, ref).frame as CaseGrant["frames"][number]);
  return { refs: [...refs], frames, view: 0, file, index };
}

/** The granter's own mapping: of the gntalloc file, or of the domain's frames by number. */
function mapView(world: GrantWorld, step: Step, process: CaseProcess, grant: CaseGrant): void {
  const address = VIEWS + step.number("grant") * VIEW_SPACING;
  const { mm } = process;
  const isSelf = grant.file !== undefined;
  const file = isSelf ? world.file(grant.file!, step.where).file : privcmdOpen(world.kernel);
  const mapped = mmap(mm, {
    address,
    length: grant.refs.length * PAGE_SIZE,
    prot: PROT_READ | PROT_WRITE,
    flags: MAP_SHARED | MAP_FIXED,
    file,
    offset: grant.index ?? 0,
  });
  if (!isSelf) fput(file); // the mapping keeps it
  if (!mapped.ok) return;
  if (!isSelf) {
    const { domid } = world.granter;
    const done = privcmdMmapBatch(world.kernel, mm, { address, domid, frames: grant.frames });
    if (!done.ok || done.value.some((rc) => rc !== 0)) return;
  }
  grant.view = address;
}

function readGranted(world: GrantWorld, step: Step, page: number, byte: number): number | string {
  const grant = world.grant(step.number("grant"), step.where);
  const parent = world.processes.get("parent");
  if (grant.view !== 0 && parent !== undefined) {
    const result = userAccess(parent.mm, 0, grant.view + page * PAGE_SIZE + byte, "r");
    return result.ok ? result.value : `${result.signal}/${result.code}`;
  }
  return world.hv.mem.read8(maddrOf(grant.frames[page]!, byte));
}

/** Overwrites the flags of an entry, as a granter that does not look. */
export function setFlags(world: GrantWorld, ref: number, flags: number): void {
  world.hv.mem.write16(world.granter.grantTable.entry(ref), flags);
}

/** The gntalloc file that the step names. */
export function gntallocOf(world: GrantWorld, step: Step): GntallocPriv {
  const name = step.text("file");
  const { gntalloc } = world.file(name, step.where);
  if (gntalloc === undefined) throw new BadInput(step.where, `the file "${name}" is not one of gntalloc`);
  return gntalloc.priv;
}

function allocationOf(world: GrantWorld, step: Step): { readonly index: number; readonly count: number } {
  const name = step.text("allocation");
  const found = world.allocations.get(name);
  if (found === undefined) throw new BadInput(step.where, `there is no allocation "${name}" so far`);
  return found;
}
