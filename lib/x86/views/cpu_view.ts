/**
 * A processor's registers, as far as translation needs them.
 *
 * @module
 */

import { hex } from "../../core/show.ts";
import { tableBlock, type View } from "../../core/view.ts";
import type { Cpu } from "../cpu.ts";

/** Registers in hex. */
export function cpuView(cpu: Cpu): View {
  const entries = cpu.tlb.entries().length;
  const register = (value: number) => hex(value >>> 0);
  return {
    line: `CPU: CR3 names frame ${hex(cpu.rootFrame)}, CPL ${cpu.cpl}, ${entries} TLB entries`,
    blocks: [
      tableBlock(["register", "value"], [
        ["CR0", register(cpu.cr0)],
        ["CR2", hex((BigInt(cpu.cr2Hi >>> 0) << 32n) + BigInt(cpu.cr2Lo >>> 0))],
        ["CR3", `frame ${hex(cpu.rootFrame)}, low bits ${hex(cpu.cr3Low)}`],
        ["CR4", register(cpu.cr4)],
        ["EFER", register(cpu.efer)],
        ["PCID", hex(cpu.pcid)],
        ["PKRU", register(cpu.pkru)],
        ["PKRS", register(cpu.pkrs)],
      ]),
    ],
  };
}
