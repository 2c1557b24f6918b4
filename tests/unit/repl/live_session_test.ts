import { assert, assertEquals } from "@std/assert";
import type { CommandContext } from "../../../lib/repl/commands/command.ts";
import { commandNames, isCommand, runCommand } from "../../../lib/repl/commands/mod.ts";
import type { Evaluation } from "../../../lib/repl/evaluator.ts";
import { openEvaluator } from "../../../lib/repl/inspector_evaluator.ts";
import { LiveSession } from "../../../lib/repl/live_session.ts";
import { namesFor } from "../../../lib/repl/names.ts";

const MODULE = new URL("../../../mod.ts", import.meta.url).href;
const SETUP = ["const w = world()", 'const qemu = w.process("qemu")'];

interface Stage {
  readonly session: LiveSession;
  /** What was written and shown, in one line each. */
  readonly seen: string[];
  readonly output: string[];
  type(line: string): Promise<void>;
}

async function staged(body: (stage: Stage) => Promise<void>): Promise<void> {
  const output: string[] = [];
  const session = await LiveSession.start((isMuted) =>
    openEvaluator({
      preamble: { module: MODULE, setup: SETUP },
      onOutput: (_stream, text) => {
        if (!isMuted()) output.push(text);
      },
    })
  );
  const seen: string[] = [];
  const show = async (evaluation: Evaluation) => {
    if (evaluation.kind === "error") seen.push(evaluation.message);
    else if (evaluation.kind === "value" && evaluation.value.type !== "undefined") {
      seen.push(await session.print(evaluation.value, { form: "line" }));
    }
  };
  const context: CommandContext = {
    session,
    module: MODULE,
    setup: SETUP,
    show,
    write: (text) => void seen.push(text),
    leave: (code) => void seen.push(`left with ${code}`),
  };
  try {
    await body({
      session,
      seen,
      output,
      type: async (line) =>
        isCommand(line) ? await runCommand(context, line) : await show(await session.run(line)),
    });
  } finally {
    await session.close();
  }
}

Deno.test(".undo and .redo bring the world, its objects and all variables back", async () => {
  await staged(async ({ type, seen, session, output }) => {
    await type(".undo");
    await type("const vma = qemu.mmapGrants(w.guest.grant(8))");
    await type("let n = 1");
    await type('console.log("once")');
    await type("n = qemu.vmas.length + 1");
    await type("qemu.munmap(vma.start + 4 * PAGE, PAGE); n = 5");
    await type("qemu.maps");
    const after = seen.at(-1);
    await type(".undo");
    await type(".undo");
    await type("[n, qemu.vmas.length, vma.nrPages, w.dom0.maptrack.live]");
    assertEquals([seen[0], seen.at(-1)], ["Nothing to undo", "[2, 1, 8, 16]"]);
    await type(".undo");
    await type(".redo");
    assertEquals(seen.at(-1), "[2, 1, 8, 16]");
    await type(".redo");
    assertEquals(seen.at(-1), "Nothing to redo");
    await type("qemu.munmap(vma.start + 4 * PAGE, PAGE)");
    await type("qemu.maps");
    assertEquals(seen.at(-1), after);
    assertEquals(output.join(""), "once\n");
    assertEquals(session.entries.at(-1)?.source, "qemu.maps");
  });
});

Deno.test(".undo takes a crash of the modelled kernel back", async () => {
  await staged(async ({ type, seen }) => {
    await type('const d = world({ kernel: "draft_b" }), q = d.process()');
    await type("const v = q.mmapGrants(d.guest.grant([300, 301, 302, 303])); q.munmap(v.start + PAGE, PAGE)");
    await type("for (let i = 0; i < 4 && d.crash === null; i++) q.directRead(v.start + i * PAGE, PAGE)");
    await type("throw new RangeError('kept')");
    await type(".undo");
    await type("d.crash === null");
    const crashed = seen.at(-1);
    // The look at it, and the reads.
    await type(".undo");
    await type(".undo");
    await type("d.crash === null");
    assertEquals([crashed, seen.at(-1)], ["false", "true"]);
  });
});

Deno.test(".undo says what a replay cannot repeat", async () => {
  await staged(async ({ type, seen, session }) => {
    await type("globalThis.count ??= 0; if (Math.random() >= 0) throw new Error(String(performance.now()))");
    const endless = type("while (true) {}");
    await new Promise((resolve) => setTimeout(resolve, 100));
    await session.interrupt();
    await endless;
    await type("1");
    await type(".undo");
    assertEquals(seen.filter((text) => text.startsWith("Line ")).map((text) => text.split(":")[0]), [
      "Line came out differently",
      "Line left out, it was interrupted",
    ]);
  });
});

Deno.test("commands: .time, .events, .exit, a wrong name, missing arguments", async () => {
  await staged(async ({ type, seen }) => {
    await type(".time 1 + 1");
    assertEquals(seen[0], "2");
    assert(/^took [\d.]+ (?:µs|ms|s), beside /.test(seen[1]!), seen[1]);
    seen.length = 0;
    await type(".events qemu.mmapGrants(w.guest.grant(1)).nrPages");
    assertEquals(seen[0], "1");
    assert(/^\d+ events, \d+ cycles \(assumed: assumed_cycles\)$/.test(seen[1]!), seen[1]);
    seen.length = 0;
    await type(".events const later = world(); later.process().name");
    assert(/^[1-9]\d* events/.test(seen[1]!), seen.join("\n"));
    seen.length = 0;
    for (const line of [".time", ".events", ".save", ".exit", ".evnts"]) await type(line);
    assertEquals(seen.map((text) => text.split(":")[0]), [
      "Cannot time nothing",
      "Cannot count the events of nothing",
      "Cannot save the session nowhere",
      "left with 0",
      'Cannot find the command "evnts"',
    ]);
  });
});

Deno.test(".save writes a script that runs, and never replaces one unasked", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    await staged(async ({ type, seen }) => {
      const path = `${folder}/session.ts`;
      await type("const vma = qemu.mmapGrants(w.guest.grant(2))");
      await type("vma.nrPages");
      await type(`.save ${path}`);
      await type(`.save ${path}`);
      await type(`.save! ${path}`);
      await type(`.save ${folder}/none/x.ts`);
      assertEquals(
        seen.slice(1).map((text) => text.replaceAll(folder, "DIR").split(": ").slice(0, 2).join(": ")),
        [
          "Saved DIR/session.ts: deno run -A DIR/session.ts",
          "Cannot save DIR/session.ts: there is such a file; .save! DIR/session.ts replaces it",
          "Saved DIR/session.ts: deno run -A DIR/session.ts",
          "Cannot save DIR/none/x.ts: No such file or directory (os error 2)",
        ],
      );
      const { code, stdout } = await new Deno.Command(Deno.execPath(), { args: ["run", "--no-check", path] })
        .output();
      assertEquals([code, new TextDecoder().decode(stdout)], [0, "2\n"]);
    });
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("?name explains names of the library, of live objects and of their members", async () => {
  await staged(async ({ type, seen }) => {
    const ASKED: readonly (readonly [line: string, begin: string, part: string])[] = [
      ["?world", "function world", "Example\n  import"],
      [
        "?qemu.munmap",
        "method Process.munmap",
        "munmap(address: number | bigint, length: number | bigint): SysResult<0>",
      ],
      ["qemu?", "class Process", "members: "],
      [".help PAGE", "variable PAGE", "PAGE"],
      ["?Process.walk(1)", "method Process.walk", "Example\n"],
      ["?nothingLikeThis", "Nothing is known of nothingLikeThis", ""],
      ["?qemu.mumnap", "Nothing is known of qemu.mumnap; there are ", "Process.munmap"],
      ["?1 + 1", 'Cannot explain "1 + 1"', ""],
    ];
    for (const [line] of ASKED) await type(line);
    for (const [i, [line, begin, part]] of ASKED.entries()) {
      assert(seen[i]!.startsWith(begin) && seen[i]!.includes(part), `${line}: ${seen[i]}`);
    }
    await type(".help");
    for (const name of commandNames()) assert(seen.at(-1)!.includes(`  ${name}`), name);
  });
});

Deno.test(".script prints the library's code of commands, experiments and names", async () => {
  await staged(async ({ type, seen }) => {
    const ASKED: readonly (readonly [line: string, begin: string, end: string])[] = [
      [".script undo", "// lib/repl/commands/undo.ts:1\n/**", "};"],
      [".script .redo", "// lib/repl/commands/undo.ts:1\n/**", "};"],
      [".script script", "// lib/repl/commands/script.ts:1\n/**", "}"],
      [".script exit", "// lib/repl/commands/mod.ts:", "};"],
      [".script split_then_pin", "// lib/experiments/split_then_pin.ts:1\n/**", ""],
      [".script world", "// lib/experiments/world.ts:", "}"],
      [".script qemu.munmap", "// lib/experiments/process.ts:", "}"],
      [".script nothingLikeThis", "Cannot print the code of nothingLikeThis", "is called so"],
      [".script", "Cannot print the code of nothing", "and a name"],
    ];
    for (const [line] of ASKED) await type(line);
    for (const [i, [line, begin, end]] of ASKED.entries()) {
      assert(seen[i]!.startsWith(begin) && seen[i]!.endsWith(end), `${line}: ${seen[i]}`);
    }
    assertEquals(seen[5]!.split("\n")[1], "export function world(options: WorldOptions = {}): World {");
    assert(seen[6]!.split("\n")[1]!.startsWith("munmap("), seen[6]);
    for (const name of commandNames()) {
      await type(`.script ${name}`);
      assert(seen.at(-1)!.includes(`const ${name.slice(1)}: Command = {`), `${name}: ${seen.at(-1)}`);
    }
  });
});

Deno.test("namesFor() offers commands, members of live objects and flavours in quotes", async () => {
  await staged(async ({ session: { evaluator }, type }) => {
    await type("const vma = qemu.mmapGrants(w.guest.grant(1))");
    const OFFERS: readonly (readonly [prefix: string, from: number, some: readonly string[]])[] = [
      ["qemu.mmap", 5, ["mmap", "mmapGrants"]], // control
      ["w.guest.ta", 8, ["table"]],
      ["qemu.vmas[0].nrP", 13, ["nrPages"]],
      ["f(\n  vm", 5, ["vma"]],
      ["?qemu.munm", 6, ["munmap"]],
      [".un", 0, [".undo"]],
      ['world({ kernel: "linux6', 17, ["linux6_1"]],
      ['world({ xen: "xe', 14, ["xen4_17"]],
      ['compare("split_t', 9, ["split_then_pin"]],
      ["qemu.mmap().", 12, []],
      ["qemu.nothing.x", 13, []],
    ];
    for (const [prefix, from, some] of OFFERS) {
      const offer = await namesFor(evaluator, prefix);
      assertEquals([prefix, offer.from], [prefix, from]);
      for (const name of some) assert(offer.names.includes(name), `${prefix}: ${offer.names}`);
      if (some.length === 0) assertEquals(offer.names, []);
    }
    const members = await namesFor(evaluator, "qemu.");
    assert(!members.names.includes("hasOwnProperty") && members.names.includes("walk"));
  });
});

Deno.test("an interrupted .undo leaves the session as it was", async () => {
  await staged(async ({ type, seen, session }) => {
    await type("let n = 1; { const end = performance.now() + 1500; while (performance.now() < end); }");
    await type("n = 2");
    const undoing = type(".undo");
    await new Promise((resolve) => setTimeout(resolve, 900));
    await session.interrupt();
    await undoing;
    await type("n");
    assertEquals(seen.slice(1), ["The replay did not come to its end; the session is as it was", "2"]);
  });
});

Deno.test("isCommand() knows commands from TypeScript", () => {
  for (const line of [".help", "  .undo", "?w", "w.guest?"]) assert(isCommand(line), line);
  for (const line of ["1", ".5 + 1", "a ? b : c", "a ?", "[].length"]) assert(!isCommand(line), line);
});
