import { assertEquals } from "@std/assert";
import type { SysResult } from "../../../../lib/core/errno.ts";
import { Rng } from "../../../../lib/core/rng.ts";
import {
  explainCall,
  forkMm,
  MADV,
  madvise,
  MAP_ANONYMOUS,
  MAP_FIXED_NOREPLACE,
  MAP_PRIVATE,
  mincore,
  mlock,
  mlock2,
  mlockall,
  mmap,
  type MmStruct,
  mprotect,
  mremap,
  MREMAP_MAYMOVE,
  MS_ASYNC,
  MS_SYNC,
  msync,
  munmap,
  pageView,
  pkeyFree,
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
  assertEquals(String(explainCall(mm)), "madvise\n  madvise_behavior_valid: advice 77 is unknown: EINVAL");
});

Deno.test("explainCall() names function and rule of a call that is refused at once", () => {
  const unaligned = at(0) + 1;
  const rows: [call: (mm: MmStruct) => { ok: boolean }, says: string][] = [
    [(mm) => munmap(mm, unaligned, 4096), "do_mas_munmap: the address is on no page boundary: EINVAL"],
    [(mm) => munmap(mm, at(0), 0), "do_mas_munmap: the length is 0: EINVAL"],
    [
      (mm) => mprotect(mm, unaligned, 4096, 1),
      "do_mprotect_pkey: the address is on no page boundary: EINVAL",
    ],
    [(mm) => mprotect(mm, at(0), 4096, 1 << 6), "do_mprotect_pkey: unknown bits in prot: EINVAL"],
    [(mm) => mprotect(mm, at(9), 4096, 1), "do_mprotect_pkey: no VMA ends above the address: ENOMEM"],
    [(mm) => mprotect(mm, at(-1), 4096, 1), "do_mprotect_pkey: nothing is mapped at the address: ENOMEM"],
    [
      (mm) => madvise(mm, at(0), 4096, MADV.REMOVE),
      "madvise_vma_behavior: MADV_REMOVE takes shared writable memory that is not locked, of a file that can give " +
      "blocks back; the VMA [0x100000000000, 0x100000004000) is not such: EINVAL",
    ],
    [
      (mm) => madvise(mm, at(9), 4096, MADV.DONTNEED),
      "madvise_walk_vmas: nothing is mapped from 0x100000009000 on; what lies before was advised: ENOMEM",
    ],
    [
      (mm) => mremap(mm, { address: at(0), oldLength: 1, newLength: 0 }),
      "mremap: the new length is 0: EINVAL",
    ],
    [
      (mm) => mremap(mm, { address: at(9), oldLength: 4096, newLength: 8192 }),
      "mremap: nothing is mapped at the address: EFAULT",
    ],
    [
      (mm) => mremap(mm, { address: at(2), oldLength: bytes(3), newLength: bytes(4), flags: MREMAP_MAYMOVE }),
      "vma_to_resize: the range leaves the VMA: EFAULT",
    ],
    [(mm) => mlock(mm, at(9), 4096), "apply_vma_lock_flags: nothing is mapped at the address: ENOMEM"],
    [(mm) => mlock2(mm, at(0), 4096, 2), "mlock2: flags other than MLOCK_ONFAULT: EINVAL"],
    [(mm) => mlockall(mm, 0), "mlockall: unknown flags, none, or MCL_ONFAULT alone: EINVAL"],
    [(mm) => msync(mm, at(0), 4096, MS_ASYNC | MS_SYNC), "msync: MS_ASYNC and MS_SYNC together: EINVAL"],
    [(mm) => mincore(mm, unaligned, 4096), "mincore: the address is on no page boundary: EINVAL"],
    [(mm) => pkeyFree(mm, 3), "pkey_free: the key is not the program's: EINVAL"],
    [
      (mm) => mmap(mm, { length: 0, prot: 1, flags: MAP_PRIVATE | MAP_ANONYMOUS }),
      "do_mmap: the length is 0: EINVAL",
    ],
    [
      (mm) => mmap(mm, { length: 4096, prot: 1, flags: MAP_PRIVATE }),
      "ksys_mmap_pgoff: neither MAP_ANONYMOUS nor an open file: EBADF",
    ],
    [
      (mm) =>
        mmap(mm, {
          address: at(0),
          length: 4096,
          prot: 1,
          flags: MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
        }),
      "do_mmap: MAP_FIXED_NOREPLACE, and something is mapped there: EEXIST",
    ],
    [
      (mm) => mmap(mm, { length: 2 ** 50, prot: 1, flags: MAP_PRIVATE | MAP_ANONYMOUS }),
      "get_unmapped_area: longer than user space: ENOMEM",
    ],
  ];
  for (const [call, says] of rows) {
    const { mm } = machine();
    map(mm, 0, 4);
    assertEquals(call(mm).ok, false, says);
    const { where, what } = explainCall(mm).decisions.at(-1)!;
    assertEquals(`${where}: ${what}`, says);
  }
});

Deno.test("explainCall() leaves no refusal of chance calls without its rule", () => {
  const rng = new Rng(5);
  const { mm } = machine();
  mm.maxMapCount = 12;
  let refused = 0;
  for (let step = 0; step < 1500; step++) {
    const start = at(rng.below(24)) + (rng.below(12) === 0 ? 7 : 0);
    const length = bytes(rng.below(6));
    const rights = rng.below(9);
    const calls: (() => SysResult<unknown>)[] = [
      () =>
        mmap(mm, {
          address: start,
          length,
          prot: rights,
          flags: MAP_ANONYMOUS | rng.below(4) | rng.below(2) << 4,
        }),
      () => munmap(mm, start, length),
      () => mprotect(mm, start, length, rights),
      () => madvise(mm, start, length, rng.below(30)),
      () => mlock(mm, start, length),
      () => msync(mm, start, length, rng.below(9)),
      () => mincore(mm, start, length),
      () =>
        mremap(mm, {
          address: start,
          oldLength: length,
          newLength: bytes(rng.below(6)),
          flags: rng.below(9),
          newAddress: at(rng.below(24)),
        }),
    ];
    const answer = calls[rng.below(calls.length)]!();
    if (answer.ok) continue;
    refused++;
    const { decisions } = explainCall(mm);
    assertEquals(
      decisions.some(({ what }) => what.endsWith(`: ${answer.errno}`)),
      true,
      String(explainCall(mm)),
    );
  }
  assertEquals(refused > 300, true, `${refused} refused`);
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
