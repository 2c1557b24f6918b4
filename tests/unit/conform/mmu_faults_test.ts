import { BadInput } from "../../../lib/conform/format.ts";
import { mmuFaults } from "../../../lib/conform/mmu_faults.ts";
import { assertEquals, assertRejects } from "@std/assert";
import { replay, textInput } from "./text_input.ts";

const FAULT = { ok: false, sig: "SIGSEGV", si_code: 2, trap: 14, err: 6, addr_matches: true };
const ROW = { machine: "linux", i: 0, kind: "anon_private", prot: "r--", state: "untouched", access: "w" };
const NULL = { machine: "linux", i: 1, kind: "special", where: "null", access: "r" };

Deno.test("mmuFaults passes right rows and fails wrong ones", async () => {
  const table: [rule: string, row: Record<string, unknown>, passed: number][] = [
    ["control", { ...ROW, ...FAULT }, 1],
    ["written before", { ...ROW, state: "written_then_mprotected", ...FAULT, err: 7 }, 1],
    ["past the end", { ...ROW, kind: "file_shared_past_eof", prot: "rw-", ...FAULT, sig: "SIGBUS" }, 1],
    ["exec-only with a key", { ...ROW, prot: "--x", ...FAULT, si_code: 4 }, 1],
    ["special", { ...NULL, ...FAULT, si_code: 1, err: 4, addr_matches: undefined, si_addr: "0x0" }, 1],
    ["allowed", { ...ROW, access: "r", ok: true }, 1],
    ["ok expected", { ...ROW, ok: true }, 0],
    ["signal", { ...ROW, ...FAULT, sig: "SIGBUS" }, 0],
    ["code", { ...ROW, ...FAULT, si_code: 1 }, 0],
    ["error code", { ...ROW, ...FAULT, err: 7 }, 0],
    ["trap", { ...ROW, ...FAULT, trap: 13 }, 0],
    ["address", { ...NULL, ...FAULT, si_code: 1, err: 4, addr_matches: undefined, si_addr: "0x1000" }, 0],
    ["PV machine", { ...ROW, machine: "xenpv", ...FAULT }, 1],
    ["exec-only on a PV machine, without keys", { ...ROW, machine: "xenpv", prot: "--x", ...FAULT }, 1],
    ["exec-only on a PV machine is readable", {
      ...ROW,
      machine: "xenpv",
      prot: "--x",
      access: "r",
      ok: true,
    }, 1],
    ["error code on a PV machine", { ...ROW, machine: "xenpv", ...FAULT, err: 7 }, 0],
    ["huge pages", { ...ROW, kind: "hugetlb", ...FAULT }, 1],
    ["huge pages, allowed", { ...ROW, kind: "hugetlb", prot: "rw-", ok: true }, 1],
  ];
  for (const [rule, row, passed] of table) {
    const { counts } = await replay(mmuFaults, textInput([JSON.stringify(row)]));
    assertEquals(counts, [passed, 1 - passed, 0], rule);
  }
});

Deno.test("mmuFaults names line and reason of a malformed row", async () => {
  const table: [row: Record<string, unknown>, reason: string][] = [
    [{ ...ROW, kind: "stone" }, 'golden:1: the field "kind" is "stone"'],
    [{ ...ROW, prot: "rw" }, 'golden:1: the field "prot" is "rw"'],
    [{ ...ROW, access: "q" }, 'golden:1: the field "access" is "q"'],
    [{ ...NULL, where: "moon" }, 'golden:1: the field "where" is "moon"'],
    [{ ...ROW, machine: "vax" }, 'golden:1: the field "machine" is "vax"'],
  ];
  for (const [row, reason] of table) {
    await assertRejects(() => replay(mmuFaults, textInput([JSON.stringify(row)])), BadInput, reason);
  }
});
