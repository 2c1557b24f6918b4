/**
 * One address space.
 *
 * @cite linux 6.1 include/linux/mm_types.h mm_struct
 * @module
 */

import { Shown, viewOf } from "../../core/shown.ts";
import type { View } from "../../core/view.ts";
import { mmView } from "./views/mm_view.ts";
import type { Mfn } from "../../core/frames.ts";
import { EV } from "../../trace/events.ts";
import type { MmSystem } from "./mm_system.ts";
import type { CallRecord } from "./last_call.ts";
import type { MergeRecord } from "./merge.ts";
import type { MmuIntervalNotifier } from "./mmu_notifier.ts";
import { allocPgd } from "./pgtable.ts";
import type { SplitRecord } from "./split.ts";
import { VmaTree } from "./vma_tree.ts";

/** First address that is not user space with four levels. @cite linux 6.1 arch/x86/include/asm/page_64_types.h TASK_SIZE_MAX */
export const TASK_SIZE_MAX = 2 ** 47 - 4096;

/** `mm->mmap_base` without address randomisation: 128 MiB of gap below the top. @cite linux 6.1 arch/x86/mm/mmap.c mmap_base */
export const MMAP_BASE = TASK_SIZE_MAX - 2 ** 27;

/** Start of the heap: above a position-independent program of 48 KiB where none is moved at random. */
export const START_BRK = 0x5555_5556_0000;

/** VMAs a process may have. @cite linux 6.1 include/linux/mm.h DEFAULT_MAX_MAP_COUNT */
export const DEFAULT_MAX_MAP_COUNT = 65530;

/** An address space. */
export class MmStruct extends Shown {
  readonly vmas: VmaTree = new VmaTree();
  /** Page of the top table. */
  readonly pgd: number;
  /** Frame of the top table: what CR3 holds. */
  readonly pgdFrame: Mfn;
  /** Page-table pages below the top one. */
  nrTables = 0;
  /** CPUs that have this address space loaded and so may hold its translations. */
  readonly activeCpus: Set<number> = new Set();
  /** Interval notifiers, in the order of their registration. */
  readonly notifiers: MmuIntervalNotifier[] = [];
  /** Kernel-chosen addresses lie below this one. @cite linux 6.1 arch/x86/mm/mmap.c mmap_base */
  mmapBase: number = MMAP_BASE;
  /** RLIMIT_STACK in bytes: how far a VMA with VM_GROWSDOWN may grow. */
  stackLimit: number = 8 * 2 ** 20;
  /** Where the heap begins: behind the program, which the model has not. */
  startBrk: number = START_BRK;
  /** End of the heap, as `brk` left it. */
  brk: number = START_BRK;
  /** Flags of every new mapping: what `mlockall(MCL_FUTURE)` asks for. @cite linux 6.1 include/linux/mm_types.h mm_struct def_flags */
  defFlags = 0;
  /** Somebody has pinned pages here. @cite linux 6.1 include/linux/sched/coredump.h MMF_HAS_PINNED */
  hasPinned = false;
  /** Odd while a fork takes write access away. @cite linux 6.1 include/linux/mm_types.h mm_struct write_protect_seq */
  writeProtectSeq = 0;
  /** Protection keys in use, one bit each. @cite linux 6.1 arch/x86/include/asm/mmu.h pkey_allocation_map */
  pkeyAllocationMap = 1;
  /** The key of exec-only mappings, or -1 while none was needed. */
  executeOnlyPkey = -1;
  /** PKRU of the (only) thread. @cite linux 6.1 arch/x86/mm/pkeys.c init_pkru_value */
  pkru = 0x55555554;
  /** The last cut of a VMA, for explanations. */
  lastSplit: SplitRecord | null = null;
  /** The last attempt to join VMAs, for explanations. */
  lastMerge: MergeRecord | null = null;
  /** What the last call decided, for explanations. */
  lastCall: CallRecord | null = null;
  /** `vm.max_map_count` for this process. */
  maxMapCount: number = DEFAULT_MAX_MAP_COUNT;

  /**
   * @param pgd the page of the top table of a fork's child; without it a program starts here
   * @throws {RangeError} if there is no page left for the top table
   */
  constructor(readonly system: MmSystem, pgd: number | null = null) {
    super();
    this.pgd = pgd ?? allocPgd(system);
    if (this.pgd < 0) throw new RangeError("Cannot make an address space: no page is left for its top table");
    this.pgdFrame = system.frameOf(this.pgd);
    system.addressSpaces.add(this);
    if (pgd === null) system.pv.activateMm(this);
  }

  /** Takes mmap_lock; counted, since nobody contends in the model. */
  mmapLock(): void {
    this.system.trace.add(EV.mmap_lock);
  }

  /** Takes it for writing. */
  mmapWriteLock(): void {
    this.mmapLock();
    this.system.trace.add(EV.mmap_write_lock);
  }

  override [viewOf](): View {
    return mmView(this);
  }
}
