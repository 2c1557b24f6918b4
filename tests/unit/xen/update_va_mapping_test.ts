import { assertEquals } from "@std/assert";
import { _PAGE_PRESENT, _PAGE_RW, _PAGE_USER } from "../../../lib/x86/pte.ts";
import * as xen from "../../../lib/xen/mod.ts";
import { assertInOrder, host, LINEAR } from "./two_domains.ts";

const user = _PAGE_PRESENT | _PAGE_RW | _PAGE_USER;

Deno.test("updateVaMappingOtherdomain() maps a page of another domain, with the right to it", () => {
  const rows: [rule: string, by: "dom0" | "guest", domid: number, rc: number][] = [
    ["control", "dom0", 1, 0],
    ["no such domain", "dom0", 9, -3],
    ["oneself by number", "dom0", 0, -3],
    ["oneself as owner of another's page", "dom0", xen.DOMID_SELF, -16],
    ["memory that is not RAM as owner of RAM", "dom0", xen.DOMID_IO, -16],
    ["without the right", "guest", 0, -1],
    ["without the right, memory that is not RAM", "guest", xen.DOMID_IO, -1],
  ];
  for (const [rule, by, domid, rc] of rows) {
    const h = host();
    const frame = h.guest.mfnOf(5);
    const request = { va: LINEAR, frame, flags: user, uvmf: 0, domid };
    assertEquals(xen.updateVaMappingOtherdomain(h.hv, h[by], request), rc, rule);
    assertEquals(h.hv.frames.count(frame), rc === 0 ? 2 : 1, rule);
    assertEquals(h.entry(0).frame === frame, rc === 0, rule);
    const [again] = xen.multicall(h.hv, h[by], [{ op: "update_va_mapping_otherdomain", ...request }]);
    assertEquals(again?.rc, rc, `${rule}, in a multicall`);
    assertInOrder(h);
  }
});
