import { assertEquals } from "@std/assert";
import { FREE_FRAMES_FROM, xenHost } from "../../../../lib/conform/xen_host.ts";
import { machineOf } from "../../../../lib/conform/machine.ts";
import { PAGE } from "../../../../lib/core/geometry.ts";
import { gntdevIoctlMapGrantRef } from "../../../../lib/drivers/gntdev/map_grant_ref.ts";
import { gntdevOpen } from "../../../../lib/drivers/gntdev/open.ts";
import { gntdevIoctlUnmapGrantRef } from "../../../../lib/drivers/gntdev/unmap_grant_ref.ts";
import { privcmdMmapBatch, privcmdOpen } from "../../../../lib/drivers/privcmd/mmap_batch.ts";
import { getUserPagesFast } from "../../../../lib/linux/mm/gup.ts";
import { FOLL_GET } from "../../../../lib/linux/mm/gup_flags.ts";
import { MmStruct } from "../../../../lib/linux/mm/mm_struct.ts";
import { mmap } from "../../../../lib/linux/mm/mmap.ts";
import { munmap } from "../../../../lib/linux/mm/munmap.ts";
import { MAP_SHARED, PROT_READ, PROT_WRITE } from "../../../../lib/linux/mm/prot.ts";
import { userAccess } from "../../../../lib/linux/mm/user_access.ts";
import { grantAccess, readGrantEntry } from "../../../../lib/xen/grant_access.ts";
import { validateXen } from "../../../../lib/xen/validate.ts";

function host(machine: "xenpv" | "xenpvh" = "xenpvh") {
  const kernel = xenHost(machine, machineOf("", {}));
  const { hv } = kernel;
  const guest = hv.createDomain({ frames: { first: FREE_FRAMES_FROM, count: 16 } });
  const mm = new MmStruct(kernel.system);
  for (const [i, readonly] of [false, true].entries()) {
    grantAccess(guest, 8 + i, { domid: 0, frame: guest.mfnOf(i), readonly });
    hv.mem.fillFrame(guest.mfnOf(i), 0x10 + i);
  }
  return { kernel, hv, guest, mm };
}

function mapped(ref: number, prot: number) {
  const h = host();
  const { file, priv } = gntdevOpen(h.kernel);
  gntdevIoctlMapGrantRef(priv, [{ domid: h.guest.domid, ref }]);
  const at = mmap(h.mm, { length: PAGE, prot, flags: MAP_SHARED, file, offset: 0 });
  if (!at.ok) throw new Error(at.errno);
  return { ...h, priv, at: at.value, flags: () => readGrantEntry(h.guest, ref).flags };
}

Deno.test("PVH: a grant is an ordinary page: one operation, fast GUP finds it, the page's frame is the granter's", () => {
  const { kernel, guest, mm, at, priv } = mapped(8, PROT_READ | PROT_WRITE);
  const [page] = priv.maps[0]!.pages;
  assertEquals([guest.grantTable.pin[8], kernel.system.frameOf(page!)], [1, guest.mfnOf(0)]);
  assertEquals(getUserPagesFast(mm, at, 1, FOLL_GET), {
    ok: true,
    value: { pages: [page!], nrFast: 1, bail: null },
  });
  assertEquals([userAccess(mm, 0, at, "w", 0x77), kernel.system.mem.read8(guest.mfnOf(0) * PAGE as never)], [
    { ok: true, value: 0x77 },
    0x77,
  ] as unknown[]);
});

Deno.test("PVH: the grant goes with the map, then the page reads as all ones and takes no stores", () => {
  const { kernel, hv, mm, at, priv, flags } = mapped(8, PROT_READ | PROT_WRITE);
  const [page] = priv.maps[0]!.pages as [number];
  munmap(mm, at, PAGE);
  assertEquals(flags(), 0x19);
  gntdevIoctlUnmapGrantRef(priv, 0, 1);
  assertEquals([flags(), validateXen(hv)], [1, []] as unknown[]);
  const { pv, mem } = kernel.system;
  assertEquals([mem.read8(pv.frameOfPage(page) * PAGE as never), pv.frameOfPage(page, true)], [0xff, 0]);
});

Deno.test("PVH: the kernel's store to a read-only grant is dropped, on PV it faults", () => {
  const { kernel, guest, priv } = mapped(9, PROT_READ);
  const [page] = priv.maps[0]!.pages as [number];
  assertEquals(kernel.guest.kernelWrite8(kernel, page, 0, 0), true);
  assertEquals(kernel.system.mem.read8(guest.mfnOf(1) * PAGE as never), 0x11);
  const pv = host("xenpv").kernel;
  assertEquals(pv.guest.kernelWrite8(pv, pv.frameSource.first, 0, 0), false);
});

for (const machine of ["xenpv", "xenpvh"] as const) {
  Deno.test(`${machine}: privcmd maps frames by number: plain accesses work, pins do not, munmap ends it`, () => {
    const { kernel, hv, guest, mm } = host(machine);
    const file = privcmdOpen(kernel);
    const prot = PROT_READ | PROT_WRITE;
    const at = mmap(mm, { length: 2 * PAGE, prot, flags: MAP_SHARED, file, offset: 0 });
    if (!at.ok) throw new Error(at.errno);
    const { domid } = guest;
    const batch = { address: at.value, domid, frames: [guest.mfnOf(0), guest.mfnOf(1)] };
    const free = kernel.frameSource.nrFree;
    assertEquals(privcmdMmapBatch(kernel, mm, { ...batch, address: at.value + PAGE }).ok, false);
    assertEquals(privcmdMmapBatch(kernel, mm, batch), { ok: true, value: [0, 0] });
    assertEquals(userAccess(mm, 0, at.value + PAGE, "r"), { ok: true, value: 0x11 });
    assertEquals(getUserPagesFast(mm, at.value, 1, FOLL_GET), { ok: false, errno: "EFAULT" });
    munmap(mm, at.value, 2 * PAGE);
    assertEquals([kernel.frameSource.nrFree, validateXen(hv)], [free, []] as unknown[]);
  });
}
