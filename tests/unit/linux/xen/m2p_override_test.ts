/**
 * The hash of Linux 2.6.38 to 3.19. Numbers as in p2m_test.ts; pages for foreign mappings are handed out from pfn
 * 0x400 on.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { PAGE } from "../../../../lib/core/geometry.ts";
import { Grants, type World, world } from "../../../../lib/experiments/world.ts";
import { allocSlot, rawFlags, rawFrame } from "../../../../lib/linux/mm/pgtable.ts";
import { _PAGE_PRESENT, _PAGE_RW } from "../../../../lib/x86/pte.ts";
import { grantAccess } from "../../../../lib/xen/grant_access.ts";
import { validateXen } from "../../../../lib/xen/validate.ts";

const era = () => world({ kernel: "linux3_19" });

/** dom0 grants a frame of its own to itself. */
function selfGrant(w: World, pfn: number, ref: number): Grants {
  const frame = w.dom0.mfnOf(pfn);
  grantAccess(w.dom0, ref, { domid: w.dom0.domid, frame });
  return new Grants(w.dom0.domid, [ref], [frame], true);
}

Deno.test("m2p_override finds the page of a mapped frame and of no other", () => {
  const w = era();
  const qemu = w.process();
  const { start } = qemu.mmapGrants(w.guest.grant([16, 300]));
  assertEquals([0x710, 0x82c, 0x711].map((mfn) => w.kernel.mfnToPfn(mfn)), [0x400, 0x401, -1]);
  qemu.munmap(start, PAGE);
  assertEquals([0x710, 0x82c].map((mfn) => w.kernel.mfnToPfn(mfn)), [-1, 0x401]);
  qemu.munmap(start + PAGE, PAGE);
  // Beyond the p2m the number itself is taken again.
  assertEquals([0x710, 0x82c].map((mfn) => w.kernel.mfnToPfn(mfn)), [-1, 0x82c]);
});

Deno.test("m2p_override answers the newest of two pages of one frame", () => {
  const w = era();
  const qemu = w.process();
  const grants = w.guest.grant([16]);
  const older = qemu.mmapGrants(grants);
  assertEquals(w.kernel.mfnToPfn(0x710), 0x400);
  const newer = qemu.mmapGrants(grants);
  assertEquals(w.kernel.mfnToPfn(0x710), 0x401);
  qemu.munmap(newer.start, PAGE);
  assertEquals(w.kernel.mfnToPfn(0x710), 0x400);
  qemu.munmap(older.start, PAGE);
  assertEquals(w.kernel.mfnToPfn(0x710), -1);
});

Deno.test("m2p_override keeps the newer page when the older one goes first", () => {
  const w = era();
  const qemu = w.process();
  const grants = w.guest.grant([16]);
  const older = qemu.mmapGrants(grants);
  qemu.mmapGrants(grants);
  qemu.munmap(older.start, PAGE);
  assertEquals(w.kernel.mfnToPfn(0x710), 0x401);
});

Deno.test("m2p_override hides the local page of a loopback grant until its last mapping goes", () => {
  const w = era();
  const qemu = w.process();
  const loop = selfGrant(w, 0x300, 20);
  assertEquals([w.kernel.p2m.describe(0x300), w.kernel.mfnToPfn(0x1300)], ["0x1300", 0x300]);
  const one = qemu.mmapGrants(loop);
  assertEquals([w.kernel.p2m.describe(0x300), w.kernel.mfnToPfn(0x1300)], ["FOREIGN(0x1300)", 0x400]);
  const two = qemu.mmapGrants(loop);
  qemu.munmap(one.start, PAGE);
  assertEquals([w.kernel.p2m.describe(0x300), w.kernel.mfnToPfn(0x1300)], ["FOREIGN(0x1300)", 0x401]);
  qemu.munmap(two.start, PAGE);
  assertEquals([w.kernel.p2m.describe(0x300), w.kernel.mfnToPfn(0x1300)], ["0x1300", 0x300]);
  assertEquals(validateXen(w.hv), []);
});

Deno.test("find_special_page leaves the local page of a loopback grant alone", () => {
  const w = world({ kernel: "linux4_0" });
  w.process().mmapGrants(selfGrant(w, 0x300, 20));
  assertEquals([w.kernel.p2m.describe(0x300), w.kernel.mfnToPfn(0x1300)], ["0x1300", 0x300]);
});

Deno.test("m2p_override lends the scratch page out and restores its own entry", () => {
  const w = era();
  const qemu = w.process();
  const { system, initMm } = w.kernel;
  const kernelEntry = (pfn: number) => {
    const slot = allocSlot(initMm, w.kernel.kernelAddress(pfn));
    return { frame: rawFrame(system, slot), rights: rawFlags(system, slot) & (_PAGE_PRESENT | _PAGE_RW) };
  };
  const { start } = qemu.mmapGrants(w.guest.grant([16, 17, 18]));
  assertEquals(kernelEntry(0x401), { frame: 0x711, rights: _PAGE_PRESENT | _PAGE_RW });
  qemu.munmap(start, 3 * PAGE);
  const lent = kernelEntry(0x400);
  assertEquals(lent.rights, _PAGE_PRESENT);
  const scratch = lent.frame - 0x1000;
  assertEquals(w.kernel.p2m.pfnToMfn(scratch), lent.frame);
  for (const pfn of [0x401, 0x402, scratch]) assertEquals(kernelEntry(pfn), lent);
  assertEquals([validateXen(w.hv), system.log], [[], []]);
  // The addresses serve again.
  const again = qemu.mmapGrants(w.guest.grant([19, 20, 21]));
  assertEquals(qemu.directWrite(again.start, 3 * PAGE).pages.map(({ verdict }) => verdict), [
    "ok",
    "ok",
    "ok",
  ]);
  assertEquals(validateXen(w.hv), []);
});

Deno.test("m2p_override is asked on every look-up that plain M2P cannot answer", () => {
  const w = era();
  w.process().mmapGrants(w.guest.grant([16]));
  const asked = (mfn: number) => {
    const mark = w.trace.mark();
    w.kernel.mfnToPfn(mfn);
    const { override_lock = 0, override_probe = 0 } = w.trace.since(mark);
    return [override_lock, override_probe];
  };
  assertEquals(asked(0x1005), [0, 0], "own frame");
  assertEquals(asked(0x710), [1, 1], "mapped grant");
  assertEquals(asked(0x711), [1, 0], "foreign frame that is not mapped");
});
