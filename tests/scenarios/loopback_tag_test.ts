/**
 * Front end and back end in one domain: dom0 attaches a disk to itself (that is how a guest's boot loader was read). The
 * back end maps a page that is dom0's own. Under m2p_override the front end's p2m entry is marked FOREIGN as long as that
 * lasts, so that the frame is found under the back end's page: without the mark the block layer locks one page twice and
 * waits for itself. The price: whoever pins the front end's page meanwhile gets the back end's.
 *
 * @cite linux 3.15 arch/x86/xen/p2m.c m2p_add_override
 * @module
 */

import { assertEquals } from "@std/assert";
import { PAGE } from "../../lib/core/geometry.ts";
import { Grants, world } from "../../lib/experiments/world.ts";
import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE } from "../../lib/linux/mm/prot.ts";
import { lookupSlot, rawFrame } from "../../lib/linux/mm/pgtable.ts";

function loopback(kernel: string) {
  const w = world({ kernel });
  const front = w.process("front");
  const prot = PROT_READ | PROT_WRITE;
  const mapped = front.mmap({ length: PAGE, prot, flags: MAP_PRIVATE | MAP_ANONYMOUS });
  if (!mapped.ok) throw new Error(mapped.errno);
  const address = mapped.value;
  front.write(address, 1);
  const frame = rawFrame(w.kernel.system, lookupSlot(front.mm, address));
  const page = w.hv.m2p.get(frame as never);
  const ref = w.kernel.grantRefs.grantForeignAccess(0, frame, false);
  const back = w.process("back");
  const vma = back.mmapGrants(new Grants(0, [ref], [frame as never], true));
  const pin = () => front.directWrite(address, PAGE).pages.map(({ pfn }) => pfn);
  const mark = () => w.kernel.p2m.describe(page);
  return { w, front, back, vma, page, frame, pin, mark };
}

Deno.test("linux3_19: the front end's entry is marked while its page is mapped, and a pin gets the back end's page", () => {
  const { w, back, vma, page, frame, pin, mark } = loopback("linux3_19");
  assertEquals(mark(), `FOREIGN(0x${frame.toString(16)})`);
  const [pinned] = pin();
  assertEquals([pinned === page, w.kernel.frameSource.owns(pinned!)], [false, true]);
  back.munmap(vma.start, PAGE);
  assertEquals([mark(), pin()], [`0x${frame.toString(16)}`, [page]] as unknown[]);
});

for (const kernel of ["linux4_0", "linux6_1", "linux7_1"]) {
  Deno.test(`${kernel}: no mark, and each process pins its own page of the frame`, () => {
    const { w, back, vma, page, frame, pin, mark } = loopback(kernel);
    assertEquals([mark(), pin()], [`0x${frame.toString(16)}`, [page]] as unknown[]);
    const [other] = back.directWrite(vma.start, PAGE).pages;
    // The frame's m2p entry names the front end's page, and the plain entry of the mapping is special.
    assertEquals(
      [other!.reached, w.kernel.frameSource.owns(other!.pfn!)],
      [{ kind: "frame", frame }, true] as unknown[],
    );
  });
}
