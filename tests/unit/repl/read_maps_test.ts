import { assertEquals, assertThrows } from "@std/assert";
import { readMaps } from "../../../lib/repl/read_maps.ts";

const LINE = "00400000-00402000 rw-p 00000000 00:00 0 [heap]";

Deno.test("readMaps() takes a process, a file or the text", () => {
  const folder = Deno.makeTempDirSync();
  try {
    Deno.writeTextFileSync(`${folder}/maps`, `${LINE}\n`);
    assertEquals(readMaps(`${folder}/maps`).mm.vmas.size, 1);
    assertEquals(readMaps(LINE).mm.vmas.size, 1);
    assertEquals(readMaps(`${LINE}\n`).mm.vmas.size, 1);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("readMaps() says what is wrong", () => {
  assertThrows(() => readMaps("/nowhere/maps"), Error, "Cannot read /nowhere/maps: there is no such file");
  assertThrows(() => readMaps(null as never), TypeError, "Cannot read the maps of null: it must be");
  assertThrows(() => readMaps(`${LINE}\nbad`), SyntaxError, 'Cannot read line 2 of the maps, "bad"');
});
