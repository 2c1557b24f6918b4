import { assertEquals, assertRejects } from "@std/assert";
import { BadInput } from "../../../lib/conform/format.ts";
import { pageTables } from "../../../lib/conform/page_tables.ts";
import { replay, textInput } from "./text_input.ts";

const CR = { CR0: "0x80010001", CR3: "0x1000", CR4: "0x20", EFER: "0xd00" };
const REGISTERS =
  "RAX=0\nCR0=80010001 CR2=0000000000000000 CR3=0000000000001000 CR4=00000020\nEFER=0000000000000d00";

/** Frames 1 to 4 with their levels, some of them changed. */
function frames(change: Record<string, number> = {}): { pa: string; table_level: number }[] {
  return [1, 2, 3, 4].map((n) => ({ pa: `0x${n}000`, table_level: change[`0x${n}000`] ?? 5 - n }));
}

/** Tables 1 to 4, and what they map at 0x4000: frame 0x20, which is not in the image. */
function image(change: Record<string, unknown> = {}): Record<string, string | Uint8Array> {
  const bytes = new Uint8Array(4 * 4096);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0x0000, 0x2007n, true);
  view.setBigUint64(0x1000, 0x3007n, true);
  view.setBigUint64(0x2000, 0x4007n, true);
  view.setBigUint64(0x3020, 0x8000_0000_0002_0067n, true);
  const index = { cr: CR, levels: 4, memory_bytes: 0x100000, frames: frames(), ...change };
  return { "registers.txt": REGISTERS, "frames.json": JSON.stringify(index), "frames.bin": bytes };
}

const folder = (files: Record<string, string | Uint8Array>) => textInput([], files);

Deno.test("pageTables replays registers, frames, addresses, entries and the listing", async () => {
  const answers = {
    "gva2gpa.json": JSON.stringify([{ va: "0x4025", gpa: "0x20025", why: "" }, {
      va: "0x5000",
      gpa: null,
      why: "",
    }]),
    "ptes.json": JSON.stringify([{
      name: "",
      va: "0x4000",
      level: 1,
      entry: "0x8000000000020067",
      gpa: "0x20000",
    }]),
    "info-tlb.txt": "0000000000004000: 0000000000020000 X--DA--UW",
  };
  const table: [
    rule: string,
    files: Record<string, string | Uint8Array>,
    counts: number[],
    differences: string[],
  ][] = [
    ["control", { ...image(), ...answers }, [6, 0, 0], []],
    ["no answers", image(), [2, 0, 0], []],
    ["wrong address", { ...image(), "gva2gpa.json": '[{"va": "0x4025", "gpa": "0x21025"}]' }, [2, 1, 0], [
      "gva2gpa 0x4025: expected 0x21025, got 0x20025",
    ]],
    ["unmapped address", { ...image(), "gva2gpa.json": '[{"va": "0x4025", "gpa": null}]' }, [2, 1, 0], [
      "gva2gpa 0x4025: expected unmapped, got 0x20025",
    ]],
    [
      "wrong entry",
      { ...image(), "ptes.json": '[{"va": "0x5000", "level": 1, "entry": "0x7", "gpa": "0x0"}]' },
      [2, 1, 0],
      [
        "ptes 0x5000: expected level 1 0x7 to 0x0, got level 1 0x0 to unmapped",
      ],
    ],
    [
      "a flag in the listing",
      { ...image(), "info-tlb.txt": "0000000000004000: 0000000000020000 X--DA--U-" },
      [2, 1, 0],
      [
        "info-tlb line 1: expected 0000000000004000: 0000000000020000 X--DA--U-, " +
        "got 0000000000004000: 0000000000020000 X--DA--UW",
      ],
    ],
    ["a mapping too few", { ...image(), "info-tlb.txt": "" }, [2, 1, 0], [
      "info-tlb: expected 0 mappings, got also 0000000000004000: 0000000000020000 X--DA--UW",
    ]],
    ["number of levels", image({ levels: 5 }), [0, 2, 0], [
      "registers: expected 5 levels, got 4 levels",
      "frames: expected all tables in their roles, got frame 0x1 is recorded as level 4, reached as level 5",
    ]],
    ["role of a table", image({ frames: frames({ "0x4000": 2 }) }), [1, 1, 0], [
      "frames: expected all tables in their roles, got frame 0x4 is recorded as level 2, reached as level 1",
    ]],
  ];
  for (const [rule, files, counts, differences] of table) {
    assertEquals(await replay(pageTables, folder(files)), { counts, differences }, rule);
  }
});

Deno.test("pageTables refuses a torn or contradictory image", async () => {
  const bin = image()["frames.bin"] as Uint8Array;
  const table: [files: Record<string, string | Uint8Array>, message: string][] = [
    [
      { ...image(), "frames.bin": bin.slice(1) },
      "golden/frames.bin: it holds 16383 bytes, but frames.json lists 4",
    ],
    [{ ...image(), "frames.json": "{" }, "golden/frames.json: not JSON"],
    [image({ levels: 3 }), 'golden/frames.json: the field "levels" is 3'],
    [image({ memory_bytes: 5 }), 'the field "memory_bytes" is 5'],
    [image({ memory_bytes: 0x4000 }), "frames[3] is no frame of the 4 of this machine"],
    [image({ cr: { ...CR, CR3: "0x2000" } }), "golden: CR3 differs between registers.txt and frames.json"],
    [{ ...image(), "registers.txt": "" }, "golden/registers.txt: CR0 is missing"],
    [{ ...image(), "gva2gpa.json": "{}" }, "golden/gva2gpa.json: the file is not a JSON array"],
    [{ ...image(), "gva2gpa.json": '[{"gpa": null}]' }, 'golden/gva2gpa.json[0]: the field "va" is missing'],
    [{ ...image(), "info-tlb.txt": "what" }, "golden/info-tlb.txt:1: the line is not an address"],
  ];
  for (const [files, message] of table) {
    await assertRejects(() => replay(pageTables, folder(files)), BadInput, message);
  }
});
