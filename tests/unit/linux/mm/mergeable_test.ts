import { assertEquals } from "@std/assert";
import type { AnonVma } from "../../../../lib/linux/mm/anon_vma.ts";
import {
  eitherMayLackAnonVma,
  isMergeableAnonVma,
  type MergeProperties,
  obstacleAfter,
  obstacleBefore,
} from "../../../../lib/linux/mm/mergeable.ts";
import { VM_SOFTDIRTY, type Vma } from "../../../../lib/linux/mm/mod.ts";
import { at, machine, map } from "./support.ts";

const A = { name: "a" } as unknown as AnonVma;
const B = { name: "b" } as unknown as AnonVma;

function untouched(): Vma {
  const { mm } = machine();
  map(mm, 0, 2);
  return mm.vmas.lookup(at(0))!;
}

Deno.test("obstacleBefore() and obstacleAfter() name the rule that forbids a merge", () => {
  const base = untouched();
  const own = ({ flags, pkey, file, anonVma }: Vma): MergeProperties => ({ flags, pkey, file, anonVma });
  const file = {} as NonNullable<MergeProperties["file"]>;
  const rows: [wanted: Partial<MergeProperties>, ops: object | null, obstacle: string | null][] = [
    [{}, null, null], // control
    [{ flags: base.flags ^ 1 }, null, "flags"],
    [{ flags: base.flags ^ VM_SOFTDIRTY }, null, null],
    [{ pkey: base.pkey + 1 }, null, "protection key"],
    [{ file }, null, "file"],
    [{}, { open: () => {} }, null],
    [{}, { close: () => {} }, "close operation"],
    [{ anonVma: A, anonVmaChain: [A] }, null, "anon_vma"],
    // The first rule that forbids is the one named.
    [{ flags: base.flags ^ 1, pkey: base.pkey + 1, file }, { close: () => {} }, "flags"],
  ];
  for (const [change, ops, obstacle] of rows) {
    const vma = untouched();
    if (ops !== null) Object.assign(vma, { ops });
    const wanted = { ...own(vma), ...change };
    assertEquals(obstacleBefore(vma, wanted, vma.pgoff), obstacle);
    assertEquals(obstacleAfter(vma, wanted, vma.pgoff + 2), obstacle);
  }
  for (const off of [-1, 1]) {
    assertEquals(obstacleBefore(base, own(base), base.pgoff + off), "page offset");
    assertEquals(obstacleAfter(base, own(base), base.pgoff + 2 + off), "page offset");
  }
});

Deno.test("isMergeableAnonVma() lets one side be without, if the VMA has exactly one", () => {
  const vma = (chain: AnonVma[]) => ({ anonVmaChain: chain }) as unknown as Vma;
  const rows: [one: AnonVma | null, other: AnonVma | null, vma: Vma | null, may: boolean][] = [
    [A, A, vma([A]), true], // control
    [A, B, vma([B]), false],
    [A, B, null, false],
    [null, B, vma([B]), true],
    [null, B, vma([A, B]), false],
    [A, null, vma([]), false],
    [null, null, vma([]), true],
    [null, B, null, true],
    [A, null, null, true],
  ];
  for (const [one, other, of, may] of rows) assertEquals(isMergeableAnonVma(one, other, of), may);
});

Deno.test("eitherMayLackAnonVma() lets either side be without, if the other has exactly one", () => {
  const rows: [wanted: [AnonVma | null, AnonVma[]], vma: [AnonVma | null, AnonVma[]], may: boolean][] = [
    [[A, [A]], [A, [A]], true], // control
    [[A, [A]], [B, [B]], false],
    [[null, []], [B, [B]], true],
    [[null, []], [B, [A, B]], false],
    [[A, [A]], [null, []], true],
    [[A, [A, B]], [null, []], false],
    [[null, []], [null, []], true],
    // The same, shared with a parent: nothing is taken over.
    [[A, [A, B]], [A, [A, B]], true],
  ];
  for (const [[anonVma, anonVmaChain], [own, chain], may] of rows) {
    const wanted = { flags: 0, pkey: 0, file: null, anonVma, anonVmaChain };
    assertEquals(eitherMayLackAnonVma(wanted, { anonVma: own, anonVmaChain: chain } as unknown as Vma), may);
  }
  const plain = { flags: 0, pkey: 0, file: null, anonVma: A };
  assertEquals(eitherMayLackAnonVma(plain, { anonVma: null, anonVmaChain: [] } as unknown as Vma), false);
});
