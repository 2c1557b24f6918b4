import { assert, assertEquals } from "@std/assert";
import { maddrOf } from "../../../lib/core/frames.ts";
import { Trace } from "../../../lib/trace/trace.ts";
import { PhysMem } from "../../../lib/x86/phys_mem.ts";
import { _PAGE_PRESENT, _PAGE_RW, entryHi, entryLo } from "../../../lib/x86/pte.ts";
import * as xen from "../../../lib/xen/mod.ts";

const MIB = 2 ** 20;
const BATCH = 32;
const HOST_MAP = xen.GNTMAP_host_map | xen.GNTMAP_application_map | xen.GNTMAP_contains_pte;

/** A machine whose frames lie beyond 8 GiB, so that no machine address fits 31 bits. */
function highMachine(nrGrants: number): { hv: xen.Hypervisor; dom0: xen.Domain; guest: xen.Domain } {
  const hv = new xen.Hypervisor({
    mem: new PhysMem(2 ** 23),
    trace: new Trace(),
    flavour: xen.xen4_17,
    cpus: [{ flushAll() {}, invlpg() {} }],
  });
  const first = 2 ** 22;
  const dom0 = hv.createDomain({
    frames: { first, count: 64 },
    privileged: true,
    maxMaptrackFrames: Math.ceil(nrGrants / xen.MAPTRACK_PER_PAGE) + 1,
  });
  const guest = hv.createDomain({
    frames: { first: first + 64, count: nrGrants },
    maxGrantFrames: Math.ceil((nrGrants + 8) / 512),
  });
  xen.grantTableOp(hv, guest, xen.GNTTABOP_setup_table, [
    { dom: xen.DOMID_SELF, nr_frames: guest.grantTable.maxFrames, frame_list: [], status: 1 },
  ]);
  return { hv, dom0, guest };
}

/** Gives dom0 four levels of tables; answers the machine address of its first level-1 entry. */
function levelOne({ hv, dom0 }: { hv: xen.Hypervisor; dom0: xen.Domain }): number {
  const tables = [1, 2, 3, 4].map((pfn) => dom0.mfnOf(pfn));
  for (let level = 0; level < 3; level++) {
    const frame = tables[level + 1]!;
    hv.mem.write32(maddrOf(tables[level]!, 0), entryLo(frame, _PAGE_PRESENT | _PAGE_RW));
    hv.mem.write32(maddrOf(tables[level]!, 4), entryHi(frame, _PAGE_PRESENT | _PAGE_RW));
  }
  assertEquals(xen.mmuextOp(hv, dom0, [{ cmd: xen.MMUEXT_NEW_BASEPTR, mfn: tables[0]! }]).rc, 0);
  return maddrOf(tables[3]!, 0);
}

Deno.test("mapBatch() and unmapBatch() allocate nothing, wherever the frames lie", () => {
  const w = highMachine(448);
  const pte = levelOne(w);
  for (let i = 0; i < 448; i++) xen.grantAccess(w.guest, 8 + i, { domid: 0, frame: w.guest.mfnOf(i) });
  const batch = new xen.GrantBatch(BATCH);
  let okay = 0;
  const pairs = (count: number) => {
    for (let done = 0; done < count; done += BATCH) {
      for (let i = 0; i < BATCH; i++) {
        batch.hostAddr[i] = pte + i * 8;
        batch.devBusAddr[i] = 0;
        batch.flags[i] = HOST_MAP;
        batch.ref[i] = 8 + (done + i) % 448;
        batch.dom[i] = w.guest.domid;
      }
      okay += xen.mapBatch(w.hv, w.dom0, batch);
      batch.devBusAddr.fill(0);
      okay += xen.unmapBatch(w.hv, w.dom0, batch);
    }
  };
  pairs(320_000);
  const perPair = () => {
    const before = Deno.memoryUsage().heapUsed;
    pairs(32_000);
    return (Deno.memoryUsage().heapUsed - before) / 32_000;
  };
  // One number that does not fit a small integer takes 16 bytes; a batch may enter and leave at some cost. Compilers run
  // beside the test, so it may take some windows until nothing is made any more; a collection makes a window negative.
  const grown: number[] = [];
  const quiet = () => grown.filter((bytes) => bytes >= 0 && bytes < 4).length;
  while (quiet() < 5 && grown.length < 60) grown.push(perPair());
  assertEquals(okay, 2 * (320_000 + grown.length * 32_000));
  assert(quiet() === 5, `bytes a pair: ${grown.map(Math.round).join(" ")}`);
});

Deno.test("GrantBatch keeps a million live grants of distinct frames in 100 MB, rows of the frame table included", () => {
  const nr = 1_000_000;
  const { hv, dom0, guest } = highMachine(nr);
  const batch = new xen.GrantBatch(2_000);
  let okay = 0;
  for (let first = 0; first < nr; first += batch.length) {
    for (let i = 0; i < batch.length; i++) {
      const ref = 8 + first + i;
      xen.grantAccess(guest, ref, { domid: 0, frame: guest.mfnOf(first + i) });
      batch.flags[i] = xen.GNTMAP_device_map;
      batch.ref[i] = ref;
      batch.dom[i] = guest.domid;
    }
    okay += xen.mapBatch(hv, dom0, batch);
  }
  assertEquals([okay, dom0.maptrack.live], [nr, nr]);
  const grants = guest.grantTable.bytesHeld + dom0.maptrack.bytesHeld + hv.mem.bytesHeld;
  const frames = hv.frames.info.bytesHeld;
  assert(grants < 60 * MIB, `${grants / MIB} MiB for the grants`);
  assert(grants + frames < 95 * MIB, `${(grants + frames) / MIB} MiB with the frame table`);
});
