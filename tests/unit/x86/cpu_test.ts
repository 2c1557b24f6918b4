import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { mfn } from "../../../lib/core/frames.ts";
import { Cpu } from "../../../lib/x86/cpu.ts";
import type { GeneralProtection } from "../../../lib/x86/fault.ts";
import {
  CR0_NW,
  CR0_PE,
  CR0_PG,
  CR4_LA57,
  CR4_PAE,
  CR4_PCIDE,
  CR4_SMEP,
  EFER_LME,
} from "../../../lib/x86/registers.ts";

Deno.test("Cpu answers #GP where the processor does", () => {
  const table: [rule: string, act: (cpu: Cpu) => GeneralProtection | undefined, isFault: boolean][] = [
    ["control", (c) => c.writeCr3(mfn(1)), false],
    ["CR3 at MAXPHYADDR", (c) => c.writeCr3(mfn(2 ** 34 - 1)), false],
    ["CR3 beyond MAXPHYADDR", (c) => c.writeCr3(mfn(2 ** 34)), true],
    ["CR3 bit 63 without PCIDs", (c) => c.writeCr3(mfn(1), 0, true), true],
    ["CR4 without PAE", (c) => c.writeCr4(0), true],
    ["CR4.LA57 while paging", (c) => c.writeCr4(CR4_PAE | CR4_LA57), true],
    ["CR4.PCIDE while CR3[11:0] = 0", (c) => c.writeCr4(CR4_PAE | CR4_PCIDE), false],
    ["CR4.PCIDE while CR3[11:0] = 8", (c) => {
      c.writeCr3(mfn(1), 8);
      return c.writeCr4(CR4_PAE | CR4_PCIDE);
    }, true],
    ["CR0.PG without PE", (c) => c.writeCr0(CR0_PG), true],
    ["CR0.NW without CD", (c) => c.writeCr0(CR0_PG | CR0_PE | CR0_NW), true],
    ["CR0.PG cleared", (c) => c.writeCr0(CR0_PE), false],
    ["CR0.PG cleared while PCIDE", (c) => {
      c.writeCr4(CR4_PAE | CR4_PCIDE);
      return c.writeCr0(CR0_PE);
    }, true],
    ["EFER.LME while paging", (c) => c.writeEfer(0), true],
    ["EFER.NXE", (c) => c.writeEfer(c.efer & EFER_LME), false],
    ["INVPCID type 3", (c) => c.invpcid(3, 0, 0, 0), false],
    ["INVPCID type 4", (c) => c.invpcid(4, 0, 0, 0), true],
    ["INVPCID of a PCID without PCIDs", (c) => c.invpcid(1, 1, 0, 0), true],
    ["INVPCID of a PCID of 13 bits", (c) => c.invpcid(1, 0x1000, 0, 0), true],
    ["INVPCID 0, last canonical address", (c) => c.invpcid(0, 0, 0x7fff, -1), false],
    ["INVPCID 0, not canonical", (c) => c.invpcid(0, 0, 0x8000, 0), true],
    ["INVPCID 1 does not look at the address", (c) => c.invpcid(1, 0, 0x8000, 0), false],
  ];
  for (const [rule, act, isFault] of table) {
    const fault = act(new Cpu());
    assertStrictEquals(fault?.kind, isFault ? "#GP" : undefined, rule);
  }
});

Deno.test("Cpu refuses misuse by name", () => {
  const cpu = new Cpu();
  const table: [act: () => unknown, message: string][] = [
    [() => cpu.writeCr3(mfn(1), 0x1000), "Cannot load CR3 with PCID 0x1000"],
    [() => cpu.writeCr3(-1 as never), "Cannot load CR3 with frame -1"],
    [() => cpu.invpcid(-1, 0, 0, 0), "Cannot execute INVPCID of type -1"],
    [() => cpu.invpcid(0, 0.5, 0, 0), "Cannot execute INVPCID for PCID 0.5"],
    [() => new Cpu({ maxPhyAddr: 53 }), "Cannot make a processor of MAXPHYADDR 53"],
    [() => new Cpu({ maxPhyAddr: 35 }), "Cannot make a processor of MAXPHYADDR 35"],
  ];
  for (const [act, message] of table) assertThrows(act, RangeError, message);
});

Deno.test("Cpu counts each instruction once", () => {
  const cpu = new Cpu();
  cpu.writeCr3(mfn(1));
  cpu.invlpg(0, 0);
  cpu.invpcid(1, 0, 0, 0);
  cpu.writeCr4(cpu.cr4 | CR4_SMEP);
  cpu.writeCr4(cpu.cr4 | 1 << 9); // OSFXSR has nothing to do with paging
  cpu.flushAll();
  const counts = (["cr3_write", "invlpg", "invpcid", "cr4_write", "tlb_flush_full"] as const).map((kind) =>
    cpu.trace.count(kind)
  );
  assertEquals(counts, [1, 1, 1, 1, 1]);
});

Deno.test("Cpu takes CR3[11:0] for the PCID only with CR4.PCIDE", () => {
  const cpu = new Cpu();
  cpu.writeCr3(mfn(1), 5);
  assertStrictEquals(cpu.pcid, 0);
  cpu.writeCr3(mfn(1));
  cpu.writeCr4(cpu.cr4 | CR4_PCIDE);
  cpu.writeCr3(mfn(1), 5);
  assertStrictEquals(cpu.pcid, 5);
});
