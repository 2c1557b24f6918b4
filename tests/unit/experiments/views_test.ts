import { assert, assertEquals } from "@std/assert";
import { htmlView, lineView, textView } from "../../../lib/core/views.ts";
import { PAGE } from "../../../lib/core/geometry.ts";
import { compare } from "../../../lib/experiments/compare.ts";
import { explain } from "../../../lib/experiments/explain.ts";
import { world } from "../../../lib/experiments/world.ts";

interface ShowsItself {
  [textView](inspect?: unknown, options?: { breakLength?: number }): string;
  [lineView](): string;
  [htmlView](): string;
}

function stage() {
  const w = world();
  const qemu = w.process("qemu");
  const before = qemu.maps;
  const vma = qemu.mmapGrants(w.guest.grant(8));
  const mapped = qemu.maps;
  qemu.munmap(vma.start + 4 * PAGE, PAGE);
  const low = qemu.vmas[0]!;
  const io = qemu.directRead(low.start, 2 * PAGE);
  qemu.read(low.start);
  return { w, qemu, before, mapped, low, io };
}

/** What of each view must be there, in text and in HTML. */
const VIEWS: readonly (readonly [
  name: string,
  of: (s: ReturnType<typeof stage>) => ShowsItself,
  parts: readonly string[],
])[] = [
  ["World", ({ w }) => w, ["xen4_17", "dom0", "0x700–0x8ff", "qemu"]],
  ["Process", ({ qemu }) => qemu, ["process qemu, 2 VMAs", "0x7ffff7ff7000", "AAAA.BBB"]],
  ["Maps", ({ qemu }) => qemu.maps, ["2 VMAs, 7 pages", "rw-s", "gntdev", "AAAA.BBB"]],
  ["MapsChange", ({ qemu, mapped }) => qemu.maps.since(mapped), ["before  AAAAAAAA", "after   AAAA.BBB"]],
  ["MmStruct", ({ qemu }) => qemu.mm, ["top table in frame 0x1009", "AAAA.BBB"]],
  ["VmaTree", ({ qemu }) => qemu.mm.vmas, ["2 VMAs", "AAAA.BBB"]],
  ["Vma", ({ low }) => low, ["0x7ffff7ff7000-0x7ffff7ffb000", "VmFlags", "pages    ffff"]],
  ["PageTable", ({ qemu }) => qemu.tables, ["7 pages in 2 ranges", "0x710–0x713", "0x715–0x717"]],
  ["WalkDrawing", ({ qemu, low }) => qemu.walk(low.start), [
    "├ CR3",
    "└ frame 0x710",
    "grant 8 of domain 1, handle 0",
  ]],
  ["Tlb", ({ w }) => w.tlb, ["0x7ffff7ff7000", "global", "0x710", "rw-"]],
  ["Cpu", ({ w }) => w.kernel.system.cpus[0]!, ["CR3", "frame 0x1009", "EFER"]],
  ["PhysMem", ({ w }) => w.hv.mem, ["machine memory: 0x2400 frames (36 MiB)"]],
  ["Guest", ({ w }) => w.guest, ["guest", "0x700–0x8ff", "8 of 512 entries used"]],
  ["GrantTableListing", ({ w }) => w.guest.table, [
    "8 of 512 entries used, 7 pinned",
    "permit_access reading writing",
    "2 host rw",
  ]],
  ["GrantEntryInfo", ({ w }) => w.guest.table.entry(12), [
    "grant 12 of domain 1: permit_access for domain 0, frame 0x714, not in use",
  ]],
  ["GrantTable", ({ w }) => w.guest.domain.grantTable, ["7 of 512 entries pinned", "0x710"]],
  ["Maptrack", ({ w }) => w.dom0.maptrack, [
    "14 of 256 handles live",
    "host application contains_pte",
    "0x100cfb8",
  ]],
  ["Domain", ({ w }) => w.dom0, ["domain 0 (dom0)", "1024: 0x1000–0x13ff", "privileged"]],
  ["Hypervisor", ({ w }) => w.hv, ["xen4_17", "guest", "0x700–0x8ff"]],
  ["FrameTable", ({ w }) => w.hv.frames, ["writable", "1013"]],
  ["FrameInfo", ({ w }) => w.frame(0x710), ["frame 0x710", "domain 1 (guest)", "writable, 2 uses"]],
  ["FrameInfo of nobody", ({ w }) => w.frame(0x2000), ["nobody", "none"]],
  ["M2p", ({ w }) => w.hv.m2p, ["machine-to-physical"]],
  ["TlbFlusher", ({ w }) => w.hv.tlb, ["TLB flushes of 1 CPUs"]],
  ["XenLinux", ({ w }) => w.kernel, ["find_special_page"]],
  ["P2m", ({ w }) => w.kernel.p2m, ["FOREIGN(0x710) …", "INVALID"]],
  ["MmSystem", ({ w }) => w.kernel.system, ["mm of one kernel"]],
  ["MemMap", ({ w }) => w.kernel.system.memMap, ["memory map: 2048 pages"]],
  ["FrameSource", ({ w }) => w.kernel.frameSource, ["ballooned pages: 1016 free"]],
  ["DelayedWork", ({ w }) => w.kernel.work, ["delayed work at 0 ms"]],
  ["GntdevPriv", ({ qemu }) => qemu.gntdev.priv, [
    "gntdev file: 1 maps",
    "map at index 0: 8 grants, 7 mapped",
  ]],
  ["GrantMap", ({ qemu }) => qemu.gntdev.priv.maps[0]!, ["8 grants"]],
  ["FileObject", ({ qemu }) => qemu.gntdev.file, ["file gntdev"]],
  ["RamDisk", ({ w }) => w.disk, ["disk of 64 MiB"]],
  ["ReferenceSpace", ({ qemu }) => qemu.reference, [
    "reference: 7 pages",
    "0x7ffff7ff7000",
    "0x710",
    "rw-",
  ]],
  ["IoOutcome", ({ io }) => io, ["O_DIRECT read of 8192 bytes returns 8192", "0x711", "must reach", "ok"]],
  ["Explanation", ({ io }) => explain(io), ["gup_pte_range", "vm_normal_page"]],
  ["Trace", ({ w }) => w.trace, ["hypercall", "events of"]],
  ["EventTally", ({ w }) => w.events(), [
    "hypercall",
    "cycles, assumed",
    "assumed: price list assumed_cycles",
  ]],
  ["Grants", ({ w }) => w.guest.grant(1), ["1 grants of domain 1, writable", "0x718"]],
  ["Comparison", () => compare("split_then_pin", ["seed2014"], { pages: 4 }), [
    "seed2014: ",
    "split_then_pin on xen4_17",
  ]],
];

for (const [name, of, parts] of VIEWS) {
  Deno.test(`views: ${name} shows the same in text and HTML, and itself in one line`, () => {
    const shown = of(stage());
    const text = shown[textView](undefined, { breakLength: 160 });
    const html = shown[htmlView]();
    const unescaped = html.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
    for (const part of parts) {
      assert(text.includes(part), `${name}, text: ${part}\n${text}`);
      assert(unescaped.includes(part), `${name}, HTML: ${part}\n${html}`);
    }
    assert(!shown[lineView]().includes("\n"), shown[lineView]());
    assert(!/\b1407373\d+\b/.test(text), `${name}: an address in decimal\n${text}`);
    for (const line of shown[textView](undefined, { breakLength: 60 }).split("\n")) {
      assert([...line].length <= 60, `${name}, 60 columns: ${line}`);
    }
  });
}

Deno.test("views look only: no event is counted, no bit set, no TLB entry made", () => {
  const s = stage();
  const { w } = s;
  const counters = w.trace.mark();
  const entries = w.tlb.entries().length;
  const words = w.hv.mem.words.slice();
  for (const [name, of] of VIEWS) {
    if (name === "Grants") continue;
    const shown = of(s);
    shown[textView]();
    shown[lineView]();
    shown[htmlView]();
  }
  assertEquals(w.trace.since(counters), {});
  assertEquals(w.tlb.entries().length, entries);
  assertEquals(w.hv.mem.words, words);
});

Deno.test("World.events() counts what a body does, and all so far", () => {
  const w = world();
  const qemu = w.process();
  const grants = w.guest.grant(1);
  const one = w.events(() => qemu.mmapGrants(grants));
  assertEquals([one.counts.hypercall !== undefined, one.total < w.events().total], [true, true]);
});

Deno.test("Process.walk() of an address that nothing maps, and of a foreign page without grant", () => {
  const { w, qemu, low } = stage();
  const hole = qemu.walk(low.start + 4 * PAGE);
  assertEquals(hole.outcome.includes("P = 0"), true);
  assertEquals(String(hole).includes("owned by"), false);
  assertEquals(String(qemu.walk(low.start, "write")).includes("write at CPL 3"), true);
  assertEquals(qemu.walk(2 ** 60).lines.length, 2);
  assertEquals(w.processes.length, 1);
});
