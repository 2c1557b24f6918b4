import {
  fput,
  gupFastGeneric,
  MAP_FIXED,
  MAP_SHARED,
  memfdCreate,
  mm6_1,
  mmap,
  type MmFlavour,
  mprotect,
  munmap,
  nativeLinux,
  noForeignPages,
  PROT_READ,
  splitVma,
  splitVmaWithinLimit,
  type Vma,
  type VmOperations,
} from "../../../../lib/linux/mm/mod.ts";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { at, bytes, drawn, machine, map } from "./support.ts";

Deno.test("splitVma makes the piece asked for the new one and keeps offsets", () => {
  for (const newBelow of [true, false]) {
    const { mm } = machine();
    map(mm, 0, 8);
    const old = mm.vmas.lookup(at(0))!;
    const base = old.pgoff;
    const result = splitVma(old, at(3), newBelow);
    if (!result.ok) throw new Error(result.errno);
    const [low, high] = newBelow ? [result.value, old] : [old, result.value];
    assertEquals([low.start, low.end, high.start, high.end], [at(0), at(3), at(3), at(8)]);
    assertEquals([low.pgoff, high.pgoff], [base, base + 3]);
    assertEquals(mm.lastSplit!.drawing, newBelow ? "NNN|OOOOO" : "OOO|NNNNN");
    assertStrictEquals(mm.lastSplit!.copy, result.value);
  }
});

Deno.test("splitVma calls open for the new VMA while the old one has its old bounds, the foreign hook before", () => {
  const seen: string[] = [];
  const name = (vma: Vma) => `${(vma.start - at(0)) / 4096}-${(vma.end - at(0)) / 4096}`;
  const flavour: MmFlavour = {
    ...mm6_1,
    gupFast: gupFastGeneric,
    foreign: {
      ...noForeignPages,
      splitVma: (old, copy) => void seen.push(`hook ${name(old)} ${name(copy)}`),
    },
  };
  const mm = nativeLinux({ frames: 256, flavour }).process();
  map(mm, 0, 8);
  const old = mm.vmas.lookup(at(0))!;
  const ops: VmOperations = {
    name: "driver",
    open: (vma) => void seen.push(`open ${name(vma)} old ${name(old)}`),
  };
  old.ops = ops;
  splitVma(old, at(3), false);
  assertEquals(seen, ["hook 0-8 3-8", "open 3-8 old 0-8"]);
});

Deno.test("splitVma changes nothing when may_split refuses", () => {
  const { mm } = machine();
  map(mm, 0, 8);
  const vma = mm.vmas.lookup(at(0))!;
  vma.ops = { name: "driver", maySplit: (_vma, address) => address === at(3) ? "EINVAL" : null };
  assertEquals(splitVma(vma, at(3), true), { ok: false, errno: "EINVAL" });
  assertEquals(mm.vmas.size, 1);
  assertEquals(splitVma(vma, at(4), true).ok, true);
});

Deno.test("splitVmaWithinLimit answers ENOMEM at the limit, splitVma does not ask", () => {
  const { mm } = machine();
  map(mm, 0, 8);
  mm.maxMapCount = 1;
  const vma = mm.vmas.lookup(at(0))!;
  assertEquals(splitVmaWithinLimit(vma, at(3), true), { ok: false, errno: "ENOMEM" });
  mm.maxMapCount = 2;
  assertEquals(splitVmaWithinLimit(vma, at(3), true).ok, true);
  assertEquals(splitVma(vma, at(5), true).ok, true);
});

Deno.test("munmap and mprotect make the pieces new that Linux 6.1 makes new", () => {
  const cut = (act: (mm: ReturnType<typeof machine>["mm"]) => void): string => {
    const { mm } = machine();
    map(mm, 0, 8);
    act(mm);
    return mm.lastSplit!.drawing;
  };
  assertEquals(cut((mm) => munmap(mm, at(5), bytes(3))), "OOOOO|NNN");
  assertEquals(cut((mm) => munmap(mm, at(0), bytes(3))), "NNN|OOOOO");
  assertEquals(cut((mm) => mprotect(mm, at(5), bytes(3), PROT_READ)), "NNNNN|OOO");
  assertEquals(cut((mm) => mprotect(mm, at(0), bytes(3), PROT_READ)), "OOO|NNNNN");
});

Deno.test("splitVma holds a reference on the file for each piece", () => {
  const { linux, mm } = machine();
  const file = memfdCreate(linux.system, "A", 8);
  mmap(mm, { address: at(0), length: bytes(8), prot: PROT_READ, flags: MAP_SHARED | MAP_FIXED, file });
  assertEquals(file.count, 2);
  munmap(mm, at(3), bytes(1));
  assertEquals([file.count, drawn(mm)], [3, "0-3 r--s ...|4-8 r--s ...."]);
  munmap(mm, at(0), bytes(8));
  fput(file);
  assertEquals(file.count, 0);
});
