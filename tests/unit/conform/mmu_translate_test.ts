import { assertEquals, assertRejects } from "@std/assert";
import { BadInput } from "../../../lib/conform/format.ts";
import { mmuTranslate } from "../../../lib/conform/mmu_translate.ts";
import { replay, textInput } from "./text_input.ts";

const HEADER = "id,grp,kind,cpl,wp,cr4,nxe,ac,pkru,pkrs,va,cr3,entries,out,err,pa,set,src,note";
const OK = "t1,ctl,r,0,1,30,1,0,0,0,4008,1000,2007;3007;4007;20007,ok,,20008,AAAA,qbs,";

const rows = (...lines: string[]) => textInput([HEADER, ...lines]);

Deno.test("mmuTranslate passes a right row and shows what differs in a wrong one", async () => {
  const table: [rule: string, row: string, counts: number[], differences: string[]][] = [
    ["control", OK, [1, 0, 0], []],
    ["advisory", OK.replace("qbs", "--s").replace("20008", "20009"), [0, 0, 1], []],
    ["physical address", OK.replace("20008", "20009"), [0, 1, 0], [
      "t1: expected ok pa 20009, set AAAA, got ok pa 20008, set AAAA",
    ]],
    ["accessed bits", OK.replace("AAAA", "AAA."), [0, 1, 0], [
      "t1: expected ok pa 20008, set AAA., got ok pa 20008, set AAAA",
    ]],
    ["dirty bit", OK.replace(",r,", ",w,").replace("AAAA", "AAAB"), [1, 0, 0], []],
    ["fault", OK.replace("ok,,20008,AAAA", "pf,5,,AAA.").replace(",r,0", ",r,3").replace("20007", "20003"), [
      1,
      0,
      0,
    ], []],
    [
      "other error code",
      OK.replace("ok,,20008,AAAA", "pf,4,,AAA.").replace(",r,0", ",r,3").replace("20007", "20003"),
      [0, 1, 0],
      [
        "t1: expected pf 4, set AAA., got pf 5, set AAA.",
      ],
    ],
    ["fault, bound of accessed bits", OK.replace("ok,,20008,AAAA", "pf,0,,A...").replace("20007", "20006"), [
      0,
      1,
      0,
    ], [
      "t1: expected pf 0, set at most A..., got pf 0, set AAA.",
    ]],
    [
      "not canonical",
      OK.replace("4008", "800000000000").replace("ok,,20008,AAAA", "gp,,,...."),
      [1, 0, 0],
      [],
    ],
    [
      "reserved bit above all physical addresses",
      OK.replace("3007;4007;20007", "8000000003007;4007;20007").replace("ok,,20008,AAAA", "pf,9,,A..."),
      [1, 0, 0],
      [],
    ],
  ];
  for (const [rule, row, counts, differences] of table) {
    assertEquals(await replay(mmuTranslate, rows(row)), { counts, differences }, rule);
  }
});

Deno.test("mmuTranslate names line and reason of a malformed row", async () => {
  const table: [row: string, message: string][] = [
    ["t1,ctl", "golden:3: the row has 2 columns, not 19"],
    [OK.replace("4008", "40z8"), 'golden:3: the field "va" is "40z8", not a hexadecimal number'],
    [OK.replace(",r,", ",q,"), 'golden:3: the field "kind" is "q", not one of r, w, x, i'],
    [OK.replace(",ok,", ",okay,"), 'golden:3: the field "out" is "okay"'],
    [OK.replace("AAAA", "AAA"), 'golden:3: the field "set" is "AAA"'],
    [OK.replace("2007;", "2007;2007;"), "golden:3: the row has 5 entries, at most 4 fit"],
    [OK.replace(",0,1,30", ",4,1,30"), 'golden:3: the field "cpl" is "4"'],
    [OK.replace("1000,2007", "1008,2007"), 'golden:3: the field "cr3" is "1008", not the address of a frame'],
  ];
  for (const [row, message] of table) {
    await assertRejects(() => replay(mmuTranslate, rows(OK, row)), BadInput, message);
  }
});
