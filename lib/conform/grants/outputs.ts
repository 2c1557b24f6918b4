/**
 * Which fields of a row are outputs, by operation, and how they are compared.
 *
 * @module
 */

import type { Row } from "../format.ts";
import type { Outcome, Step } from "./step.ts";

/** Fields that any row may have. */
const COMMON: readonly string[] = ["ret", "errno", "vmas", "gt"];

/** Further outputs by operation; an operation that is not listed has no model. */
export const OUTPUTS: Readonly<Record<string, readonly string[]>> = {
  grant: ["view"],
  revoke: ["before"],
  gntalloc_alloc: ["index_pages", "dealloc", "dealloc_errno"],
  gntalloc_dealloc: [],
  gntalloc_bogus_ioctl: [],
  gntalloc_mmap: [],
  gntalloc_set_unmap_notify: [],
  MAP_GRANT_REF: ["index_pages"],
  mmap: [],
  UNMAP_GRANT_REF: [],
  GET_OFFSET_FOR_VADDR: ["offset_pages", "count"],
  SET_UNMAP_NOTIFY: [],
  SET_MAX_GRANTS: [],
  GRANT_COPY: ["status"],
  unknown_ioctl: [],
  local_bytes: ["b"],
  DMABUF_EXP_FROM_REFS: [],
  munmap: [],
  mprotect: [],
  mremap: [],
  madvise: [],
  mlock: [],
  munlock: [],
  msync: [],
  mlockall: [],
  munlockall: [],
  mincore: ["vec"],
  mmap_anon_fixed: [],
  touch: ["res"],
  granter_view: ["bytes"],
  granter_byte: ["val"],
  odirect_read: [],
  odirect_write: [],
  disk_byte: ["val"],
  read_blockdev: [],
  write_tmpfs: [],
  read_tmpfs: [],
  write_pipe: [],
  read_pipe: [],
  send_unix: [],
  recv_unix: [],
  vmsplice: [],
  pipe_data: ["n", "b0"],
  process_vm_readv: ["b0"],
  process_vm_writev: [],
  proc_mem_read: ["b0"],
  proc_mem_write: [],
  ptrace_peek: ["low_byte"],
  ptrace_poke: [],
  futex_wake: [],
  futex_wait_mismatch: [],
  futex_wait_wake: ["waiter"],
  io_uring_register_buffers: [],
  userfaultfd: [],
  move_pages: ["status"],
  mbind: [],
  evtchn: ["bound"],
  evtchn_read: ["before_unmap", "port_matches"],
  close_gntdev: [],
  wait: ["exit", "signal"],
  note: [],
  xen_debug_key: [],
  end: ["exit", "signal", "tainted"],
};

/** Kernel messages that nobody was left to read: not compared. */
export const UNSEEN = "unseen";

/** What is compared of a step: as recorded, and as the model has it. */
export function comparable(step: Step, outputs: readonly string[], got: Outcome): [Outcome, Outcome] {
  const { row } = step;
  const rules = typeof row.compare === "object" && row.compare !== null ? row.compare as Row : {};
  const expected: Record<string, unknown> = {};
  const actual: Record<string, unknown> = {};
  for (const name of [...COMMON, ...outputs]) {
    if (!Object.hasOwn(row, name) || isIgnored(rules[name])) continue;
    expected[name] = row[name];
    actual[name] = meetsBound(rules[name], row[name], got[name]) ? row[name] : got[name] ?? null;
  }
  expected.kmsg_kinds = row.kmsg_kinds ?? [];
  actual.kmsg_kinds = got.kmsg_kinds === UNSEEN ? expected.kmsg_kinds : got.kmsg_kinds;
  return [expected, actual];
}

function isIgnored(rule: unknown): boolean {
  return rule === "ignore" || rule === "xen-grant-dump" || rule === "machine-lost";
}

/** `>=0`, `>=1`: any such number instead of any such number. */
function meetsBound(rule: unknown, recorded: unknown, got: unknown): boolean {
  const match = /^>=(\d+)$/.exec(String(rule));
  if (match === null) return false;
  const least = Number(match[1]);
  return typeof recorded === "number" && typeof got === "number" && got >= least;
}
