import { assertEquals, assertThrows } from "@std/assert";
import { maddr, mfn } from "../../../lib/core/frames.ts";
import { addressMap, describeAddressMap } from "../../../lib/x86/address_map.ts";
import { PageTable } from "../../../lib/x86/page_table.ts";
import { PhysMem } from "../../../lib/x86/phys_mem.ts";
import { _PAGE_GLOBAL, _PAGE_NX, _PAGE_PCD, _PAGE_PRESENT, _PAGE_USER } from "../../../lib/x86/pte.ts";

Deno.test("addressMap joins what is mapped alike", () => {
  let free = 1;
  const t = new PageTable(new PhysMem(0x100000), { allocate: () => mfn(free++) });
  t.map(0x1f_e000, mfn(0x30), { pages: 4 }); // across two page tables
  t.map(0x20_2000, mfn(0x50)); // next page, another frame
  t.map(0x20_3000, mfn(0x51), { flags: _PAGE_PRESENT | _PAGE_USER | _PAGE_NX });
  t.map(0x20_5000, mfn(0x52), { flags: _PAGE_PRESENT | _PAGE_USER | _PAGE_NX }); // a hole before it
  t.map(0x40_0000, mfn(0x400), { size: "2M", pages: 2 });
  t.map(0xffff_ffff_ffff_f000n, mfn(7), { flags: _PAGE_PRESENT | _PAGE_GLOBAL | _PAGE_PCD });
  const map = addressMap(t.mem, t.root, 4);
  assertEquals(describeAddressMap(map), [
    "0x00000000001fe000 … 0x0000000000202fff  rwxu-  5 × 4 KiB  frame 0x30, scattered",
    "0x0000000000203000 … 0x0000000000203fff  r--u-  1 × 4 KiB  frame 0x51",
    "0x0000000000205000 … 0x0000000000205fff  r--u-  1 × 4 KiB  frame 0x52",
    "0x0000000000400000 … 0x00000000007fffff  rwxu-  2 × 2 MiB  frame 0x400 on",
    "0xfffffffffffff000 … 0xffffffffffffffff  r-xsg  1 × 4 KiB  frame 0x7  PAT 2",
  ]);
  assertEquals([map.leaves, map.isCut], [10, false]);
});

Deno.test("addressMap takes rights from every level", () => {
  const mem = new PhysMem(16);
  mem.write64(maddr(0x1000), 0x2001n); // supervisor, read-only
  mem.write64(maddr(0x2000), 0x3007n);
  mem.write64(maddr(0x3000), 1n << 63n | 0x4007n); // NX
  mem.write64(maddr(0x4000), 0x5007n);
  const [range] = addressMap(mem, 1, 4).ranges;
  assertEquals([range!.writable, range!.user, range!.executable], [false, false, false]);
});

Deno.test("addressMap stops at its limit where tables point to themselves", () => {
  const mem = new PhysMem(16);
  for (let i = 0; i < 512; i++) mem.write64(maddr(0x1000 + i * 8), 0x1007n);
  const map = addressMap(mem, 1, 4, 1000);
  assertEquals([map.leaves, map.isCut], [1000, true]);
  assertEquals(describeAddressMap(map).at(-1), "… and more: stopped after 1000 leaves");
  assertEquals(addressMap(mem, 99, 4), { ranges: [], leaves: 0, isCut: false });
  assertThrows(
    () => addressMap(mem, 1, 4, 0),
    RangeError,
    "Cannot map an address space of leaves, at most 0",
  );
});
