import { assertEquals } from "@std/assert";
import { PAGE_SIZE } from "../../../../lib/core/geometry.ts";
import { exitMmap } from "../../../../lib/linux/mm/exit.ts";
import { forkMm } from "../../../../lib/linux/mm/fork.ts";
import { getUserPagesFast, releaseUserPages } from "../../../../lib/linux/mm/gup.ts";
import { FOLL_PIN, FOLL_WRITE } from "../../../../lib/linux/mm/gup_flags.ts";
import { MADV, madvise } from "../../../../lib/linux/mm/madvise.ts";
import type { MmStruct } from "../../../../lib/linux/mm/mm_struct.ts";
import { mmap } from "../../../../lib/linux/mm/mmap.ts";
import { nativeLinux } from "../../../../lib/linux/mm/native.ts";
import { smaps } from "../../../../lib/linux/mm/proc.ts";
import {
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  MAP_SHARED,
  PROT_READ,
  PROT_WRITE,
} from "../../../../lib/linux/mm/prot.ts";
import { userAccess } from "../../../../lib/linux/mm/user_access.ts";

const AT = 0x10000;

function parentWith(flags: number, pages = 2): MmStruct {
  const mm = nativeLinux({ frames: 256 }).process();
  const prot = PROT_READ | PROT_WRITE;
  mmap(mm, { address: AT, length: pages * PAGE_SIZE, prot, flags: flags | MAP_ANONYMOUS | MAP_FIXED });
  for (let i = 0; i < pages; i++) userAccess(mm, 0, AT + i * PAGE_SIZE, "w", 1 + i);
  return mm;
}

const read = (mm: MmStruct, page: number) => userAccess(mm, 0, AT + page * PAGE_SIZE, "r");
const pages = (mm: MmStruct) => smaps(mm).map((row) => row.pages);

Deno.test("forkMm() shares private pages until somebody writes", () => {
  const parent = parentWith(MAP_PRIVATE);
  const child = forkMm(parent);
  assertEquals([pages(parent), pages(child)], [["aa"], ["aa"]]);
  userAccess(child, 0, AT, "w", 9);
  assertEquals([read(parent, 0), read(child, 0)], [{ ok: true, value: 1 }, { ok: true, value: 9 }]);
  assertEquals([pages(parent), pages(child)], [["Aa"], ["Aa"]]);
  userAccess(parent, 0, AT + PAGE_SIZE, "w", 8);
  assertEquals([read(parent, 1), read(child, 1)], [{ ok: true, value: 8 }, { ok: true, value: 2 }]);
});

Deno.test("forkMm() leaves shared pages to faults and shows both the same", () => {
  const parent = parentWith(MAP_SHARED);
  const child = forkMm(parent);
  assertEquals(pages(child), [".."]);
  userAccess(child, 0, AT, "w", 9);
  assertEquals(read(parent, 0), { ok: true, value: 9 });
});

Deno.test("forkMm() obeys DONTFORK and WIPEONFORK", () => {
  for (const [advice, rows] of [["DONTFORK", []], ["WIPEONFORK", [".."]]] as const) {
    const parent = parentWith(MAP_PRIVATE);
    madvise(parent, AT, 2 * PAGE_SIZE, MADV[advice]);
    assertEquals([advice, pages(forkMm(parent))], [advice, rows] as unknown[]);
  }
});

Deno.test("forkMm() copies a pinned page at once: the pin stays the parent's", () => {
  const parent = parentWith(MAP_PRIVATE, 1);
  const held = getUserPagesFast(parent, AT, 1, FOLL_PIN | FOLL_WRITE);
  if (!held.ok) throw new Error(held.errno);
  const child = forkMm(parent);
  assertEquals(
    [pages(parent), pages(child), read(child, 0)],
    [["A"], ["A"], { ok: true, value: 1 }] as unknown[],
  );
  releaseUserPages(parent, held.value.pages, FOLL_PIN);
});

Deno.test("forkMm(): the end of both gives every page back", () => {
  const linux = nativeLinux({ frames: 256 });
  const free = linux.system.memMap.nrFree;
  const parent = linux.process();
  const flags = MAP_PRIVATE | MAP_ANONYMOUS;
  const at = mmap(parent, { length: 3 * PAGE_SIZE, prot: PROT_READ | PROT_WRITE, flags });
  if (!at.ok) throw new Error(at.errno);
  for (let i = 0; i < 3; i++) userAccess(parent, 0, at.value + i * PAGE_SIZE, "w", i);
  const child = forkMm(parent);
  userAccess(child, 0, at.value, "w", 7);
  exitMmap(parent);
  exitMmap(child);
  assertEquals(linux.system.memMap.nrFree, free);
});
