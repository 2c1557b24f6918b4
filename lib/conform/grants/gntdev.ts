/**
 * Steps that are ioctls of gntdev, and the end of its file.
 *
 * @module
 */

import { PAGE_SIZE } from "../../core/geometry.ts";
import { gntdevIoctlGetOffsetForVaddr } from "../../drivers/gntdev/get_offset_for_vaddr.ts";
import {
  type CopySide,
  gntdevIoctlGrantCopy,
  type GrantCopySegment,
} from "../../drivers/gntdev/grant_copy.ts";
import type { GrantId } from "../../drivers/gntdev/grant_map.ts";
import { gntdevIoctlMapGrantRef } from "../../drivers/gntdev/map_grant_ref.ts";
import type { GntdevFile } from "../../drivers/gntdev/open.ts";
import { gntdevIoctlNotify } from "../../drivers/gntdev/set_unmap_notify.ts";
import { gntdevIoctlUnmapGrantRef } from "../../drivers/gntdev/unmap_grant_ref.ts";
import { userAccess } from "../../linux/mm/user_access.ts";
import { BadInput, type Row } from "../format.ts";
import type { GrantWorld } from "../grant_world.ts";
import type { GrantOperation } from "./memory.ts";
import { closeFile } from "./processes.ts";
import { numberOf, outcomeOf, type Step, WINDOW } from "./step.ts";

const ENOTTY = { ret: null, errno: "ENOTTY" };
/** What a status holds before anybody writes it. */
const NOT_WRITTEN = 77;
const EFAULT = { ret: null, errno: "EFAULT" };

export const GNTDEV_OPERATIONS: Readonly<Record<string, GrantOperation>> = {
  MAP_GRANT_REF(world, step) {
    if (step.get("argp") !== undefined) return EFAULT;
    const dev = step.text("dev");
    const result = gntdevIoctlMapGrantRef(gntdevOf(world, step).priv, entriesOf(world, step));
    const index = result.ok ? result.value : 0;
    world.maps.set(step.number("map"), { dev, index });
    return { ...outcomeOf(result), index_pages: index / PAGE_SIZE };
  },
  UNMAP_GRANT_REF(world, step) {
    const index = step.get("index_bytes") !== undefined
      ? step.number("index_bytes")
      : world.map(step.number("map"), step.where).index + step.number("map_offset_pages", 0) * PAGE_SIZE;
    return outcomeOf(gntdevIoctlUnmapGrantRef(gntdevOf(world, step).priv, index, step.number("count")));
  },
  GET_OFFSET_FOR_VADDR(world, step, { mm }) {
    gntdevOf(world, step);
    const result = gntdevIoctlGetOffsetForVaddr(mm, step.address());
    const found = result.ok
      ? { offset_pages: result.value.offset / PAGE_SIZE, count: result.value.count }
      : {};
    return { ...outcomeOf(result), ...found };
  },
  SET_UNMAP_NOTIFY(world, step) {
    const port = step.get("event_channel_port");
    return outcomeOf(gntdevIoctlNotify(gntdevOf(world, step).priv, {
      index: world.map(step.number("map"), step.where).index + step.number("index_bytes_into_map"),
      action: step.number("action"),
      eventChannelPort: typeof port === "string" ? world.ports.get(port) ?? 0 : Number(port ?? 0),
    }));
  },
  GRANT_COPY(world, step, { mm }) {
    gntdevOf(world, step);
    if (step.get("argp") !== undefined) return EFAULT;
    const segments = step.rows("segments").flatMap((row) =>
      Array.from({ length: numberOf(row, "repeat", step.where, 1) }, (): GrantCopySegment => ({
        source: sideOf(world, row.source as Row, step),
        dest: sideOf(world, row.dest as Row, step),
        len: numberOf(row, "len", step.where),
        flags: numberOf(row, "flags", step.where),
        status: numberOf(row, "status_before", step.where, NOT_WRITTEN),
      }))
    );
    const result = gntdevIoctlGrantCopy(world.kernel, mm, segments);
    const status = segments.map((segment) => segment.status);
    return { ...outcomeOf(result), status: Array.isArray(step.row.status) ? status : status[0] };
  },
  local_bytes(world, step, { mm }) {
    const offsets = step.get("byte_offsets");
    const start = step.get("at") === undefined ? world.localBuffer : step.address();
    const bytes = (Array.isArray(offsets) ? offsets : [0]).map((offset) => {
      const result = userAccess(mm, 0, start + Number(offset), "r");
      return result.ok ? result.value : `${result.signal}/${result.code}`;
    });
    return { b: Array.isArray(step.row.b) ? bytes : bytes[0] };
  },
  // The driver knows no such requests (any more), or was built without them.
  SET_MAX_GRANTS: () => ENOTTY,
  unknown_ioctl: () => ENOTTY,
  DMABUF_EXP_FROM_REFS: () => ENOTTY,
  close_gntdev(world, step, process) {
    closeFile(world, process, step.text("file"), step.where);
    return { ret: 0, errno: "0" };
  },
};

/** A side of a segment: `kind` `local` or `grant`; the latter also with a literal reference. */
function sideOf(world: GrantWorld, side: Row, step: Step): CopySide {
  if (typeof side.address === "number") return { address: side.address };
  if (side.kind !== "grant") {
    const start = side.at === undefined ? world.localBuffer : WINDOW + Number(side.at) * PAGE_SIZE;
    return { address: start + numberOf(side, "byte", step.where, 0) };
  }
  return { ...grantIdOf(world, side, step.where), offset: numberOf(side, "offset", step.where, 0) };
}

/** The gntdev file that the step names. */
export function gntdevOf(world: GrantWorld, step: Step): GntdevFile {
  const name = step.text("dev");
  const { gntdev } = world.file(name, step.where);
  if (gntdev === undefined) throw new BadInput(step.where, `the file "${name}" is not one of gntdev`);
  return gntdev;
}

/** `entries` of a scripted case, or `refs` of a random one: pages of grant 0. */
function entriesOf(world: GrantWorld, step: Step): GrantId[] {
  const refs = step.get("refs");
  if (Array.isArray(refs)) {
    return refs.map((page) => grantIdOf(world, { domid: "granter", grant: 0, page }, step.where));
  }
  return step.rows("entries").flatMap((entry) => {
    const id = grantIdOf(world, entry, step.where);
    return Array.from({ length: numberOf(entry, "repeat", step.where, 1) }, () => id);
  });
}

/** `{domid, grant, page}` or `{domid, ref}`. @throws {BadInput} if it is neither */
export function grantIdOf(world: GrantWorld, entry: Row, where: string): GrantId {
  return { domid: domidOf(world, entry.domid, where), ref: refOf(world, entry, where) };
}

/** @throws {BadInput} if there is no such reference */
export function refOf(world: GrantWorld, entry: Row, where: string): number {
  if (entry.grant === undefined) return numberOf(entry, "ref", where);
  const { refs } = world.grant(numberOf(entry, "grant", where), where);
  const ref = refs[numberOf(entry, "page", where)];
  if (ref === undefined) throw new BadInput(where, `grant ${entry.grant} has no page ${entry.page}`);
  return ref;
}

/** A number, or `granter` (also spelt `granting domain`). @throws {BadInput} for anything else */
export function domidOf(world: GrantWorld, domid: unknown, where: string): number {
  if (typeof domid === "number") return domid;
  if (domid === undefined || /^grant(er|ing domain)$/.test(String(domid))) return world.granter.domid;
  throw new BadInput(where, `the domain "${domid}" is neither a number nor the granter`);
}
