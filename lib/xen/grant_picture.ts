/**
 * One grant drawn from end to end: the granter and its entry, Xen's active entry, every handle, every page-table entry.
 * And the use of maptrack, list by list.
 *
 * @module
 */

import { outOfRange } from "../core/misuse.ts";
import { hex } from "../core/show.ts";
import { GNTMAP_device_map, GNTMAP_host_map, GNTMAP_readonly } from "./abi.ts";
import type { Domain } from "./domain.ts";
import { readGrantEntry } from "./grant_access.ts";
import { entryFlags, entryFrame } from "./host_map/guest_l1e.ts";
import type { Hypervisor } from "./hypervisor.ts";
import { LEAKED_PTE, type MaptrackPlan, queuedHandles } from "./maptrack.ts";
import { describePin } from "./pin.ts";

/**
 * Draws a grant.
 *
 * ```text
 * d1 guest  grant 8 (v1)          Xen: active entry            mappers
 * ┌ flags 0x19 domid 0            ┌ used by d0                 d0 handle 0: host, writable
 * └ frame 0x41                    └ frame 0x41, hstw 1           └ entry 0x5000 → 0x41
 * ```
 *
 * @throws {RangeError} if the table has no such reference
 */
export function drawGrant(hv: Hypervisor, granter: Domain, ref: number): string {
  const { grantTable: table } = granter;
  const entry = readGrantEntry(granter, ref);
  const left = [
    `d${granter.domid} ${granter.name}  grant ${ref} (v${table.version})`,
    `┌ flags ${hex(entry.flags)} domid ${entry.domid}${
      entry.status === undefined ? "" : ` status ${hex(entry.status)}`
    }`,
    `└ frame ${hex(entry.frame)}`,
  ];
  const pins = Object.entries(describePin(table.pin[ref]!)).filter(([, n]) => n > 0);
  const isUsed = pins.length > 0;
  const middle = [
    "Xen: active entry",
    isUsed ? `┌ used by d${table.domid[ref]}` : "┌ not in use",
    isUsed ? `└ frame ${hex(table.mfn[ref]!)}, ${pins.map(([kind, n]) => `${kind} ${n}`).join(", ")}` : "└",
  ];
  const right = ["mappers", ...mapperLines(hv, granter, ref)];
  const rows = Math.max(left.length, right.length);
  const widths = [left, middle].map((column) => Math.max(...column.map((text) => text.length)) + 4);
  return Array.from(
    { length: rows },
    (_, i) =>
      ((left[i] ?? "").padEnd(widths[0]!) + (middle[i] ?? "").padEnd(widths[1]!) + (right[i] ?? ""))
        .trimEnd(),
  ).join("\n");
}

function mapperLines(hv: Hypervisor, granter: Domain, ref: number): string[] {
  const lines: string[] = [];
  for (const mapper of hv.domains.values()) {
    const { maptrack } = mapper;
    for (let handle = 0; handle < maptrack.limit; handle++) {
      const flags = maptrack.flags(handle);
      if (flags === 0 || maptrack.domid(handle) !== granter.domid || maptrack.ref(handle) !== ref) continue;
      const kinds = [
        (flags & GNTMAP_host_map) !== 0 ? "host" : "",
        (flags & GNTMAP_device_map) !== 0 ? "device" : "",
        (flags & GNTMAP_readonly) !== 0 ? "read-only" : "writable",
      ].filter((word) => word !== "");
      lines.push(`d${mapper.domid} handle ${handle}: ${kinds.join(", ")}`);
      if ((flags & GNTMAP_host_map) !== 0) lines.push(`  └ ${whereOf(hv, mapper, maptrack.hostPte(handle))}`);
    }
  }
  return lines;
}

function whereOf(hv: Hypervisor, mapper: Domain, at: number): string {
  if (at === LEAKED_PTE) return "its entry is gone: leaked pin";
  if (mapper.p2m !== null) return `guest frame ${hex(at / 4096)} → ${hex(mapper.p2m.mfn(at / 4096))}`;
  return `entry ${hex(at)} → ${hex(entryFrame(hv, at))}, flags ${hex(entryFlags(hv, at))}`;
}

/** Use of maptrack. */
export interface MaptrackUse {
  /** Handles in use. */
  readonly live: number;
  /** Handles that exist. */
  readonly handles: number;
  /** Pages of 256 handles, and how many there may be. */
  readonly pages: number;
  readonly maxPages: number;
  /** Free handles by list, one for each vCPU or one for all. One of each list always stays as its tail. */
  readonly free: readonly number[];
  /** Maps that will still succeed from vCPU 0, whose list may steal from all others. */
  readonly room: number;
}

/** Use of a domain's maptrack. */
export function maptrackUse({ maptrack }: Domain): MaptrackUse {
  const free = Array.from({ length: maptrack.nrLists }, (_, list) => maptrack.freeList(list).length);
  const { perPage, keepsTail } = maptrack.plan;
  const inLists = free.reduce((sum, n) => sum + (keepsTail ? Math.max(n - 1, 0) : n), 0);
  const pagesLeft = maptrack.maxFrames - maptrack.nrFrames;
  // the first page of a list leaves one handle behind as tail
  const ownTail = keepsTail && free[0] === 0 && (pagesLeft > 0 || inLists > 0) ? 1 : 0;
  return {
    live: maptrack.live,
    handles: maptrack.limit,
    pages: maptrack.nrFrames,
    maxPages: maptrack.maxFrames,
    free,
    room: Math.max(inLists + pagesLeft * perPage - ownTail, 0),
  };
}

/** How large limits must be: what notebooks and operators ask for. */
export interface LimitsNeeded {
  /** `max_grant_frames` of the granter. */
  readonly grantFrames: number;
  /** `max_maptrack_frames` of the mapper. */
  readonly maptrackFrames: number;
}

/**
 * The smallest limits with which a granter publishes, and a mapper maps, so many grants at once.
 *
 * @param want `grants` published at once beside the reserved eight; `mapsPerGrant` handles each (PV gntdev takes 2);
 *   `vcpus` of the mapper, each of which keeps one handle as tail of its list; `version` of the entries; `maptrack`: the
 *   release's plan, default that of today
 * @throws {RangeError} if a number is negative or not whole
 */
export function limitsFor(want: {
  readonly grants: number;
  readonly mapsPerGrant?: number;
  readonly vcpus?: number;
  readonly version?: 1 | 2;
  readonly maptrack?: MaptrackPlan;
}): LimitsNeeded {
  const { grants, mapsPerGrant = 1, vcpus = 1, version = 1, maptrack = queuedHandles } = want;
  for (const n of [grants, mapsPerGrant, vcpus]) {
    if (!Number.isSafeInteger(n) || n < 0) {
      throw outOfRange("compute limits for", n, "it must be a whole number");
    }
  }
  const handles = grants * mapsPerGrant;
  return {
    grantFrames: Math.max(1, Math.ceil((grants + 8) / (version === 1 ? 512 : 256))),
    maptrackFrames: handles === 0
      ? 0
      : Math.ceil((handles + (maptrack.keepsTail ? vcpus : 0)) / maptrack.perPage),
  };
}
