import { assertEquals, assertRejects } from "@std/assert";
import { BadInput } from "../../../lib/conform/format.ts";
import { tlbRules } from "../../../lib/conform/tlb_rules.ts";
import { tlbScenarios } from "../../../lib/conform/tlb_scenarios.ts";
import { replay, textInput } from "./text_input.ts";

function scenario(ops: unknown[], change: Record<string, unknown> = {}): string {
  return JSON.stringify({
    id: "s1",
    engine: "qemu",
    la57: 0,
    cr4: "1000b0",
    pcid: 0,
    cr3: ["2001000", "2011000"],
    va: ["508144210000", "508144211000", "508144410000", "508144610000"],
    ops,
    ...change,
  });
}

const MAP = "W0:0:20003007";
const MOVE = "W0:0:20004007";
const read = (allowed: string[], access = "A0:r:3") => [access, allowed[0], "0", allowed[0], allowed];

Deno.test("tlbScenarios passes answers that are allowed, whichever was observed", async () => {
  const pcids = { cr4: "1200b0", pcid: 1 };
  const table: [rule: string, line: string, failed: string[]][] = [
    ["control", scenario([MAP, read(["80:0:f3"])]), []],
    ["another frame", scenario([MAP, read(["80:0:f4"])]), [
      "s1 op 1 A0:r:3 (plain): expected 80:0:f4, got 80:0:f3",
    ]],
    ["stale", scenario([MAP, read(["80:0:f3"]), MOVE, read(["80:0:f4", "80:0:f3"])]), []],
    ["stale where it must not be", scenario([MAP, read(["80:0:f3"]), MOVE, read(["80:0:f4"])]), [
      "s1 op 3 A0:r:3 (plain): expected 80:0:f4, got 80:0:f3",
    ]],
    ["INVLPG", scenario([MAP, read(["80:0:f3"]), MOVE, "I0", read(["80:0:f4"])]), []],
    ["PGE", scenario(["W0:0:20003107", read(["80:0:f3"]), MOVE, "G", read(["80:0:f4"])]), []],
    ["address space", scenario([MAP, "W1:0:20005007", read(["80:0:f3"]), "C1:0:0", read(["80:0:f5"])]), []],
    [
      "PCID kept",
      scenario([MAP, "C0:1:0", read(["80:0:f3"]), MOVE, "C1:2:0", "C0:1:1", read(["80:0:f3"])], pcids),
      [],
    ],
    ["INVPCID", scenario([MAP, "C0:1:0", read(["80:0:f3"]), MOVE, "J0:1:0", read(["80:0:f4"])], pcids), []],
    [
      "fault and WP",
      scenario(["W0:0:20003005", read(["e:3:0"], "A0:w:0"), "P0", read(["80:0:f3"], "A0:w:0")]),
      [],
    ],
    ["2 MiB page", scenario(["W0:3:302000a7", read(["80:0:b1"], "A3:r:3"), read(["80:0:0"], "A3:x:3")]), []],
    ["PD entry", scenario([MAP, "N0:2004006", read(["e:4:0"])]), []],
  ];
  for (const [rule, line, differences] of table) {
    const failed = differences.length;
    assertEquals(await replay(tlbScenarios, textInput([line])), {
      counts: [1 - failed, failed, 0],
      differences,
    }, rule);
  }
});

Deno.test("tlbScenarios names line and reason of a malformed scenario", async () => {
  const table: [line: string, message: string][] = [
    ["{", "golden:1: not JSON"],
    ["[]", "golden:1: the line is not a JSON object"],
    [scenario(["Z"]), 'golden:1: "Z" is not an operation'],
    [scenario(["W2:0:7"]), 'golden:1: operation "W2:0:7": 2 is not below 2'],
    [scenario(["I9"]), 'golden:1: operation "I9": 9 is not below 4'],
    [scenario([["A0:r:3"]]), 'golden:1: ["A0:r:3"] is neither an operation nor an access'],
    [scenario([read(["80:0:f3"], "A9:r:3")]), 'golden:1: "A9:r:3" is not an access'],
    [scenario([], { va: ["0"] }), 'golden:1: the field "va" needs four addresses'],
    [scenario([], { cr4: 7 }), 'golden:1: the field "cr4" is 7, not a string'],
    [scenario([], { la57: 1 }), 'golden:1: the fields "la57" and "pcid" do not agree with "cr4"'],
    [scenario(["J1:5:0"]), 'golden:1: operation "J1:5:0" raises #GP'],
    [scenario([]).replace('"ops"', '"oops"'), 'golden:1: the field "ops" is missing'],
  ];
  for (const [line, message] of table) {
    await assertRejects(() => replay(tlbScenarios, textInput([line])), BadInput, message);
  }
});

const HEADER =
  "op,condition,global_entries,nonglobal_current_pcid,nonglobal_other_pcids,paging_structure_caches,notes";

Deno.test("tlbRules tests each operation against the TLB, and could fail", async () => {
  const name = "MOV to CR3, CR4.PCIDE=1 and bit63=1";
  const table: [row: string, differences: string[]][] = [
    ["MOV to CR3,CR4.PCIDE=1 and bit63=1,may stay,may stay,may stay,may stay,", []],
    ["MOV to CR3,CR4.PCIDE=1 and bit63=1,all must go,may stay,may stay,may stay,", [
      `${name}: expected global: all must go, got page and elsewhere page still cached`,
    ]],
    ["INVLPG va,any,page containing va: must go in every PCID,page containing va: must go,may stay,,", []],
    ["INVLPG va,any,may stay,all must go,may stay,,", [
      "INVLPG va, any: expected current: all must go, got elsewhere page still cached",
    ]],
    ["INVPCID 1 (pcid),CPL 0,may stay,all of the named PCID must go,all of the named PCID must go,,", []],
    ["INVPCID 0 (pcid;va),CPL 0,may stay,may stay,all of the named PCID must go,,", [
      "INVPCID 0 (pcid;va), CPL 0: expected other: all of the named PCID must go, got elsewhere page still cached",
    ]],
    ["WBINVD,any,all must go,,,,", [
      "WBINVD, any: expected a known operation, got no model of this operation",
    ]],
    ['INVPCID type>3,,,,,,"#GP(0), always"', []],
  ];
  for (const [row, differences] of table) {
    const failed = differences.length;
    assertEquals(await replay(tlbRules, textInput([HEADER, row])), {
      counts: [1 - failed, failed, 0],
      differences,
    }, row);
  }
});

Deno.test("tlbRules names line and reason of a malformed row", async () => {
  const table: [row: string, message: string][] = [
    ["INVLPG va,any", "golden:2: the row has 2 columns, not 7"],
    ['INVLPG va,any,"may stay,,,,', "golden:2: the row has a quote that is not closed"],
    ["INVLPG va,any,perhaps,,,,", 'golden:2: "perhaps" says neither "must go" nor "may stay"'],
  ];
  for (const [row, message] of table) {
    await assertRejects(() => replay(tlbRules, textInput([HEADER, row])), BadInput, message);
  }
});
