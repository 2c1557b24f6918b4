/**
 * The host as people use it: what it makes, and that a refused wish changes nothing.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { PAGE } from "../../../lib/core/geometry.ts";
import { type World, world, type WorldOptions } from "../../../lib/experiments/world.ts";
import { MAP_ANONYMOUS, MAP_FIXED, MAP_PRIVATE, MAP_SHARED, PROT_READ } from "../../../lib/linux/mm/prot.ts";
import { readGrantEntry } from "../../../lib/xen/grant_access.ts";
import { validateXen } from "../../../lib/xen/validate.ts";

/** All that a refused call could have changed. */
function state(w: World): unknown {
  return {
    entries: w.guest.domain.grantTable.nrEntries,
    hypercalls: w.trace.count("hypercall"),
    content: w.hv.mem.framesWithContent,
    pages: w.kernel.frameSource.nrFree,
    free: w.kernel.system.memMap.nrFree,
  };
}

const REFUSED: readonly {
  given: string;
  what: unknown;
  error: typeof RangeError | typeof TypeError;
  says: string;
}[] = [
  { given: "a thousand million", what: 1e9, error: RangeError, says: "the budget grantsPerCall is 65536" },
  { given: "one more than the budget", what: 2 ** 16 + 1, error: RangeError, says: "grantsPerCall" },
  { given: "a negative number", what: -1, error: RangeError, says: "Cannot grant -1" },
  { given: "a fraction", what: 1.5, error: RangeError, says: "Cannot grant 1.5" },
  { given: "no number", what: NaN, error: RangeError, says: "Cannot grant NaN" },
  { given: "text", what: "4", error: TypeError, says: 'Cannot grant "4"' },
  { given: "nothing", what: undefined, error: TypeError, says: "Cannot grant undefined" },
  { given: "one more than the guest has", what: 497, error: RangeError, says: "496 frames left" },
  { given: "far more than the guest has", what: 5000, error: RangeError, says: "496 frames left" },
  { given: "a frame that it has not", what: [16, 512], error: RangeError, says: "frame 512" },
  { given: "a frame number that is none", what: [16, 0.5], error: RangeError, says: "0.5" },
];

for (const { given, what, error, says } of REFUSED) {
  Deno.test(`Guest.grant() refuses ${given} and changes nothing`, () => {
    const w = world();
    const before = state(w);
    assertThrows(() => w.guest.grant(what as number), error, says);
    assertEquals(state(w), before);
    const { refs, frames } = w.guest.grant(1);
    assertEquals([refs, frames], [[8], [0x710]] as unknown[]);
  });
}

Deno.test("Guest.grant() publishes entries for dom0 and fills the frames", () => {
  const w = world();
  const grants = w.guest.grant(2);
  const ro = w.guest.grant([20], { readonly: true });
  assertEquals([grants.refs, grants.frames, grants.writable], [[8, 9], [0x710, 0x711], true] as unknown[]);
  assertEquals([ro.refs, ro.frames, ro.writable], [[10], [0x714], false] as unknown[]);
  assertEquals(readGrantEntry(w.guest.domain, 9), { flags: 1, domid: 0, frame: 0x711 });
  assertEquals(readGrantEntry(w.guest.domain, 10), { flags: 5, domid: 0, frame: 0x714 });
  assertEquals([w.guest.read(grants, 0), w.guest.read(grants, 1, 4095)], [0x10, 0x11]);
  assertThrows(() => w.guest.read(grants, 2), RangeError, "there are 2");
  assertThrows(() => w.guest.read(grants, 0, 4096), RangeError, "0x1000");
});

Deno.test("Guest.grant() grows the table when its 512 entries are used up", () => {
  const w = world({ guestFrames: 2048, ballooned: 4096 });
  w.guest.grant(504);
  assertEquals(w.guest.domain.grantTable.nrEntries, 512);
  assertEquals(w.guest.grant(1).refs, [512]);
  assertEquals(w.guest.domain.grantTable.nrEntries, 1024);
});

Deno.test("Guest.grant() names the table when it cannot grow", () => {
  const w = world({ guestFrames: 40000, ballooned: 40960 });
  const max = w.guest.domain.grantTable.maxFrames * 512;
  w.guest.grant(max - 8);
  const before = state(w);
  assertThrows(() => w.guest.grant(1), RangeError, "0 free entries");
  // Only the hypercall that was refused has happened.
  assertEquals(state(w), {
    ...before as object,
    hypercalls: (before as { hypercalls: number }).hypercalls + 1,
  });
});

Deno.test("Guest.revoke() takes back what is not in use", () => {
  const w = world();
  const grants = w.guest.grant(3);
  const p = w.process();
  const { start } = p.mmapGrants(grants);
  p.munmap(start + PAGE, PAGE);
  assertEquals(w.guest.revoke(grants), [false, true, false]);
  assertEquals([8, 9, 10].map((ref) => readGrantEntry(w.guest.domain, ref).flags), [0x19, 0, 0x19]);
});

const WORLDS: readonly { given: string; options: WorldOptions; says: string }[] = [
  { given: "a kernel with a slip", options: { kernel: "linux4_1" }, says: '"linux4_0"' },
  { given: "a kernel in other letters", options: { kernel: "Linux6_1" }, says: '"linux6_1"' },
  { given: "a member of every object", options: { kernel: "toString" }, says: 'kernel flavour "toString"' },
  { given: "a Xen with a slip", options: { xen: "xen417" }, says: '"xen4_17"' },
  { given: "too many frames", options: { dom0Frames: 2 ** 20 + 1 }, says: "domainFrames" },
  { given: "a dom0 without room for a process", options: { dom0Frames: 15 }, says: "it needs 16" },
  {
    given: "frames and pages that are too many together",
    options: { dom0Frames: 2 ** 20, ballooned: 1 },
    says: "domainFrames",
  },
  { given: "too many pages", options: { ballooned: 1e9 }, says: "domainFrames" },
  { given: "a negative guest", options: { guestFrames: -1 }, says: "-1" },
];

for (const { given, options, says } of WORLDS) {
  Deno.test(`world() refuses ${given}`, () => {
    assertThrows(() => world(options), RangeError, says);
  });
}

Deno.test("world() makes the smallest dom0 that can map a grant", () => {
  const w = world({ dom0Frames: 16, ballooned: 1, guestFrames: 17 });
  const p = w.process();
  const vma = p.mmapGrants(w.guest.grant(1));
  assertEquals(p.directRead(vma.start, PAGE).pages[0]!.verdict, "ok");
  assertThrows(() => w.guest.grant(1), RangeError, "the guest has 0 frames left to grant");
  assertThrows(
    () => world({ guestFrames: 0 }).guest.grant(1),
    RangeError,
    "the guest has 0 frames left to grant",
  );
});

Deno.test("world() straddles the end of dom0's p2m with the guest's frames", () => {
  const w = world();
  const inside = w.guest.domain.frames.filter((frame) => frame < w.p2mEnd).length;
  assertEquals([w.p2mEnd, inside, w.guest.domain.frames.length], [0x800, 256, 512]);
  assert(w.dom0.frames.every((frame) => frame >= w.p2mEnd), "dom0's own frames are no pfns");
});

Deno.test("two worlds share nothing", () => {
  const [a, b] = [world({ kernel: "seed2014" }), world({ kernel: "seed2014" })];
  const before = state(b);
  a.process().mmapGrants(a.guest.grant(4));
  assertEquals(state(b), before);
});

Deno.test("Process.mmapGrants() of revoked references names the status and leaves nothing behind", () => {
  const w = world();
  const p = w.process();
  const kept = p.mmapGrants(w.guest.grant(2));
  const gone = w.guest.grant(4);
  w.guest.revoke(gone);
  const free = w.kernel.frameSource.nrFree;
  assertThrows(
    () => p.mmapGrants(gone),
    RangeError,
    "Cannot map 4 grants of domain 1: the kernel answers EINVAL, statuses GNTST_general_error",
  );
  assertEquals([w.kernel.frameSource.nrFree, p.gntdev.priv.maps.length, p.vmas.length], [free, 1, 1]);
  assertEquals(p.directRead(kept.start, 2 * PAGE).returned, "8192");
  assertEquals(p.reference.at(kept.start - PAGE), undefined);
  assertEquals(p.tryMmapGrants(gone), { ok: false, errno: "EINVAL" });
  assertEquals([validateXen(w.hv), w.kernel.frameSource.nrFree], [[], free]);
});

Deno.test("Process.mmapGrants() of more grants than there are pages is ENOMEM", () => {
  const w = world({ ballooned: 300 });
  const p = w.process();
  const grants = w.guest.grant(301);
  assertEquals(p.tryMmapGrants(grants), { ok: false, errno: "ENOMEM" });
  assertThrows(() => p.mmapGrants(grants), RangeError, "the kernel answers ENOMEM");
  assertEquals(w.kernel.frameSource.nrFree, 300);
});

Deno.test("Process.mmapGrants() of no grant is EINVAL", () => {
  const w = world();
  assertThrows(() => w.process().mmapGrants(w.guest.grant(0)), RangeError, "the kernel answers EINVAL");
});

Deno.test("Process.mmapGrants() takes the pin limit of 128 mappings as the kernel's EINVAL", () => {
  const w = world();
  const p = w.process();
  const grants = w.guest.grant(1);
  const mapped = Array.from({ length: 65 }, () => p.tryMmapGrants(grants));
  assertEquals(mapped.map(({ ok }) => ok), [...Array(64).fill(true), false]);
  assertEquals([validateXen(w.hv), w.kernel.system.log], [[], []]);
});

for (const [given, offset, length] of [["address", 1, PAGE], ["length", 0, 0]] as const) {
  Deno.test(`Process.munmap() answers EINVAL and changes nothing: ${given}`, () => {
    const w = world();
    const p = w.process();
    const { start } = p.mmapGrants(w.guest.grant(2));
    assertEquals(p.munmap(start + offset, length), { ok: false, errno: "EINVAL" });
    assertEquals(p.directRead(start, 2 * PAGE).pages.map(({ verdict }) => verdict), ["ok", "ok"]);
  });
}

Deno.test("Process.munmap() of all user space ends every mapping", () => {
  const w = world();
  const p = w.process();
  const { start } = p.mmapGrants(w.guest.grant(2));
  assertEquals(p.munmap(0, 2 ** 47 - PAGE), { ok: true, value: 0 });
  assertEquals([p.vmas.length, p.directRead(start, PAGE).pages[0]!.verdict], [0, "ok"]);
});

for (const [given, pages] of [["2^40 pages", 2 ** 40], ["more than there is memory", 2 ** 21]] as const) {
  Deno.test(`Process.mmap() answers ENOMEM: ${given}`, () => {
    const w = world();
    const p = w.process();
    const before = state(w);
    const result = p.mmap({ length: pages * PAGE, prot: 3, flags: MAP_PRIVATE | MAP_ANONYMOUS });
    assertEquals(result.ok || result.errno, "ENOMEM");
    assertEquals([state(w), p.vmas.length], [before, 0]);
  });
}

Deno.test("Process.mmap() over a grant mapping is known to the reference", () => {
  const w = world();
  const p = w.process();
  const { start } = p.mmapGrants(w.guest.grant(3));
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
  assertEquals(p.mmap({ address: start + PAGE, length: PAGE, prot: PROT_READ, flags }).ok, true);
  assertEquals(p.reference.at(start + PAGE), undefined);
  const pages = [0, 2].map((i) => p.directRead(start + i * PAGE, PAGE).pages[0]!.verdict);
  assertEquals(pages, ["ok", "ok"]);
});

Deno.test("Process.mprotect() that ends at a hole has removed what lies before it", () => {
  const w = world();
  const p = w.process();
  const { start } = p.mmapGrants(w.guest.grant(6));
  p.munmap(start + 2 * PAGE, PAGE);
  assertEquals(p.mprotect(start, 6 * PAGE, PROT_READ), { ok: false, errno: "ENOMEM" });
  const outcomes = [0, 1, 2, 3, 4, 5].map((i) => p.directWrite(start + i * PAGE, PAGE));
  assertEquals(outcomes.map(({ returned }) => returned), [
    "-EFAULT",
    "-EFAULT",
    "-EFAULT",
    "4096",
    "4096",
    "4096",
  ]);
  assertEquals(outcomes.map(({ pages }) => pages[0]!.verdict), Array(6).fill("ok"));
});

for (
  const [given, address, length, offset] of [
    ["address NaN", NaN, PAGE, 0],
    ["address negative", -PAGE, PAGE, 0],
    ["length NaN", 0, NaN, 0],
    ["length infinite", 0, Infinity, 0],
    ["disk offset negative", 0, PAGE, -512],
  ] as const
) {
  Deno.test(`Process.directRead() refuses what no system call could be given: ${given}`, () => {
    const w = world();
    const before = w.trace.mark();
    assertThrows(() => w.process().directRead(address, length, offset), RangeError, "Cannot do direct I/O");
    assertEquals(w.trace.since(before).dma_page, undefined);
  });
}

Deno.test("Process.directRead() of an enormous length ends at the disk", () => {
  const w = world();
  const p = w.process();
  const io = p.directRead(p.mmapGrants(w.guest.grant(1)).start, 2 ** 50);
  assertEquals([io.returned, io.pages.length], ["-EINVAL", 1]);
});

Deno.test("Process.write() refuses what is no byte", () => {
  const w = world();
  const p = w.process();
  const { start } = p.mmapGrants(w.guest.grant(1));
  for (const byte of [-1, 256, NaN, 0.5]) {
    assertThrows(() => p.write(start, byte), RangeError, "Cannot write");
  }
  assertEquals(p.read(start), { ok: true, value: 0x10 });
  assertThrows(() => p.read(NaN), RangeError);
});

Deno.test("a crashed dom0 reports the crash once and refuses everything after it", () => {
  const w = world({ kernel: "draft_b" });
  const p = w.process();
  const { start } = p.mmapGrants(w.guest.grant([300]));
  const io = p.directRead(start, PAGE);
  assertEquals([io.returned, io.pages.map(({ verdict }) => verdict)], ["crash", ["crash"]]);
  assert(w.crash !== null);
  const calls: readonly (() => unknown)[] = [
    () => p.directRead(start, PAGE),
    () => p.directWrite(start, PAGE),
    () => p.munmap(start, PAGE),
    () => p.mprotect(start, PAGE, PROT_READ),
    () => p.mmap({ length: PAGE, prot: PROT_READ, flags: MAP_SHARED | MAP_ANONYMOUS }),
    () => p.mmapGrants(w.guest.grant(1)),
    () => p.read(start),
    () => p.write(start, 1),
    () => w.process(),
    () => w.advance(1),
  ];
  for (const call of calls) assertThrows(call, RangeError, "dom0 is gone, kernel BUG in gup_pte_range");
  assertEquals(w.guest.grant(1).refs.length, 1, "the guest lives on");
});

Deno.test("directRead() of the process's own memory is judged by what the program reaches", () => {
  const qemu = world().process("qemu");
  const at = qemu.mmap({ length: 4 * PAGE, prot: 3, flags: 0x22 });
  if (!at.ok) throw new Error(at.errno);
  const cases: [string, () => string][] = [
    ["ok", () => qemu.directRead(at.value, PAGE).pages[0]!.verdict],
    ["7168", () => String(qemu.directRead(at.value + 512, 7 * 1024).returned)],
    ["ok", () => qemu.directWrite(at.value + 3 * PAGE, PAGE).pages[0]!.verdict],
  ];
  for (const [expected, run] of cases) assertEquals(run(), expected);
  qemu.munmap(at.value, PAGE);
  const gone = qemu.directRead(at.value, PAGE);
  assertEquals([gone.returned, gone.pages[0]!.verdict], ["-EFAULT", "ok"]);
});

Deno.test("exit() of a process gives its grants back", () => {
  const w = world();
  const qemu = w.process("qemu");
  const grants = w.guest.grant(4);
  qemu.mmapGrants(grants);
  assertEquals(w.guest.revoke(grants), [false, false, false, false]);
  qemu.exit();
  assertEquals(w.guest.revoke(grants), [true, true, true, true]);
});

Deno.test("mmap() of more than an address space answers Linux's errno and names the limit", () => {
  const w = world();
  const qemu = w.process("qemu");
  const before = state(w);
  const result = qemu.mmap({ length: 2 ** 52, prot: PROT_READ, flags: MAP_PRIVATE | MAP_ANONYMOUS });
  assertEquals(result, {
    ok: false,
    errno: "ENOMEM",
    why:
      "Cannot map 4503599627370496 bytes: the address space of a process, TASK_SIZE_MAX, is 140737488351232",
  });
  assertEquals(state(w), before);
});
