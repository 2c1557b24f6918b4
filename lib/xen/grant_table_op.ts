/**
 * The commands of the `grant_table_op` hypercall: which takes a list, which a single record, and what answers for the
 * call as a whole.
 *
 * @cite xen 4.17 xen/common/grant_table.c do_grant_table_op
 * @module
 */

import { ERRNO } from "../core/errno.ts";
import { EV } from "../trace/events.ts";
import {
  GNTTABOP_cache_flush,
  GNTTABOP_CMD_MASK,
  GNTTABOP_copy,
  GNTTABOP_get_status_frames,
  GNTTABOP_get_version,
  GNTTABOP_map_grant_ref,
  GNTTABOP_query_size,
  GNTTABOP_set_version,
  GNTTABOP_setup_table,
  GNTTABOP_swap_grant_ref,
  GNTTABOP_transfer,
  GNTTABOP_unmap_and_replace,
  GNTTABOP_unmap_grant_ref,
  type GrantTableOpRecords,
} from "./abi.ts";
import type { Domain } from "./domain.ts";
import { gnttabCopy } from "./gnttabop/copy.ts";
import { gnttabGetStatusFrames } from "./gnttabop/get_status_frames.ts";
import { gnttabGetVersion } from "./gnttabop/get_version.ts";
import { gnttabMapGrantRef } from "./gnttabop/map_grant_ref.ts";
import { gnttabQuerySize } from "./gnttabop/query_size.ts";
import { gnttabSetVersion } from "./gnttabop/set_version.ts";
import { gnttabSetupTable } from "./gnttabop/setup_table.ts";
import { gnttabSwapGrantRef } from "./gnttabop/swap_grant_ref.ts";
import { gnttabTransfer } from "./gnttabop/transfer.ts";
import { gnttabUnmapAndReplace } from "./gnttabop/unmap_and_replace.ts";
import { gnttabUnmapGrantRef } from "./gnttabop/unmap_grant_ref.ts";
import { word32 } from "./guest_word.ts";
import type { Hypervisor } from "./hypervisor.ts";

/** Runs a list of a command: 0 or -errno. */
type GrantTableCommand = (hv: Hypervisor, caller: Domain, ops: readonly unknown[]) => number;

/** Records of a command, as its implementation wants them; what is in them is checked there. */
function list<C extends keyof GrantTableOpRecords>(
  run: (hv: Hypervisor, caller: Domain, ops: readonly GrantTableOpRecords[C][]) => number,
): GrantTableCommand {
  return (hv, caller, ops) => run(hv, caller, ops as readonly GrantTableOpRecords[C][]);
}

/** A command that takes exactly one record. */
function single<C extends keyof GrantTableOpRecords>(
  run: (hv: Hypervisor, caller: Domain, op: GrantTableOpRecords[C]) => number,
): GrantTableCommand {
  return (hv, caller, ops) => {
    if (ops.length !== 1) return -ERRNO.EINVAL;
    const op = ops[0];
    if (op === null || typeof op !== "object") return -ERRNO.EFAULT;
    hv.trace.one(EV.gnttab_op);
    return run(hv, caller, op as GrantTableOpRecords[C]);
  };
}

/** What is missing here answers `-ENOSYS`: `dump_table` everywhere, `cache_flush` on x86. */
const COMMANDS: ReadonlyMap<number, GrantTableCommand> = new Map<number, GrantTableCommand>([
  [GNTTABOP_map_grant_ref, list<typeof GNTTABOP_map_grant_ref>(gnttabMapGrantRef)],
  [GNTTABOP_unmap_grant_ref, list<typeof GNTTABOP_unmap_grant_ref>(gnttabUnmapGrantRef)],
  [GNTTABOP_setup_table, single<typeof GNTTABOP_setup_table>(gnttabSetupTable)],
  [GNTTABOP_transfer, list<typeof GNTTABOP_transfer>(gnttabTransfer)],
  [GNTTABOP_copy, list<typeof GNTTABOP_copy>(gnttabCopy)],
  [GNTTABOP_query_size, single<typeof GNTTABOP_query_size>(gnttabQuerySize)],
  [GNTTABOP_unmap_and_replace, list<typeof GNTTABOP_unmap_and_replace>(gnttabUnmapAndReplace)],
  [GNTTABOP_set_version, single<typeof GNTTABOP_set_version>(gnttabSetVersion)],
  [GNTTABOP_get_status_frames, single<typeof GNTTABOP_get_status_frames>(gnttabGetStatusFrames)],
  [GNTTABOP_get_version, single<typeof GNTTABOP_get_version>(gnttabGetVersion)],
  [GNTTABOP_swap_grant_ref, list<typeof GNTTABOP_swap_grant_ref>(gnttabSwapGrantRef)],
]);

/** Runs the call; see `grantTableOp` in `hypercall.ts`. */
export function doGrantTableOp(
  hv: Hypervisor,
  caller: Domain,
  cmd: number,
  ops: readonly unknown[] | null,
): number {
  const word = word32(cmd);
  const name = word & GNTTABOP_CMD_MASK;
  if (name !== GNTTABOP_cache_flush && word !== name) return -ERRNO.EINVAL;
  const command = COMMANDS.get(name);
  if (command === undefined) return -ERRNO.ENOSYS;
  return ops === null ? -ERRNO.EFAULT : command(hv, caller, ops);
}
