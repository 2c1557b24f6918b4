import { assertStrictEquals } from "@std/assert";
import { detectFormat } from "../../../lib/conform/formats.ts";
import { textInput } from "./text_input.ts";

Deno.test("detectFormat tells a format by content", () => {
  const table: [lines: string[], name: string | undefined][] = [
    [["id,grp,kind,cpl,wp,cr4,nxe,ac,pkru,pkrs,va,cr3,entries,out,err,pa,set,src,note"], "mmu-translate"],
    [["id,grp,kind"], undefined],
    [
      ["op,condition,global_entries,nonglobal_current_pcid,nonglobal_other_pcids,paging_structure_caches,notes"],
      "tlb-rules",
    ],
    [['{"id":"s","engine":"qemu","va":[],"ops":[]}'], "tlb-scenarios"],
    [['{"seq":"a","i":0,"op":["munmap"],"ret":0,"vmas":[]}'], "vma-sequences"],
    [['{"machine":"linux","i":0,"kind":"anon","prot":"---","access":"r"}'], "mmu-faults"],
    [['{"machine":"xenpv","case":"g1","i":0,"op":"grant"}'], "grant-cases"],
    [['{"machine":"linux","mode":"generic","bench":"getpid","n":1,"median":317}'], "costs"],
    [['{"machine":"linux","mode":"generic","bench":"getpid","n":1,"kernel":305,"xen":0}'], "costs by layer"],
    [
      ['{"machine":"linux","bench":"mprotect_ro_touched_1cpu","n":1,"kernel":2983}'],
      "costs on two processors",
    ],
    [
      [
        '{"machine":"linux","cpu":"max","mode":"generic","tables":"cold","bench":"mmap_anon","fixed":1,"per_unit":1,"worst_rel_error":0}',
      ],
      "lines through costs",
    ],
    [['{"machine":"linux","mode":"generic","bench":"getpid","n":1}'], undefined],
    [['{"snapshot":0,"page":1,"pin":"0x2"}'], "grant-dump"],
    [["[1]"], undefined],
    [["words"], undefined],
    [[], undefined],
    [["{}", '{"snapshot":0,"pin":"0x2"}'], undefined],
  ];
  for (const [lines, name] of table) {
    assertStrictEquals(detectFormat(textInput(lines).head)?.name, name, lines[0]);
  }
});

Deno.test("detectFormat tells a page-table image by its files", () => {
  const files = { "registers.txt": "", "frames.json": "", "frames.bin": "" };
  assertStrictEquals(detectFormat(textInput([], files).head)?.name, "page-tables");
  assertStrictEquals(detectFormat(textInput([], { "frames.json": "" }).head), undefined);
});
