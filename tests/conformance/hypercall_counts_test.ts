/**
 * The hypercalls that Linux makes, by number and place, against those recorded: lazy mode, batching and flushes decide
 * them all. Rows with a timer interrupt inside (24, vcpu_op) are left out, as the recording advises; fork and exit
 * depend on a program that is not recorded, and calls through privcmd are the program's own.
 *
 * @cite recorded costs-layers.jsonl touch_write_anon
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { directIo } from "../../lib/drivers/direct_io.ts";
import { gntdevIoctlGrantCopy } from "../../lib/drivers/gntdev/grant_copy.ts";
import { gntdevIoctlMapGrantRef } from "../../lib/drivers/gntdev/map_grant_ref.ts";
import { gntdevIoctlUnmapGrantRef } from "../../lib/drivers/gntdev/unmap_grant_ref.ts";
import { type Grants, type World, world } from "../../lib/experiments/world.ts";
import type { Process } from "../../lib/experiments/process.ts";
import { MADV, madvise } from "../../lib/linux/mm/madvise.ts";
import { mprotect } from "../../lib/linux/mm/mprotect.ts";
import { mremap } from "../../lib/linux/mm/mremap.ts";
import { munmap } from "../../lib/linux/mm/munmap.ts";
import { memfdCreate } from "../../lib/linux/mm/shmem.ts";
import { GNTCOPY_dest_gref, GNTCOPY_source_gref } from "../../lib/xen/abi.ts";
import { callSites } from "../../lib/linux/xen/call_sites.ts";

const P = 0x1200_0000_0000;
const PAGE = 4096;
const GIB = 2 ** 30;
const ANON_FIXED = 0x32;
const SHARED_FIXED = 0x11;

interface Row {
  readonly machine: string;
  readonly mode: string;
  readonly tables: string;
  readonly bench: string;
  readonly n: number;
  readonly hypercalls: Readonly<Record<string, number>>;
}

/** A process of dom0, grants for it, and n. */
interface Stage {
  readonly w: World;
  readonly p: Process;
  readonly grants: Grants;
  readonly n: number;
}

/** What lies before the time stamps; answers what lies between. */
type Bench = (stage: Stage) => () => void;

const mapAnon = ({ p, n }: Stage, at = P) =>
  p.mmap({ address: at, length: n * PAGE, prot: 3, flags: ANON_FIXED });
const touch = ({ p, n }: Stage, kind: "r" | "w", at = P) => {
  for (let i = 0; i < n; i++) kind === "w" ? p.write(at + i * PAGE, 1) : p.read(at + i * PAGE);
};
const touched = (s: Stage) => {
  mapAnon(s);
  touch(s, "w");
};

function gntdevMap(s: Stage, prot: number): () => number {
  const { file, priv } = s.p.gntdev;
  const refs = s.grants.refs.slice(0, s.n).map((ref) => ({ domid: s.grants.domid, ref }));
  const offset = gntdevIoctlMapGrantRef(priv, refs);
  assert(offset.ok);
  return () => {
    const length = s.n * PAGE;
    assert(s.p.mmap({ address: P, length, prot, flags: SHARED_FIXED, file, offset: offset.value }).ok);
    return offset.value;
  };
}

const gntdevUnmap = (prot: number): Bench => (s) => {
  gntdevMap(s, prot)();
  return () => munmap(s.p.mm, P, s.n * PAGE);
};
const unmapIoctl: Bench = (s) => {
  const offset = gntdevMap(s, 3)();
  munmap(s.p.mm, P, s.n * PAGE);
  return () => gntdevIoctlUnmapGrantRef(s.p.gntdev.priv, offset, s.n);
};
const firstTouch = (prot: number): Bench => (s) => {
  gntdevMap(s, prot)();
  return () => touch(s, "r");
};

const grantCopy = (fromGrant: boolean, len: number): Bench => (s) => {
  touched(s);
  const segments = s.grants.refs.slice(0, s.n).map((ref, i) => {
    const grant = { domid: s.grants.domid, ref, offset: 0 };
    const local = { address: P + i * PAGE };
    const sides = fromGrant ? { source: grant, dest: local } : { source: local, dest: grant };
    return { ...sides, len, flags: fromGrant ? GNTCOPY_source_gref : GNTCOPY_dest_gref, status: 77 };
  });
  return () => gntdevIoctlGrantCopy(s.w.kernel, s.p.mm, segments);
};

const direct = (direction: "read" | "write", onGrant: boolean): Bench => (s) => {
  if (onGrant) gntdevMap(s, 3)();
  else touched(s);
  return () => directIo(s.p.mm, s.w.disk, { direction, address: P, length: s.n * PAGE, diskOffset: 0 });
};

const shmem = (kind: "r" | "w"): Bench => (s) => {
  const file = memfdCreate(s.w.kernel.system, "file", 256);
  const window = 0x1300_0000_0000;
  s.p.mmap({ address: window, length: 256 * PAGE, prot: 3, flags: SHARED_FIXED, file });
  for (let i = 0; i < 256; i++) s.p.write(window + i * PAGE, 1);
  munmap(s.p.mm, window, 256 * PAGE);
  s.p.mmap({ address: P, length: s.n * PAGE, prot: 3, flags: SHARED_FIXED, file });
  return () => touch(s, kind);
};

const BENCHES: Readonly<Record<string, Bench>> = {
  mmap_anon: (s) => () => mapAnon(s),
  munmap_anon_untouched(s) {
    mapAnon(s);
    return () => munmap(s.p.mm, P, s.n * PAGE);
  },
  touch_write_anon(s) {
    mapAnon(s);
    return () => touch(s, "w");
  },
  touch_read_anon(s) {
    mapAnon(s);
    return () => touch(s, "r");
  },
  munmap_anon_touched(s) {
    touched(s);
    return () => munmap(s.p.mm, P, s.n * PAGE);
  },
  mprotect_ro_touched(s) {
    touched(s);
    return () => mprotect(s.p.mm, P, s.n * PAGE, 1);
  },
  mprotect_ro_untouched(s) {
    mapAnon(s);
    return () => mprotect(s.p.mm, P, s.n * PAGE, 1);
  },
  mprotect_one_page_split(s) {
    mapAnon(s);
    return () => mprotect(s.p.mm, P + Math.floor(s.n / 2) * PAGE, PAGE, 1);
  },
  madvise_dontneed_touched(s) {
    touched(s);
    return () => madvise(s.p.mm, P, s.n * PAGE, MADV.DONTNEED);
  },
  mremap_move_touched(s) {
    touched(s);
    const length = s.n * PAGE;
    const move = { address: P, oldLength: length, newLength: length, flags: 3, newAddress: P + GIB };
    return () => mremap(s.p.mm, move);
  },
  touch_read_shmem: shmem("r"),
  touch_write_shmem: shmem("w"),
  gntdev_map_ioctl: (s) => () => gntdevMap(s, 3),
  gntdev_map_ioctl_ro: (s) => () => gntdevMap(s, 1),
  gntdev_mmap_rw: (s) => gntdevMap(s, 3),
  gntdev_mmap_ro: (s) => gntdevMap(s, 1),
  gntdev_first_touch: firstTouch(3),
  gntdev_first_touch_ro: firstTouch(1),
  gntdev_munmap_rw: gntdevUnmap(3),
  gntdev_munmap_ro: gntdevUnmap(1),
  gntdev_unmap_ioctl: unmapIoctl,
  gntdev_unmap_ioctl_ro: unmapIoctl,
  grant_copy_from_grant_64: grantCopy(true, 64),
  grant_copy_to_grant_64: grantCopy(false, 64),
  grant_copy_from_grant_4096: grantCopy(true, 4096),
  grant_copy_to_grant_4096: grantCopy(false, 4096),
  odirect_read_anon: direct("read", false),
  odirect_write_anon: direct("write", false),
  odirect_read_grant: direct("read", true),
  odirect_write_grant: direct("write", true),
};

const ROWS = await recorded();

async function recorded(): Promise<Row[]> {
  const packed = await Deno.readFile(new URL("../golden/costs-layers.jsonl.gz", import.meta.url));
  const text = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const rows = (await new Response(text).text()).trim().split("\n").map((line) => JSON.parse(line) as Row);
  return rows.filter(({ machine, hypercalls }) => machine === "xenpv" && hypercalls[24] === undefined);
}

/** A process as the benches ran in: `warm`, neighbours keep the tables of both places. */
function stage(tables: string, n: number): Stage {
  const w = world({ dom0Frames: 2048, ballooned: 512, guestFrames: 512 });
  const p = w.process("bench");
  for (const at of tables === "warm" ? [P, P + GIB] : []) {
    p.mmap({ address: at + 511 * PAGE, length: PAGE, prot: 3, flags: ANON_FIXED });
    p.write(at + 511 * PAGE, 1);
  }
  return { w, p, grants: w.guest.grant(256), n };
}

for (const [bench, prepare] of Object.entries(BENCHES)) {
  Deno.test(`${bench}: hypercalls by place as recorded`, () => {
    const rows = ROWS.filter((row) => row.bench === bench);
    assert(rows.length > 0, "no such row");
    for (const { tables, n, hypercalls } of rows) {
      const s = stage(tables, n);
      const run = prepare(s);
      const mark = s.w.trace.mark();
      run();
      const sites = callSites(s.w.trace.since(mark));
      const seen = Object.fromEntries(Object.entries(sites).filter(([, count]) => count > 0));
      assertEquals(seen, hypercalls, `${tables}, n = ${n}`);
    }
  });
}
