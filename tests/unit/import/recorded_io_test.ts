import { assertEquals, assertThrows } from "@std/assert";
import { world } from "../../../lib/experiments/world.ts";
import { readBlkparse } from "../../../lib/import/blkparse.ts";
import { readFioIolog } from "../../../lib/import/fio_iolog.ts";

const io = (atMs: number, operation: string, sector: number, nrSectors: number) => ({
  atMs,
  operation,
  sector,
  nrSectors,
});

Deno.test("readFioIolog() reads version 2 with its waits", () => {
  const text =
    "fio version 2 iolog\nf add\nf open\nf read 0 4096\nwait 2500\nf write 8192 45056\nf sync 0 0\nf trim 512 512\nf close\n";
  assertEquals(readFioIolog(text) as unknown[], [
    io(0, "read", 0, 8),
    io(2.5, "write", 16, 88),
    io(2.5, "flush", 0, 0),
    io(2.5, "discard", 1, 1),
  ]);
});

Deno.test("readFioIolog() reads version 3 with its times", () => {
  const text = "fio version 3 iolog\n0 f add\n7 f read 4096 512\n9 f datasync 0 0\n";
  assertEquals(readFioIolog(text) as unknown[], [io(7, "read", 8, 1), io(9, "flush", 0, 0)]);
});

for (
  const [what, text, says] of [
    ["another version", "fio version 1 iolog\n", "line 1"],
    ["no head", "f read 0 512", "line 1"],
    ["an unknown action", "fio version 2 iolog\nf rewind 0 0", 'line 2.*"rewind"'],
    ["half a sector", "fio version 2 iolog\nf read 100 512", "line 2.*whole sectors"],
    ["no length", "fio version 2 iolog\nf read 512 0", "line 2.*no length"],
    ["times that go back", "fio version 3 iolog\n5 f read 0 512\n4 f read 0 512", "line 3.*before"],
    ["a wait for nothing", "fio version 2 iolog\nwait soon", "line 2.*microseconds"],
  ] as const
) {
  Deno.test(`readFioIolog() refuses ${what}`, () => {
    const error = assertThrows(() => readFioIolog(text), SyntaxError);
    assertEquals(new RegExp(says).test(error.message), true, error.message);
  });
}

const TRACE = `  8,0    3        1     0.000000000   697  Q   W 1000 + 8 [kjournald]
  8,0    3        2     0.000100000   697  G   W 1000 + 8 [kjournald]
  8,0    3        3     0.002000000   697  D   W 1000 + 8 [kjournald]
  8,0    1        4     0.003500000     0  C   W 1000 + 8 [0]
  8,0    0        5     0.004000000   123  D  RA 2000 + 200 [cat]
  8,0    0        6     0.005000000   123  D FWS [fsync]
  8,0    0        7     0.006000000   123  D  FN [fsync]
  8,0    0        8     0.006000000   123  D   F [fsync]
  8,0    0        9     0.007000000   123  D  DS 4096 + 16 [fstrim]
CPU0 (8,0):
 Reads Queued:           0,        0KiB
`;

Deno.test("readBlkparse() takes what was given to the driver, cut to what a request holds", () => {
  const text = TRACE.replace(/.*FWS.*\n/, "");
  assertEquals(readBlkparse(text) as unknown[], [
    io(0, "write", 1000, 8),
    io(2, "read", 2000, 88),
    io(2, "read", 2088, 88),
    io(2, "read", 2176, 24),
    io(4, "flush", 0, 0),
    io(4, "flush", 0, 0),
    io(5, "discard", 4096, 16),
  ]);
  assertEquals(readBlkparse(text, { action: "Q" }) as unknown[], [io(0, "write", 1000, 8)]);
});

Deno.test("readBlkparse() refuses a transfer without sectors, and text that is no trace", () => {
  assertThrows(() => readBlkparse(TRACE), SyntaxError, "line 6");
  assertThrows(() => readBlkparse("hello\n"), SyntaxError, "no line is an event");
  assertThrows(() => readBlkparse(TRACE, { largest: 0 }), RangeError);
});

Deno.test("a recorded trace runs through the whole stack, at its times", () => {
  const blk = world({ guestFrames: 1024 }).blk();
  const load = blk.run(readBlkparse(TRACE.replace(/.*FWS.*\n/, "")));
  assertEquals([load.requests, load.okay, load.verdict, load.elapsedMs], [7, 7, "ok", 1005]);
  const slow = world({ guestFrames: 1024 }).blk().run(
    readFioIolog("fio version 3 iolog\n0 f write 0 4096\n50 f read 0 4096\n"),
  );
  assertEquals([slow.okay, slow.verdict, slow.elapsedMs], [2, "ok", 1050]);
});
