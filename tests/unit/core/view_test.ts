import { assertEquals } from "@std/assert";
import { Shown, viewOf } from "../../../lib/core/shown.ts";
import { drawing, listed, tableBlock, type View, viewHtml, viewText } from "../../../lib/core/view.ts";
import { htmlView, lineView } from "../../../lib/core/views.ts";

const VIEW: View = {
  line: "two <frames>",
  title: "frames & owners",
  blocks: [
    tableBlock(["frame", { header: "n", right: true }], [["0x10", "1"], ["0x\x1b11", "22"]], {
      caption: "owned",
    }),
    drawing(["AA.B"]),
    tableBlock(["empty"], []),
  ],
};

Deno.test("viewText() writes title, tables and drawings, and no control character of a cell", () => {
  assertEquals(
    viewText(VIEW, 40),
    ["frames & owners", "owned", "frame    n", "─────  ──", "0x10    1", "0x·11  22", "AA.B"].join("\n")
      .replace(
        "frame    n\n─────  ──",
        "frame   n\n─────  ──",
      ),
  );
});

Deno.test("viewText() fits the width", () => {
  const lines = viewText(
    { line: "a title of many words that goes on", blocks: [drawing(["x".repeat(50)])] },
    20,
  );
  assertEquals(lines.split("\n"), ["a title of many", "    words that goes", "    on", `${"x".repeat(19)}…`]);
});

Deno.test("viewText() leaves heads out that say nothing", () => {
  assertEquals(
    viewText({ line: "", blocks: [tableBlock(["", ""], [["a", "1"], ["bb", "2"]])] }),
    "a   1\nbb  2",
  );
});

Deno.test("viewHtml() escapes everything and aligns numbers", () => {
  assertEquals(
    viewHtml({ ...VIEW, title: "<b>" }),
    '<div class="grantlab"><p>&lt;b&gt;</p><table><caption>owned</caption><thead><tr>' +
      '<th style="text-align:left">frame</th><th style="text-align:right">n</th></tr></thead><tbody>' +
      '<tr><td style="text-align:left">0x10</td><td style="text-align:right">1</td></tr>' +
      '<tr><td style="text-align:left">0x\x1b11</td><td style="text-align:right">22</td></tr></tbody></table>' +
      "<pre>AA.B</pre></div>",
  );
});

Deno.test("tableBlock() counts rows beyond its limit and does not make them if it knows the total", () => {
  let made = 0;
  function* rows() {
    for (let i = 0; i < 100; i++) {
      made++;
      yield [String(i)];
    }
  }
  assertEquals(tableBlock(["n"], rows(), { limit: 2 }).more, 98);
  made = 0;
  assertEquals([tableBlock(["n"], rows(), { limit: 2, total: 100 }).more, made], [98, 3]);
  assertEquals(
    viewText({ line: "t", blocks: [tableBlock(["n"], rows(), { limit: 1 })] }),
    "t\nn\n─\n0\n… 99 more",
  );
});

Deno.test("listed() shortens the middle", () => {
  assertEquals([listed(["a", "b"]), listed(["a", "b", "c", "d", "e"])], ["a b", "a b c … e"]);
});

Deno.test("Shown is one line inside another value", () => {
  class Both extends Shown {
    override [viewOf](): View {
      return { line: "one line", title: "title", blocks: [drawing(["drawn"])] };
    }
  }
  const both = new Both();
  assertEquals(Deno.inspect(both), "title\ndrawn");
  assertEquals(Deno.inspect([both]), "[ one line ]");
  assertEquals([both[lineView](), both[htmlView]()], [
    "one line",
    '<div class="grantlab"><p>title</p><pre>drawn</pre></div>',
  ]);
});

Deno.test("viewText() cuts names before addresses", () => {
  const block = tableBlock(["start", "name"], [["0x7ffff7ff7000", "/usr/lib/x86_64-linux-gnu/libc.so.6"]]);
  const [, , row] = viewText({ line: "", title: "", blocks: [block] }, 30).split("\n");
  assertEquals(row, "0x7ffff7ff7000  /usr/lib/x86_…");
  const narrow = viewText({ line: "", title: "", blocks: [block] }, 15).split("\n");
  assertEquals(narrow.every((line) => line.length <= 15), true, narrow.join("|"));
});
