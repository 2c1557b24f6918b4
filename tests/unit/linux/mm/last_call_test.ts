import { assertEquals } from "@std/assert";
import {
  explainCall,
  forkMm,
  madvise,
  mprotect,
  munmap,
  pageView,
  userAccess,
  whoMaps,
} from "../../../../lib/linux/mm/mod.ts";
import { at, bytes, machine, map } from "./support.ts";

/** The decisions about VMAs, without addresses. */
function decisions(mm: ReturnType<typeof machine>["mm"]): string[] {
  return explainCall(mm).decisions.filter(({ drawing }) => drawing !== undefined)
    .map(({ where, drawing }) => `${where} ${drawing}`);
}

Deno.test("explainCall() draws what merged and what was cut", () => {
  const { mm } = machine();
  map(mm, 0, 3);
  map(mm, 6, 3);
  map(mm, 3, 3);
  assertEquals(decisions(mm), ["mmap_region PPP***NNN -> PPPPPPPPP"]);
  mprotect(mm, at(3), bytes(3), 1);
  assertEquals(decisions(mm), ["vma_merge PPP***PPP", "__split_vma NNN|OOOOOO", "__split_vma OOO|NNN"]);
  mprotect(mm, at(3), bytes(1), 3);
  assertEquals(decisions(mm), ["vma_merge PPP*MM -> PPPPMM"]);
  mprotect(mm, at(5), bytes(1), 3);
  assertEquals(decisions(mm), ["vma_merge P*NNN -> PNNNN"]);
  mprotect(mm, at(4), bytes(1), 3);
  assertEquals(decisions(mm), ["vma_merge PPPP*NNNN -> PPPPPPPPP"]);
  munmap(mm, at(4), bytes(1));
  assertEquals(decisions(mm), ["__split_vma OOOO|NNNNN", "__split_vma N|OOOO"]);
  assertEquals(mm.vmas.size, 2);
});

Deno.test("explainCall() names the rule that forbids", () => {
  const { mm } = machine();
  map(mm, 0, 2);
  map(mm, 2, 2, "r--");
  const [attempt] = explainCall(mm).decisions;
  assertEquals(attempt!.what.replace(/\[.*\)/, "it"), "no merge for it: before: flags; after: nothing there");
  mm.maxMapCount = 2;
  mprotect(mm, at(1), bytes(1), 5);
  assertEquals(explainCall(mm).decisions.at(-1)!.what, "2 VMAs are all that a process may have: ENOMEM");
  madvise(mm, at(0), bytes(1), 77);
  assertEquals(String(explainCall(mm)), "madvise\n  nothing to decide");
});

Deno.test("explainCall() tells how much was flushed", () => {
  for (const [pages, says] of [[33, /page by page/], [34, /flushes everything for 34 pages/]] as const) {
    const { mm } = machine();
    map(mm, 0, pages);
    for (let page = 0; page < pages; page++) userAccess(mm, 0, at(page), "w", 1);
    madvise(mm, at(0), bytes(pages), 4);
    assertEquals(says.test(String(explainCall(mm))), true, String(explainCall(mm)));
  }
});

Deno.test("whoMaps() finds every entry, pageView() shows the page", () => {
  const { linux, mm } = machine();
  map(mm, 0, 2);
  userAccess(mm, 0, at(1), "w", 1);
  const child = forkMm(mm);
  const page = linux.system.memMap.mapcount.indexOf(1);
  assertEquals(whoMaps(linux.system, page).map((m) => [m.mm === child, m.address, m.isWritable]), [
    [false, at(1), false],
    [true, at(1), false],
  ]);
  const { refcount, mapcount, pins, flags } = pageView(linux.system, page);
  assertEquals({ refcount, mapcount, pins, flags }, { refcount: 2, mapcount: 2, pins: 0, flags: ["anon"] });
  userAccess(child, 0, at(1), "w", 2);
  assertEquals(whoMaps(linux.system, page).map((m) => m.mm === mm), [true]);
});
