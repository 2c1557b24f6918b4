/**
 * The two fast walkers side by side on the same entries. Frames as in p2m_test.ts: the guest's pfn 16 is frame 0x710,
 * whose number dom0's p2m covers; pfn 300 is frame 0x82c beyond its end.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { KernelBug } from "../../../../lib/core/crash.ts";
import { PAGE } from "../../../../lib/core/geometry.ts";
import { Grants, world } from "../../../../lib/experiments/world.ts";
import { gupFastGeneric } from "../../../../lib/linux/mm/gup_fast/generic.ts";
import {
  type GupFastBail,
  gupFastResult,
  type GupFastWalker,
} from "../../../../lib/linux/mm/gup_fast/walker.ts";
import { x86GupFast2014 } from "../../../../lib/linux/mm/gup_fast/x86_2014.ts";
import { FOLL_FORCE, FOLL_GET, FOLL_PIN, FOLL_WRITE } from "../../../../lib/linux/mm/gup_flags.ts";
import type { MmStruct } from "../../../../lib/linux/mm/mm_struct.ts";
import { mmap } from "../../../../lib/linux/mm/mmap.ts";
import { mprotect } from "../../../../lib/linux/mm/mprotect.ts";
import { nativeLinux } from "../../../../lib/linux/mm/native.ts";
import { PG_anon_exclusive } from "../../../../lib/linux/mm/page.ts";
import { allocSlot, rawFrame } from "../../../../lib/linux/mm/pgtable.ts";
import {
  MAP_ANONYMOUS,
  MAP_POPULATE,
  MAP_PRIVATE,
  PROT_EXEC,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
} from "../../../../lib/linux/mm/prot.ts";
import { userAccess } from "../../../../lib/linux/mm/user_access.ts";
import { grantAccess } from "../../../../lib/xen/grant_access.ts";

/** An entry to look at. */
interface Place {
  readonly mm: MmStruct;
  readonly address: number;
}

const RW = PROT_READ | PROT_WRITE;

/** Native memory with these rights; `touch` makes the entry. */
function anon(touch: "" | "r" | "w", prot = RW): Place {
  const mm = nativeLinux({ frames: 256 }).process();
  const at = mmap(mm, { length: 4 * PAGE, prot, flags: MAP_PRIVATE | MAP_ANONYMOUS });
  if (!at.ok) throw new Error(at.errno);
  if (touch !== "") userAccess(mm, 0, at.value, touch, 1);
  return { mm, address: at.value };
}

function protectedAnon(prot: number): Place {
  const place = anon("w");
  mprotect(place.mm, place.address, PAGE, prot);
  return place;
}

/** A grant of the guest, mapped by a kernel whose entries are special or not. */
function foreign(pfn: number, kernel: "draft_b" | "linux6_1"): Place {
  const w = world({ kernel });
  const p = w.process();
  return { mm: p.mm, address: p.mmapGrants(w.guest.grant([pfn])).start };
}

/** dom0's own frame through a grant to itself. */
function self(kernel: "draft_b" | "linux6_1"): Place {
  const w = world({ kernel });
  const p = w.process();
  const frame = w.dom0.mfnOf(0x300);
  grantAccess(w.dom0, 20, { domid: w.dom0.domid, frame });
  w.kernel.system.memMap.refcount[0x300] = 1;
  return { mm: p.mm, address: p.mmapGrants(new Grants(w.dom0.domid, [20], [frame], true)).start };
}

/** The pfn of the page behind the entry, for native memory. */
const pageAt = ({ mm, address }: Place) => rawFrame(mm.system, allocSlot(mm, address));

/** What a walker says: the page, why it gave up, or that it died. */
type Said = "the page" | `page 0x${string}` | GupFastBail | "crash";

interface Case {
  readonly entry: string;
  readonly place: () => Place;
  readonly flags: number;
  readonly old: Said;
  readonly generic: Said;
}

// deno-fmt-ignore
const CASES: readonly Case[] = [
  { entry: "control: anonymous, for writing", place: () => anon("w"), flags: FOLL_GET | FOLL_WRITE, old: "the page", generic: "the page" },
  { entry: "anonymous, for reading", place: () => anon("w"), flags: FOLL_GET, old: "the page", generic: "the page" },
  { entry: "no table at all", place: () => anon(""), flags: FOLL_GET, old: "no-table", generic: "no-table" },
  { entry: "never touched, next to one that was", place: () => { const p = anon("w"); return { ...p, address: p.address + PAGE }; }, flags: FOLL_GET, old: "pte-flags", generic: "pte-not-permitted" },
  { entry: "page of zeros", place: () => anon("r"), flags: FOLL_GET, old: "pte-flags", generic: "pte-special" },
  { entry: "page of zeros, for writing: rights come first", place: () => anon("r"), flags: FOLL_GET | FOLL_WRITE, old: "pte-flags", generic: "pte-not-permitted" },
  { entry: "PROT_NONE", place: () => protectedAnon(PROT_NONE), flags: FOLL_GET, old: "pte-flags", generic: "pte-protnone" },
  { entry: "PROT_NONE, forced", place: () => protectedAnon(PROT_NONE), flags: FOLL_GET | FOLL_FORCE, old: "pte-flags", generic: "pte-not-permitted" },
  { entry: "read-only, for writing", place: () => protectedAnon(PROT_READ), flags: FOLL_GET | FOLL_WRITE, old: "pte-flags", generic: "pte-not-permitted" },
  { entry: "read-only, for reading", place: () => protectedAnon(PROT_READ), flags: FOLL_GET, old: "the page", generic: "the page" },
  { entry: "execute-only: its key forbids data", place: () => protectedAnon(PROT_EXEC), flags: FOLL_GET, old: "the page", generic: "pte-not-permitted" },
  { entry: "foreign, not special, inside the p2m", place: () => foreign(16, "draft_b"), flags: FOLL_GET | FOLL_WRITE, old: "page 0x0", generic: "pte-not-permitted" },
  { entry: "foreign, not special, beyond the p2m", place: () => foreign(300, "draft_b"), flags: FOLL_GET | FOLL_WRITE, old: "crash", generic: "page-grab-failed" },
  { entry: "foreign, special, inside the p2m", place: () => foreign(16, "linux6_1"), flags: FOLL_GET | FOLL_WRITE, old: "pte-flags", generic: "pte-not-permitted" },
  { entry: "foreign, special, beyond the p2m", place: () => foreign(300, "linux6_1"), flags: FOLL_GET | FOLL_WRITE, old: "pte-flags", generic: "pte-special" },
  { entry: "own frame through a grant, not special", place: () => self("draft_b"), flags: FOLL_GET | FOLL_WRITE, old: "page 0x300", generic: "page 0x300" },
  { entry: "own frame through a grant, special", place: () => self("linux6_1"), flags: FOLL_GET | FOLL_WRITE, old: "pte-flags", generic: "pte-special" },
];

function said(walker: GupFastWalker, place: Place, flags: number): Said {
  const out = gupFastResult();
  const { refcount } = place.mm.system.memMap;
  const before = refcount.slice();
  try {
    walker.walk(place.mm, place.address, 1, flags, out);
  } catch (e) {
    if (!(e instanceof KernelBug)) throw e;
    return "crash";
  }
  const page = out.pages[0];
  const changed = refcount.reduce((n, count, i) => n + Math.abs(count - before[i]!), 0);
  assertEquals(changed, page === undefined ? 0 : 1, "one reference for a page, none for nothing");
  assertEquals(out.detail === "", out.bail === null, "a walk that stops says why");
  if (page === undefined) return out.bail!;
  return place.mm.system.pv.name === "native" && page === pageAt(place)
    ? "the page"
    : `page 0x${page.toString(16)}`;
}

for (const { entry, place, flags, old, generic } of CASES) {
  Deno.test(`fast walkers look at: ${entry}`, () => {
    assertEquals(
      { old: said(x86GupFast2014, place(), flags), generic: said(gupFastGeneric, place(), flags) },
      {
        old,
        generic,
      },
    );
  });
}

Deno.test("gupFastGeneric does not grab a page without references", () => {
  const place = anon("w");
  const page = pageAt(place);
  place.mm.system.memMap.refcount[page] = 0;
  const out = gupFastResult();
  gupFastGeneric.walk(place.mm, place.address, 1, FOLL_GET, out);
  assertEquals([out.bail, place.mm.system.memMap.refcount[page]], ["page-grab-failed", 0]);
});

for (
  const [given, flags, exclusive, bail] of [
    ["control: exclusive page, pin", FOLL_PIN, true, null],
    ["shared page, pin", FOLL_PIN, false, "must-unshare"],
    ["shared page, reference", FOLL_GET, false, null],
  ] as const
) {
  Deno.test(`gupFastGeneric on a read-only anonymous page: ${given}`, () => {
    const place = protectedAnon(PROT_READ);
    const { memMap } = place.mm.system;
    const page = pageAt(place);
    if (!exclusive) memMap.flags[page]! &= ~PG_anon_exclusive;
    const out = gupFastResult();
    gupFastGeneric.walk(place.mm, place.address, 1, flags, out);
    assertEquals(out.bail, bail);
    assertEquals(memMap.refcount[page], bail !== null ? 1 : flags === FOLL_PIN ? 1025 : 2);
  });
}

for (const walker of [x86GupFast2014, gupFastGeneric]) {
  Deno.test(`${walker.name} stops at the first entry it cannot take and keeps what it has`, () => {
    const { mm, address } = anon("w");
    userAccess(mm, 0, address + PAGE, "w", 1);
    userAccess(mm, 0, address + 3 * PAGE, "w", 1);
    const out = gupFastResult();
    walker.walk(mm, address, 4, FOLL_GET, out);
    assertEquals([out.pages.length, out.bail !== null], [2, true]);
    assertEquals(mm.system.trace.count("gup_fast_pte"), 3);
  });

  Deno.test(`${walker.name} crosses from one table to the next`, () => {
    const mm = nativeLinux({ frames: 2048 }).process();
    const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE;
    const at = mmap(mm, { length: 1024 * PAGE, prot: RW, flags });
    if (!at.ok) throw new Error(at.errno);
    const boundary = (Math.floor(at.value / 2 ** 21) + 2) * 2 ** 21;
    const out = gupFastResult();
    walker.walk(mm, boundary - 2 * PAGE, 4, FOLL_GET | FOLL_WRITE, out);
    const pages = [-2, -1, 0, 1].map((i) => pageAt({ mm, address: boundary + i * PAGE }));
    assertEquals([out.pages, out.bail], [pages, null] as unknown[]);
  });
}

Deno.test("x86GupFast2014 dies where a kernel of its time dies", () => {
  const { mm, address } = foreign(300, "draft_b");
  const bug = assertThrows(
    () => x86GupFast2014.walk(mm, address, 1, FOLL_GET, gupFastResult()),
    KernelBug,
    "frame 0x82c",
  );
  assertEquals([bug.where, bug.what], ["gup_pte_range", "VM_BUG_ON(!pfn_valid(pte_pfn(pte)))"]);
});
