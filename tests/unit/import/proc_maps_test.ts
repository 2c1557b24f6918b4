import { assertEquals, assertThrows } from "@std/assert";
import { PAGE } from "../../../lib/core/geometry.ts";
import { textView } from "../../../lib/core/views.ts";
import { importProcMaps, parseProcMaps } from "../../../lib/import/proc_maps.ts";
import { procMaps } from "../../../lib/linux/mm/proc.ts";
import { PROT_READ } from "../../../lib/linux/mm/prot.ts";
import { validateMm } from "../../../lib/linux/mm/validate.ts";

const SAVED = [
  "00400000-00401000 r-xp 00000000 08:01 131                                /usr/bin/a tool",
  "00600000-00602000 rw-p 00001000 08:01 131                                /usr/bin/a tool",
  "01c4a000-01c6b000 rw-p 00000000 00:00 0                                  [heap]",
  "7f0000000000-7f0000004000 rw-s 00000000 00:01 1024                       /memfd:x (deleted)",
  "7f0000004000-7f0000005000 r--s 00004000 00:01 1024                       /memfd:x (deleted)",
  "7f0000010000-7f0000011000 r--p 00000000 08:01 9                          /tmp/two\\012lines",
  "7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0                          [stack]",
  "7ffc00030000-7ffc00032000 r-xp 00000000 00:00 0                          [vdso]",
  "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]",
].join("\n");

/** A good line, changed in one place. */
const GOOD = "00400000-00402000 r-xp 00000000 08:01 131 /bin/x";

const BAD: readonly (readonly [line: string, reason: string])[] = [
  [
    "00400000_00402000 r-xp 00000000 08:01 131 /bin/x",
    "it does not begin with a range like 00400000-00401000",
  ],
  ["00400000-00402000", "after the range must come permissions like r-xp"],
  ["00400000-00402000 r-xq 00000000 08:01 131", "after the range must come permissions like r-xp"],
  ["00400000-00402000 r-xp xyz 08:01 131", "after the permissions must come an offset in hex"],
  ["00400000-00402000 r-xp 00000000 0801 131", "after the offset must come a device like 08:01"],
  ["00400000-00402000 r-xp 00000000 08:01 inode", "after the device must come an inode number"],
  ["00400000-00402000 r-xp 00000000 08:01", "after the device must come an inode number"],
  ["00402000-00400000 r-xp 00000000 08:01 131", "the range is empty or backwards"],
  ["00400000-00400000 r-xp 00000000 08:01 131", "the range is empty or backwards"],
  ["00400010-00402000 r-xp 00000000 08:01 131", "the range is not aligned to pages"],
  ["00400000-00402000 r-xp 00000010 08:01 131", "the offset is not aligned to pages"],
  ["00400000-1ffffffffffffffff000 r-xp 00000000 08:01 131", "the range has more than 64 bits"],
  ["00400000-00402000 r-xp ffffffffffff000 08:01 131", "the offset has more than 53 bits"],
  ["00400000-00402000\tr-xp 00000000 08:01 131", "it does not begin with a range like 00400000-00401000"],
  ["", "it does not begin with a range like 00400000-00401000"],
];

Deno.test("parseProcMaps() reads names with blanks, line breaks and the mark of deleted files", () => {
  const { rows, leftOut } = parseProcMaps(`${SAVED}\n`);
  assertEquals(rows.map(({ name, isDeleted }) => `${name}${isDeleted ? " gone" : ""}`), [
    "/usr/bin/a tool",
    "/usr/bin/a tool",
    "[heap]",
    "/memfd:x gone",
    "/memfd:x gone",
    "/tmp/two\nlines",
    "[stack]",
    "[vdso]",
  ]);
  assertEquals(rows[1], {
    line: 2,
    start: 0x600000,
    end: 0x602000,
    permissions: "rw-p",
    offset: 0x1000,
    device: "08:01",
    inode: 131,
    name: "/usr/bin/a tool",
    isDeleted: false,
  });
  assertEquals(leftOut.map(({ line, reason }) => [line, reason]), [[
    9,
    "beyond user space with four levels",
  ]]);
  assertEquals(parseProcMaps(GOOD).rows.length, 1); // control
  assertEquals(parseProcMaps(SAVED.replaceAll("\n", "\r\n")).rows.length, 8);
});

for (const [line, reason] of BAD) {
  Deno.test(`parseProcMaps() refuses ${JSON.stringify(line)}`, () => {
    const error = assertThrows(
      () => parseProcMaps(`${GOOD.replaceAll("0040", "0010")}\n${line}\n${GOOD}`),
      SyntaxError,
    );
    assertEquals(error.message, `Cannot read line 2 of the maps, ${JSON.stringify(line)}: ${reason}`);
  });
}

Deno.test("parseProcMaps() refuses lines out of order and a text without lines", () => {
  assertThrows(
    () => parseProcMaps(`${GOOD}\n${GOOD}`),
    SyntaxError,
    "it begins before the line above it ends",
  );
  for (const text of ["", "\n\n"]) {
    assertThrows(() => parseProcMaps(text), SyntaxError, "there is no line in them");
  }
  assertThrows(() => parseProcMaps(`${GOOD}\n`.repeat(2 ** 20 + 1)), SyntaxError, "are more than 1048576");
});

Deno.test("importProcMaps() makes an address space that says of itself what the text said", () => {
  const { mm } = importProcMaps(SAVED);
  assertEquals(validateMm(mm), []);
  const squeezed = SAVED.split("\n").slice(0, 8).map((line) => {
    const [range, perms, offset, , , ...name] = line.split(/ +/);
    return `${range} ${perms} ${offset} ${name.join(" ").replace(/^\[.*\]$/, "").replace("\\012", "\n")}`
      .trimEnd();
  });
  assertEquals(procMaps(mm), squeezed.join("\n"));
});

Deno.test("an imported process is cut, written and drawn; its names stay", () => {
  const real = importProcMaps(SAVED);
  const before = real.maps;
  assertEquals(real.munmap(0x1c4a000 + 2 * PAGE, PAGE), { ok: true, value: 0 });
  assertEquals(real.maps.rows.filter(({ name }) => name === "[heap]").map(({ start }) => start), [
    0x1c4a000,
    0x1c4d000,
  ]);
  assertEquals(
    String(real.maps.since(before)),
    ["0x1c4a000–0x1c6b000", "before  AAAAAAAAA…AAAAAA", "after   AA.BBBBBB…BBBBBB"].join("\n"),
  );
  assertEquals(real.write(0x1c4a000, 7), { ok: true, value: 7 });
  assertEquals(real.read(0x1c4a000), { ok: true, value: 7 });
  assertEquals(real.write(0x600000, 7).ok, true);
  assertEquals(real.write(0x400000, 7).ok, false);
  assertEquals(real.mprotect(0x600000, PAGE, PROT_READ), { ok: true, value: 0 });
  assertEquals(real.mm.vmas.size, 10);
  assertEquals(validateMm(real.mm), []);
  const text = real[textView](undefined, { breakLength: 120 });
  assertEquals([text.includes("/tmp/two·lines"), text.includes("left out, beyond user space")], [true, true]);
});

Deno.test("an imported process cannot be cut inside [vdso], and its [stack] grows", () => {
  const real = importProcMaps(SAVED);
  assertEquals(real.munmap(0x7ffc00030000, PAGE), { ok: false, errno: "EINVAL" });
  assertEquals(real.munmap(0x7ffc00030000, 2 * PAGE), { ok: true, value: 0 });
  assertEquals(real.write(0x7ffc00000000 - PAGE, 1).ok, true);
  assertEquals(real.maps.rows.find(({ end }) => end === 0x7ffc00021000)?.start, 0x7ffc00000000 - PAGE);
});

Deno.test("importProcMaps() takes 100,000 lines", () => {
  const line = (i: number) => {
    const hex = (n: number) => n.toString(16).padStart(8, "0");
    return `${hex(0x10000 + i * 0x2000)}-${hex(0x11000 + i * 0x2000)} rw-p 00000000 00:00 0`;
  };
  const real = importProcMaps(Array.from({ length: 100_000 }, (_, i) => line(i)).join("\n"));
  assertEquals([real.mm.vmas.size, real.mm.maxMapCount], [100_000, 100_000]);
  assertEquals(real[textView](undefined, { breakLength: 80 }).split("\n").length < 100, true);
});
