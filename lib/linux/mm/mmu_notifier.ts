/**
 * Interval notifiers: somebody who holds pages of a range hears of it before entries there change. They are not told
 * of splits.
 *
 * @cite linux 6.1 mm/mmu_notifier.c mmu_interval_notifier_insert
 * @module
 */

import { EV } from "../../trace/events.ts";
import { decidedRange } from "./last_call.ts";
import type { MmStruct } from "./mm_struct.ts";

/** Why a range changes. @cite linux 6.1 include/linux/mmu_notifier.h mmu_notifier_event */
export type MmuNotifierEvent =
  | "MMU_NOTIFY_UNMAP"
  | "MMU_NOTIFY_CLEAR"
  | "MMU_NOTIFY_PROTECTION_VMA"
  | "MMU_NOTIFY_PROTECTION_PAGE"
  | "MMU_NOTIFY_SOFT_DIRTY"
  | "MMU_NOTIFY_RELEASE"
  | "MMU_NOTIFY_MIGRATE"
  | "MMU_NOTIFY_EXCLUSIVE";

/** A registration over `[start, end)`, fixed for its life. */
export interface MmuIntervalNotifier {
  readonly start: number;
  readonly end: number;
  /** Called before entries of `[start, end)` (clipped by nobody) change. */
  invalidate(start: number, end: number, event: MmuNotifierEvent): void;
}

/** Registers. @cite linux 6.1 mm/mmu_notifier.c mmu_interval_notifier_insert */
export function mmuIntervalNotifierInsert(mm: MmStruct, notifier: MmuIntervalNotifier): void {
  mm.notifiers.push(notifier);
}

/** Ends a registration; silent if there is none. @cite linux 6.1 mm/mmu_notifier.c mmu_interval_notifier_remove */
export function mmuIntervalNotifierRemove(mm: MmStruct, notifier: MmuIntervalNotifier): void {
  const i = mm.notifiers.indexOf(notifier);
  if (i >= 0) mm.notifiers.splice(i, 1);
}

/** Tells everybody whose range overlaps. @cite linux 6.1 mm/mmu_notifier.c __mmu_notifier_invalidate_range_start */
export function invalidateRangeStart(
  mm: MmStruct,
  start: number,
  end: number,
  event: MmuNotifierEvent,
): void {
  for (const notifier of [...mm.notifiers]) {
    if (notifier.start >= end || notifier.end <= start) continue;
    mm.system.trace.add(EV.notifier_call);
    decidedRange(mm, "__mmu_notifier_invalidate_range_start", `tells a notifier ${event} for`, start, end);
    notifier.invalidate(start, end, event);
  }
}
