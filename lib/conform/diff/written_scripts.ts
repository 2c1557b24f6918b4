/**
 * Scripts that no shared recording holds: what is said of releases in words, written down as calls.
 *
 * @module
 */

import type { Row } from "../format.ts";
import { grantScript, type Script } from "./script.ts";

const DOMAIN = { do: "create_domain", pages: 600, max_grant_frames: 8, grant_table_frames_present: 2 };
const DEVICE = { do: "open", path: "/dev/xen/gntdev", file: "gntdev0" };
const PAGES = 2;
const ENTRIES = Array.from({ length: PAGES }, (_, page) => ({ domid: "granter", grant: 0, page }));

/** What is looked at after a call, beside its answer. */
const STATE = { ret: 0, errno: "0", vmas: [], gt: "" };

const GRANT = {
  op: "grant",
  setup: [DOMAIN, DEVICE],
  grant: 0,
  entries: { first_ref: 16, count: PAGES, domid: 0, flags: 1 },
  view: true,
};
const MAP = { op: "MAP_GRANT_REF", dev: "gntdev0", count: PAGES, map: 0, entries: ENTRIES };
const MUNMAP = { op: "munmap", at: 0, pages: PAGES, ...STATE };

function mmap(prot: string): Row {
  return { op: "mmap", dev: "gntdev0", map: 0, at: 0, pages: PAGES, prot, flags: "shared", ...STATE };
}

/** The scripts. */
export function writtenScripts(): Script[] {
  return [
    written("fixed buffers of io_uring in a grant mapping", [
      GRANT,
      MAP,
      mmap("rw-"),
      { op: "io_uring_register_buffers", at: 0, len: 4096 * PAGES, ...STATE },
      MUNMAP,
      { op: "end", exit: 0, signal: 0, tainted: 0 },
    ]),
    written("a byte to clear behind a read-only mapping", [
      GRANT,
      MAP,
      {
        op: "SET_UNMAP_NOTIFY",
        dev: "gntdev0",
        map: 0,
        index_bytes_into_map: 3,
        action: 1,
        ret: 0,
        errno: "0",
      },
      mmap("r--"),
      { op: "end", exit: 0, signal: 0, tainted: 0 },
    ]),
  ];
}

function written(name: string, rows: readonly Row[]): Script {
  const where = `written ${name}`;
  return grantScript(
    where,
    rows.map((row, i) => ({ row: { machine: "xenpv", mode: "foreign", i, ...row }, where })),
  );
}
