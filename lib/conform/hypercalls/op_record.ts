/**
 * The operation structures of a recorded hypercall, as records of the model: fields by name, references by grant and
 * page, handles and addresses by the step that returned them.
 *
 * @module
 */

import {
  GNTTABOP_copy,
  GNTTABOP_map_grant_ref,
  GNTTABOP_query_size,
  GNTTABOP_unmap_grant_ref,
} from "../../xen/abi.ts";
import { domidOf, type HypercallHost, type OpRecord } from "./host.ts";

/** What `status` holds before the call. */
export const NOT_WRITTEN = 77;

/** A handle that no call returns: what a map that fails leaves in the program's structure. */
const NO_HANDLE = 0xffffffff;

/** An operation as recorded. */
export type OpSource = Readonly<Record<string, unknown>>;

/** The reference that an operation names, if it names one. */
export function refOfOp(host: HypercallHost, source: OpSource): number | undefined {
  if (typeof source.ref === "number") return source.ref;
  if (typeof source.grant === "number") return host.refOf(source.grant, Number(source.page ?? 0));
  const { handle } = source as { handle?: { returned_by_step?: number; element?: number } };
  if (typeof handle !== "object") return undefined;
  const ref = host.returned.get(handle.returned_by_step ?? -1)?.[handle.element ?? 0]?.ref;
  return typeof ref === "number" ? ref : undefined;
}

/** The record of an operation. */
export function recordOf(host: HypercallHost, cmd: number, source: OpSource): OpRecord {
  const status = Number(source.status_before ?? NOT_WRITTEN);
  switch (cmd) {
    case GNTTABOP_map_grant_ref:
      return {
        host_addr: Number(source.host_addr ?? 0),
        flags: Number(source.flags ?? 0),
        ref: refOfOp(host, source) ?? 0,
        dom: domidOf(host, source.domid),
        status,
        handle: NO_HANDLE,
        dev_bus_addr: 0,
      };
    case GNTTABOP_unmap_grant_ref:
      return {
        host_addr: returned(host, source.host_addr, "host_addr"),
        dev_bus_addr: returned(host, source.dev_bus_addr, "dev_bus_addr"),
        handle: returned(host, source.handle, "handle"),
        status,
        ref: refOfOp(host, source),
      };
    case GNTTABOP_copy:
      return {
        source: pointer(host, source.source as OpSource),
        dest: pointer(host, source.dest as OpSource),
        len: Number(source.len),
        flags: Number(source.flags),
        status,
      };
    case GNTTABOP_query_size:
      return { dom: domidOf(host, source.dom), nr_frames: 0, max_nr_frames: 0, status };
    default:
      return { ...source, status };
  }
}

function pointer(host: HypercallHost, side: OpSource): OpRecord {
  const common = { domid: domidOf(host, side.domid), offset: Number(side.offset ?? 0) };
  return side.gmfn === undefined
    ? { ...common, ref: refOfOp(host, side) ?? 0 }
    : { ...common, gmfn: Number(side.gmfn) };
}

/** A number, or what a field of an earlier step came back with. */
function returned(host: HypercallHost, value: unknown, field: string): number {
  if (typeof value === "number") return value;
  if (typeof value !== "object" || value === null) return 0;
  const from = value as { returned_by_step?: number; element?: number; plus?: number };
  const record = host.returned.get(from.returned_by_step ?? -1)?.[from.element ?? 0];
  return Number(record?.[field] ?? 0) + (from.plus ?? 0);
}
