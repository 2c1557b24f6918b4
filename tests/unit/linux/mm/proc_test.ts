import {
  MAP_FIXED,
  MAP_SHARED,
  memfdCreate,
  mmap,
  procMaps,
  smaps,
  userAccess,
  vmFlagsLetters,
} from "../../../../lib/linux/mm/mod.ts";
import { assertEquals, assertThrows } from "@std/assert";
import { at, bytes, machine, map, prot } from "./support.ts";

Deno.test("procMaps prints what /proc/PID/maps prints", () => {
  const { linux, mm } = machine();
  const file = memfdCreate(linux.system, "/memfd:A", 8);
  mmap(mm, {
    address: at(0),
    length: bytes(4),
    prot: prot("r-x"),
    flags: MAP_SHARED | MAP_FIXED,
    file,
    offset: bytes(2),
  });
  map(mm, 4, 1);
  assertEquals(
    procMaps(mm),
    "100000000000-100000004000 r-xs 00002000 /memfd:A\n100000004000-100000005000 rw-p 00000000",
  );
});

Deno.test("smaps counts resident pages without the page of zeros and tells shared from own", () => {
  const { linux, mm } = machine();
  const other = linux.process();
  const file = memfdCreate(linux.system, "A", 2);
  file.pageCache!.fill(() => 1);
  for (const process of [mm, other]) {
    mmap(process, {
      address: at(0),
      length: bytes(2),
      prot: prot("rw-"),
      flags: MAP_SHARED | MAP_FIXED,
      file,
    });
  }
  map(mm, 2, 3);
  userAccess(mm, 0, at(0), "r");
  userAccess(other, 0, at(1), "w", 1);
  userAccess(mm, 0, at(2), "r");
  userAccess(mm, 0, at(3), "w", 1);
  assertEquals(smaps(mm).map((row) => [row.name, row.offset, row.rss, row.pages]), [
    ["A", 0, 2, "Ff"],
    ["anon", 0, 1, "zA."],
  ]);
});

Deno.test("vmFlagsLetters follows the order of the bits and has no letters for VM_LOCKONFAULT", () => {
  const { mm } = machine();
  map(mm, 0, 1);
  const vma = mm.vmas.lookup(at(0))!;
  vma.flags = 1 << 31 | 1 << 28 | 1 << 19 | 1 << 13 | 1 << 10 | 1;
  assertEquals(vmFlagsLetters(vma), "rd pf lo ?? mm mg");
});

Deno.test("smaps refuses a VMA that would fill the memory with letters", () => {
  const { mm } = machine();
  mmap(mm, { address: at(0), length: 2 ** 40, prot: 0, flags: 0x32 });
  assertThrows(() => smaps(mm), RangeError, "the budget pagesPerCall");
});
