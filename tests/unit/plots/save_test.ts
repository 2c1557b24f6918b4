import { assertEquals, assertRejects } from "@std/assert";
import { saveFigure, splitVerdict } from "../../../lib/plots/mod.ts";
import { SPLIT_ROWS } from "./rows.ts";

Deno.test("saveFigure() writes what the ending asks for", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const figure = splitVerdict(SPLIT_ROWS);
    await saveFigure(figure, `${folder}/x.csv`);
    assertEquals(await Deno.readTextFile(`${folder}/x.csv`), figure.toCsv());
    await saveFigure(figure, `${folder}/x.vl.json`);
    assertEquals(JSON.parse(await Deno.readTextFile(`${folder}/x.vl.json`)), figure.spec);
    await figure.save(`${folder}/x.SVG`);
    assertEquals(await Deno.readTextFile(`${folder}/x.SVG`), await figure.toSvg());
    await figure.save(`${folder}/x.png`);
    assertEquals(await Deno.readFile(`${folder}/x.png`), await figure.toPng(2));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("saveFigure() says what it could not write, and why", async () => {
  const figure = splitVerdict(SPLIT_ROWS);
  await assertRejects(
    () => saveFigure(figure, "/nowhere/x.csv"),
    Error,
    'Cannot save a figure as "/nowhere/x.csv": there is no such folder',
  );
  await assertRejects(
    () => saveFigure(figure, 5 as never),
    TypeError,
    "Cannot save a figure as 5: it must be the name of a file",
  );
});

Deno.test("saveFigure() refuses an unknown ending and writes nothing", async () => {
  const folder = await Deno.makeTempDir();
  try {
    for (const name of ["x.jpg", "x", "x.json", "png", "x.png.gz"]) {
      const error = await assertRejects(
        () => saveFigure(splitVerdict(SPLIT_ROWS), `${folder}/${name}`),
        RangeError,
      );
      assertEquals(
        (error as Error).message.endsWith("its name must end in one of .png, .svg, .csv, .vl.json"),
        true,
      );
    }
    assertEquals([...Deno.readDirSync(folder)].length, 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
