import { assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { PAGE } from "../../../lib/core/geometry.ts";
import { explain } from "../../../lib/experiments/explain.ts";
import { world } from "../../../lib/experiments/world.ts";
import { munmap } from "../../../lib/linux/mm/munmap.ts";

function grantMapping() {
  const w = world({ kernel: "linux6_1" });
  const qemu = w.process("qemu");
  return { qemu, vma: qemu.mmapGrants(w.guest.grant(4)) };
}

Deno.test("explain() answers the decisions of a call, however long ago it was", () => {
  const { qemu, vma } = grantMapping();
  const answer = qemu.munmap(vma.start + PAGE, PAGE);
  assertEquals(answer, { ok: true, value: 0 }); // what explain needs shows in no comparison
  const why = explain(answer);
  assertEquals([why.call, why.decisions[0]?.where, why.decisions[0]?.drawing], [
    "munmap",
    "__split_vma",
    "O|NNN",
  ]);
  const refused = explain(qemu.mprotect(vma.start + PAGE, PAGE, 1));
  assertEquals([refused.call, refused.decisions.map(({ where, what }) => `${where}: ${what}`)], [
    "mprotect",
    ["do_mprotect_pkey: nothing is mapped at the address: ENOMEM"],
  ]);
  assertStrictEquals(explain(answer), why);
});

Deno.test("explain() of a process or an address space is about the last call", () => {
  const { qemu, vma } = grantMapping();
  assertMatch(String(explain(qemu)), /^mmap\n/);
  const answer = qemu.munmap(vma.start, PAGE);
  assertStrictEquals(explain(qemu), explain(answer));
  assertStrictEquals(explain(qemu.mm), explain(answer));
  const why = qemu.mmap({ length: 2 ** 50, prot: 1, flags: 0x22 });
  assertEquals(explain(why).call, "mmap");
});

Deno.test("explain() refuses what it knows nothing of", () => {
  const { qemu, vma } = grantMapping();
  const table: unknown[] = [munmap(qemu.mm, vma.start, PAGE), 7, null, "munmap"];
  for (const value of table) {
    assertThrows(() => explain(value as ReturnType<typeof munmap>), TypeError, "Cannot explain ");
  }
});
