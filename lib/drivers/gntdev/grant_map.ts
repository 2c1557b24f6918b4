/**
 * The objects of gntdev: one `GntdevPriv` per open file, one `GrantMap` per map request.
 *
 * ```text
 * file ── priv ── maps, ordered by index:  [0,4) [4,6)   [9,12)
 *                   │
 *                   └ GrantMap: grants, pages[count] (ballooned), slots[count] (page or -1),
 *                     mapOps/unmapOps for the user's entries, kmapOps/kunmapOps for the kernel's
 * ```
 *
 * users = (on the file's list ? 1 : 0) + VMAs + unmaps in flight.
 *
 * @cite linux 6.1 drivers/xen/gntdev-common.h gntdev_grant_map
 * @module
 */

import { PAGE_SIZE } from "../../core/geometry.ts";
import { drawing } from "../../core/view.ts";
import { Shown, viewOf } from "../../core/shown.ts";
import type { View } from "../../core/view.ts";
import { hex } from "../../core/show.ts";
import type { MmuIntervalNotifier } from "../../linux/mm/mmu_notifier.ts";
import type { MmStruct } from "../../linux/mm/mm_struct.ts";
import type { Vma } from "../../linux/mm/vma.ts";
import type { UnmapItem } from "../../linux/xen/gnttab.ts";
import type { MapPages } from "../../linux/xen/foreign/scheme.ts";
import type { XenLinux } from "../../linux/xen/xen_linux.ts";
import type { GnttabMapGrantRef, GnttabUnmapGrantRef } from "../../xen/abi.ts";
import { NO_NOTIFY, type UnmapNotify } from "../unmap_notify.ts";
import type { GntdevMode } from "./mode.ts";

/** A grant as user space names it. */
export interface GrantId {
  readonly domid: number;
  readonly ref: number;
}

/** Handle of a slot that is not mapped. @cite linux 6.1 include/xen/grant_table.h INVALID_GRANT_HANDLE */
export const INVALID_GRANT_HANDLE = 0xffffffff;

/** One map request and all that hangs on it. VMAs carry it in their private data; schemes find its pages there. */
export class GrantMap extends Shown implements MapPages {
  /** Page offset of the map on its file. */
  index = 0;
  /** References; see the module comment. */
  users = 1;
  /** A map can be mapped once in its life. */
  inUse = false;
  /** GNTMAP_* of the first mmap; 0 until then. */
  flags = 0;
  /** Address of slot 0 since mmap. */
  start = 0;
  /** Handles that are live: two a page. */
  liveGrants = 0;
  /** pfn per slot while its grant is mapped, else -1. */
  readonly slots: Int32Array;
  /** 1 for slots that an unmap has begun on. */
  readonly beingRemoved: Uint8Array;
  mapOps: GnttabMapGrantRef[] = [];
  kmapOps: GnttabMapGrantRef[] = [];
  readonly unmapOps: GnttabUnmapGrantRef[];
  readonly kunmapOps: GnttabUnmapGrantRef[];
  /** What happens when grants go; `addr` counts from the start of the map. */
  notify: UnmapNotify = NO_NOTIFY;
  /** The one work item for unmaps that wait: a second run started meanwhile overwrites it. */
  unmapData: UnmapItem | null = null;
  /** The VMA of mmap, null before and after. */
  vma: Vma | null = null;
  notifier: { readonly mm: MmStruct; readonly registration: MmuIntervalNotifier } | null = null;

  /** @param pages ballooned pages, one per grant */
  constructor(
    readonly kernel: XenLinux,
    readonly mode: GntdevMode,
    readonly grants: readonly GrantId[],
    readonly pages: readonly number[],
  ) {
    super();
    const count = grants.length;
    this.slots = new Int32Array(count).fill(-1);
    this.beingRemoved = new Uint8Array(count);
    const unmapped = () => ({ host_addr: 0, dev_bus_addr: 0, handle: INVALID_GRANT_HANDLE, status: 0 });
    this.unmapOps = grants.map(unmapped);
    this.kunmapOps = grants.map(unmapped);
  }

  /** Number of grants. */
  get count(): number {
    return this.grants.length;
  }

  /** Bytes. */
  get length(): number {
    return this.grants.length * PAGE_SIZE;
  }

  override toString(): string {
    const mapped = this.slots.filter((page) => page >= 0).length;
    return `map at index ${this.index}: ${this.count} grants, ${mapped} mapped` +
      `${this.start > 0 ? ` at ${hex(this.start)}` : ""}, users ${this.users}`;
  }

  override [viewOf](): View {
    return { line: this.toString() };
  }
}

/** State of one open file. @cite linux 6.1 drivers/xen/gntdev-common.h gntdev_priv */
export class GntdevPriv extends Shown {
  /** Ordered by index. */
  readonly maps: GrantMap[] = [];

  constructor(readonly kernel: XenLinux, readonly mode: GntdevMode) {
    super();
  }

  /** Puts a map at the first place that fits: strictly smaller than the gap, so a gap of exactly its size is passed over. @cite linux 6.1 drivers/xen/gntdev.c gntdev_add_map */
  add(map: GrantMap): void {
    map.index = 0;
    let at = 0;
    for (; at < this.maps.length; at++) {
      const next = this.maps[at]!;
      if (map.index + map.count < next.index) break;
      map.index = next.index + next.count;
    }
    this.maps.splice(at, 0, map);
  }

  /** The map of exactly this index and size, or undefined. @cite linux 6.1 drivers/xen/gntdev.c gntdev_find_map_index */
  find(index: number, count: number): GrantMap | undefined {
    return this.maps.find((map) => map.index === index && map.count === count);
  }

  override [viewOf](): View {
    return { line: `gntdev file: ${this.maps.length} maps`, blocks: [drawing(this.maps.map(String))] };
  }
}
