/**
 * A grant whose frame the granter's host has paged out, and the mark on the page that a grant leaves.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { type World, world } from "../../../../lib/experiments/world.ts";
import { gnttabBatchCopy, gnttabMapRefs } from "../../../../lib/linux/xen/gnttab.ts";
import { xenPageForeign } from "../../../../lib/linux/xen/page_foreign.ts";
import {
  DOMID_SELF,
  GNTCOPY_source_gref,
  GNTMAP_host_map,
  type GnttabCopy,
  type GnttabMapGrantRef,
} from "../../../../lib/xen/abi.ts";
import type { Domain } from "../../../../lib/xen/domain.ts";
import { grantAccess } from "../../../../lib/xen/grant_access.ts";
import { p2m_ram_paged, p2m_ram_rw } from "../../../../lib/xen/p2m.ts";
import { GNTST_bad_page, GNTST_okay } from "../../../../lib/xen/status.ts";

/** A translated granter with frame 1 paged out and granted under reference 8, frame 2 under 9. */
function paged(): { w: World; hvm: Domain; pageInAt(ms: number): void } {
  const w = world();
  const hvm = w.hv.createDomain({ kind: "pvh", frames: 4 });
  grantAccess(hvm, 8, { domid: w.dom0.domid, frame: 1 });
  grantAccess(hvm, 9, { domid: w.dom0.domid, frame: 2 });
  const mfn = hvm.p2m!.mfn(1);
  hvm.p2m!.set(1, -1, p2m_ram_paged);
  return { w, hvm, pageInAt: (ms) => w.kernel.work.schedule(ms, () => hvm.p2m!.set(1, mfn, p2m_ram_rw)) };
}

function mapOps(w: World, hvm: Domain): { mapOps: GnttabMapGrantRef[]; pages: number[] } {
  const { kernel } = w;
  const pages = kernel.frameSource.alloc(2)!;
  return {
    pages,
    mapOps: pages.map((page, i) => ({
      host_addr: kernel.kernelAddress(page),
      flags: GNTMAP_host_map,
      ref: 8 + i,
      dom: hvm.domid,
      status: 77,
      handle: 0,
      dev_bus_addr: 0,
    })),
  };
}

// Tries after the list: at once, then after 1, 2, 3 … ms, so at 0, 1, 3, 6, 10 … ms.
for (
  const { back, ms, calls } of [
    { back: 1, ms: 1, calls: 3 },
    { back: 2, ms: 3, calls: 4 },
    { back: 3, ms: 3, calls: 4 },
    { back: 4, ms: 6, calls: 5 },
    { back: 32385, ms: 32385, calls: 256 },
  ]
) {
  Deno.test(`gnttabMapRefs() tries a frame that is paged out again until it is back, after ${back} ms`, () => {
    const { w, hvm, pageInAt } = paged();
    pageInAt(back);
    const batch = mapOps(w, hvm);
    const mark = w.trace.mark();
    assertEquals(gnttabMapRefs(w.kernel, { ...batch, kmapOps: [] }), 0);
    assertEquals(batch.mapOps.map(({ status }) => status), [GNTST_okay, GNTST_okay]);
    assertEquals([w.kernel.work.nowMs, w.trace.since(mark).hc_grant_table_op], [ms, calls]);
    assertEquals(w.kernel.system.log, []);
  });
}

Deno.test("gnttabMapRefs() gives a frame up that does not come back, after 255 tries, and maps the others", () => {
  const { w, hvm, pageInAt } = paged();
  pageInAt(32386);
  const batch = mapOps(w, hvm);
  const mark = w.trace.mark();
  assertEquals(gnttabMapRefs(w.kernel, { ...batch, kmapOps: [] }), 0);
  assertEquals(batch.mapOps.map(({ status }) => status), [GNTST_bad_page, GNTST_okay]);
  // 1 + 2 + … + 255 ms, the last of them for nothing.
  assertEquals([w.kernel.work.nowMs, w.trace.since(mark).hc_grant_table_op], [32640, 256]);
  assertEquals(w.kernel.system.log.map(({ where }) => where), ["gnttab_retry_eagain_gop"]);
  assertEquals(batch.pages.map((page) => xenPageForeign(w.kernel, page)), [null, {
    domid: hvm.domid,
    gref: 9,
  }]);
});

Deno.test("gnttabBatchCopy() tries again, too", () => {
  const { w, hvm, pageInAt } = paged();
  pageInAt(5);
  const op: GnttabCopy = {
    source: { domid: hvm.domid, ref: 8, offset: 0 },
    dest: { domid: DOMID_SELF, gmfn: w.dom0.mfnOf(0x300), offset: 0 },
    len: 8,
    flags: GNTCOPY_source_gref,
    status: 77,
  };
  gnttabBatchCopy(w.kernel, [op]);
  assertEquals([op.status, w.kernel.work.nowMs], [GNTST_okay, 6]);
});

for (
  const { kernel, mark } of [
    { kernel: "linux6_1", mark: { domid: 1, gref: 9 } },
    { kernel: "linux4_0", mark: { domid: 1, gref: 9 } },
    // The word holds the machine frame there.
    { kernel: "linux3_19", mark: null },
  ]
) {
  Deno.test(`xenPageForeign() names domain and reference of a page under ${kernel}, and nothing once it is unmapped`, () => {
    const w = world({ kernel });
    const p = w.process();
    const { start } = p.mmapGrants(w.guest.grant(2));
    const page = p.gntdev.priv.maps[0]!.pages[1]!;
    assertEquals(xenPageForeign(w.kernel, page), mark);
    p.munmap(start, 8192);
    assertEquals(xenPageForeign(w.kernel, page), null);
  });
}
