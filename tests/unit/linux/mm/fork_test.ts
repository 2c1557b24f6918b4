import { assertEquals, assertThrows } from "@std/assert";
import {
  dupMm,
  exitMmap,
  FOLL_PIN,
  FOLL_WRITE,
  forkMm,
  getUserPagesFast,
  MADV,
  madvise,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_SHARED,
  mlock,
  mmap,
  releaseUserPages,
  smaps,
  userAccess,
} from "../../../../lib/linux/mm/mod.ts";
import { assertSound, at, bytes, drawn, machine, map, prot } from "./support.ts";

Deno.test("forkMm() shares private pages until one side writes", () => {
  const { linux, mm } = machine();
  map(mm, 0, 3);
  userAccess(mm, 0, at(0), "w", 1);
  userAccess(mm, 0, at(1), "r");
  const child = forkMm(mm);
  assertEquals([drawn(mm), drawn(child)], ["0-3 rw-p az.", "0-3 rw-p az."]);
  userAccess(child, 0, at(0), "w", 2);
  assertEquals([drawn(mm), drawn(child)], ["0-3 rw-p Az.", "0-3 rw-p Az."]);
  assertEquals(userAccess(mm, 0, at(0), "r"), { ok: true, value: 1 });
  assertEquals(userAccess(child, 0, at(0), "r"), { ok: true, value: 2 });
  assertSound(linux, mm, child);
  exitMmap(child);
  assertSound(linux, mm);
});

Deno.test("forkMm() leaves the last owner its page without a copy", () => {
  const { mm } = machine();
  map(mm, 0, 1);
  userAccess(mm, 0, at(0), "w", 1);
  exitMmap(forkMm(mm));
  const { trace } = mm.system;
  const copies = trace.count("page_copy");
  userAccess(mm, 0, at(0), "w", 2);
  assertEquals(trace.count("page_copy"), copies);
});

Deno.test("forkMm() copies a pinned page at once, for the child", () => {
  const { linux, mm } = machine();
  map(mm, 0, 2);
  userAccess(mm, 0, at(0), "w", 1);
  userAccess(mm, 0, at(1), "w", 1);
  const pinned = getUserPagesFast(mm, at(0), 1, FOLL_PIN | FOLL_WRITE);
  if (!pinned.ok) throw new Error();
  const child = forkMm(mm);
  assertEquals([drawn(mm), drawn(child)], ["0-2 rw-p Aa", "0-2 rw-p Aa"]);
  releaseUserPages(mm, pinned.value.pages, FOLL_PIN);
  assertSound(linux, mm, child);
});

Deno.test("forkMm() keeps shared memory shared, and drops locks", () => {
  const { linux, mm } = machine();
  mmap(mm, {
    address: at(0),
    length: bytes(2),
    prot: prot("rw-"),
    flags: MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED,
  });
  mlock(mm, at(0), bytes(1));
  userAccess(mm, 0, at(1), "w", 3);
  const child = forkMm(mm);
  assertEquals(userAccess(child, 0, at(1), "r"), { ok: true, value: 3 });
  userAccess(child, 0, at(1), "w", 4);
  assertEquals(userAccess(mm, 0, at(1), "r"), { ok: true, value: 4 });
  assertEquals(smaps(child).map((row) => row.vmFlags.includes("lo")), [false, false]);
  assertSound(linux, mm, child);
});

Deno.test("dupMm() without memory leaves no child and a sound parent, wherever it fails", () => {
  const { linux, mm } = machine();
  const { memMap } = linux.system;
  for (let page = 0; page < 6; page += 2) {
    map(mm, page, 1, page === 2 ? "r--" : "rw-");
    if (page !== 2) userAccess(mm, 0, at(page), "w", 1 + page);
  }
  const free = memMap.nrFree;
  let failures = 0;
  for (const [inject, calls] of [["page", 5], ["vma", 4]] as const) {
    for (let n = 0; n < calls; n++) {
      let left = n;
      const fails = () => left-- === 0;
      if (inject === "page") memMap.failAllocation = fails;
      else linux.system.failVmaAllocation = fails;
      const child = tryFork(() => dupMm(mm));
      memMap.failAllocation = null;
      linux.system.failVmaAllocation = null;
      if (child === null) failures++;
      else exitMmap(child);
      assertEquals(memMap.nrFree, free, `${inject} ${n}`);
      assertSound(linux, mm);
      assertEquals(userAccess(mm, 0, at(4), "r"), { ok: true, value: 5 });
    }
  }
  assertEquals(failures, 7);
  assertThrows(
    () => {
      memMap.failAllocation = () => true;
      forkMm(mm);
    },
    RangeError,
    "Cannot fork",
  );
});

function tryFork(fork: () => ReturnType<typeof dupMm>) {
  const child = fork();
  if (!child.ok) {
    assertEquals(child.errno, "ENOMEM");
    return null;
  }
  return child.value;
}

Deno.test("forkMm() obeys DONTFORK and WIPEONFORK", () => {
  for (const [advice, rows] of [["DONTFORK", []], ["WIPEONFORK", ["0-2 rw-p .."]]] as const) {
    const { mm } = machine();
    map(mm, 0, 2);
    for (let i = 0; i < 2; i++) userAccess(mm, 0, at(i), "w", 1 + i);
    madvise(mm, at(0), bytes(2), MADV[advice]);
    assertEquals([advice, drawn(forkMm(mm))], [advice, rows.join()]);
  }
});
