/**
 * Mapping a grant into a page table and unmapping it again, in batches of 32, all checks, counts, locks and the flush of
 * each batch included.
 *
 * @module
 */

import { maddrOf } from "../lib/core/frames.ts";
import { Trace } from "../lib/trace/trace.ts";
import { PhysMem } from "../lib/x86/phys_mem.ts";
import { _PAGE_PRESENT, _PAGE_RW, entryHi, entryLo } from "../lib/x86/pte.ts";
import {
  GNTMAP_application_map,
  GNTMAP_contains_pte,
  GNTMAP_host_map,
  type GnttabMapGrantRef,
  GNTTABOP_map_grant_ref,
  GNTTABOP_unmap_grant_ref,
  MMUEXT_NEW_BASEPTR,
} from "../lib/xen/abi.ts";
import type { Domain } from "../lib/xen/domain.ts";
import { xen4_17 } from "../lib/xen/flavours.ts";
import { grantAccess } from "../lib/xen/grant_access.ts";
import { GrantBatch, mapBatch, unmapBatch } from "../lib/xen/grant_batch.ts";
import { grantTableOp, mmuextOp } from "../lib/xen/hypercall.ts";
import { Hypervisor } from "../lib/xen/hypervisor.ts";
import type { BenchCase } from "./bench_case.ts";

const BATCH = 32;
const GRANTS = 448;
const FLAGS = GNTMAP_host_map | GNTMAP_application_map | GNTMAP_contains_pte;

interface World {
  readonly hv: Hypervisor;
  readonly dom0: Domain;
  readonly guest: Domain;
  /** Machine address of entry i of dom0's level-1 table. */
  pte(i: number): number;
}

function world(): World {
  const hv = new Hypervisor({
    mem: new PhysMem(4096),
    trace: new Trace(),
    flavour: xen4_17,
    cpus: [{ flushAll() {}, invlpg() {} }],
  });
  const dom0 = hv.createDomain({ frames: 64, privileged: true });
  const guest = hv.createDomain({ frames: 512 });
  const tables = [1, 2, 3, 4].map((pfn) => dom0.mfnOf(pfn));
  for (let level = 0; level < 3; level++) {
    const frame = tables[level + 1]!;
    hv.mem.write32(maddrOf(tables[level]!, 0), entryLo(frame, _PAGE_PRESENT | _PAGE_RW));
    hv.mem.write32(maddrOf(tables[level]!, 4), entryHi(frame, _PAGE_PRESENT | _PAGE_RW));
  }
  mmuextOp(hv, dom0, [{ cmd: MMUEXT_NEW_BASEPTR, mfn: tables[0]! }]);
  for (let i = 0; i < GRANTS; i++) grantAccess(guest, 8 + i, { domid: 0, frame: guest.mfnOf(i) });
  return { hv, dom0, guest, pte: (i) => maddrOf(tables[3]!, i * 8) };
}

const bench: BenchCase = {
  about: "32 grants mapped into a page table and unmapped, per grant, flush included",
  unit: "pair",
  n: 640_000,
  yardstick: "C",
  goals: { columns: 3 },
  native: {
    C: { source: "bench/c/grants.c", args: [] },
    "C, flat tables": { source: "bench/c/grants.c", args: [], flags: ["-DFLAT"] },
  },
  subjects: {
    columns: () => {
      const { hv, dom0, guest, pte } = world();
      const batch = new GrantBatch(BATCH);
      return (n) => {
        let sum = 0;
        for (let done = 0; done < n; done += BATCH) {
          for (let i = 0; i < BATCH; i++) {
            batch.hostAddr[i] = pte(i);
            batch.devBusAddr[i] = 0;
            batch.flags[i] = FLAGS;
            batch.ref[i] = 8 + (done + i) % GRANTS;
            batch.dom[i] = guest.domid;
          }
          sum += mapBatch(hv, dom0, batch);
          for (let i = 0; i < BATCH; i++) sum += batch.devBusAddr[i]! / 4096;
          batch.devBusAddr.fill(0);
          sum += unmapBatch(hv, dom0, batch);
        }
        return sum;
      };
    },
    objects: () => {
      const { hv, dom0, guest, pte } = world();
      return (n) => {
        let sum = 0;
        for (let done = 0; done < n; done += BATCH) {
          const maps: GnttabMapGrantRef[] = [];
          for (let i = 0; i < BATCH; i++) {
            maps.push({
              host_addr: pte(i),
              flags: FLAGS,
              ref: 8 + (done + i) % GRANTS,
              dom: guest.domid,
              status: 1,
              handle: 0,
              dev_bus_addr: 0,
            });
          }
          grantTableOp(hv, dom0, GNTTABOP_map_grant_ref, maps);
          const unmaps = maps.map(({ host_addr, handle, dev_bus_addr }) => {
            sum += dev_bus_addr / 4096 + 1;
            return { host_addr, handle, dev_bus_addr: 0, status: 1 };
          });
          grantTableOp(hv, dom0, GNTTABOP_unmap_grant_ref, unmaps);
          for (const { status } of unmaps) sum += status + 1;
        }
        return sum;
      };
    },
  },
};

export default bench;
