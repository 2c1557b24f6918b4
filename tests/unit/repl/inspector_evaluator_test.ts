import { assert, assertEquals } from "@std/assert";
import type { Evaluation, Evaluator } from "../../../lib/repl/evaluator.ts";
import { openEvaluator } from "../../../lib/repl/inspector_evaluator.ts";

const module = new URL("../../support/repl_fixture.ts", import.meta.url).href;

async function session(body: (evaluator: Evaluator, output: string[]) => Promise<void>): Promise<void> {
  const output: string[] = [];
  const evaluator = await openEvaluator({
    preamble: { module, setup: ["let kept = 1"] },
    onOutput: (stream, text) => void output.push(`${stream}: ${text}`),
  });
  try {
    await body(evaluator, output);
  } finally {
    await evaluator.close();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}

function primitive(evaluation: Evaluation): unknown {
  assert(evaluation.kind === "value", JSON.stringify(evaluation));
  return evaluation.value.primitive;
}

/** Lines that do not end by themselves, and what an interrupt does to them. */
const ENDLESS: readonly (readonly [source: string, interruption: string])[] = [
  ["while (true) {}", "stopped"],
  ["(() => { for (;;) { try { kept++; } finally { continue; } } })()", "stopped"],
  ["await 0; for (;;);", "stopped"],
  ['for (;;) console.log("x")', "stopped"],
  ["for (;;) console.log({ a: [1, { b: 2 }] })", "stopped"],
  ["for (;;) Deno.inspect({ a: [1, { b: 2 }] })", "stopped"],
  ["await new Promise((done) => setTimeout(done, 10)); for (;;);", "stopped"],
  ["setTimeout(() => { for (;;); }, 5); await new Promise(() => {})", "stopped"],
  ["await new Promise(() => {})", "left-behind"],
];

Deno.test("interrupt() ends every endless line and keeps the session", async () => {
  await session(async (evaluator) => {
    for (const [source, interruption] of ENDLESS) {
      await evaluator.evaluate("kept = 41");
      const running = evaluator.evaluate(source);
      await pause(150);
      assertEquals(await evaluator.interrupt(), interruption as never, source);
      assertEquals(
        (await running).kind === "error" && (await running as { phase: string }).phase,
        "interrupt",
      );
      assertEquals(typeof primitive(await evaluator.evaluate("kept")), "number", source);
    }
    assertEquals(await evaluator.interrupt(), "idle");
  });
});

Deno.test("interrupt() ends a text view that does not end", async () => {
  await session(async (evaluator) => {
    const endless = await evaluator.evaluate("({ [Symbol.for('Deno.customInspect')]() { for (;;); } })");
    assert(endless.kind === "value");
    const printed = evaluator.print(endless.value, { form: "text" });
    await pause(100);
    assertEquals(await evaluator.interrupt(), "stopped");
    assertEquals(await printed, "<its text view was interrupted>");
    assertEquals(primitive(await evaluator.evaluate("kept")), 1);
  });
});

Deno.test("evaluate() settles after all output, in order", async () => {
  await session(async (evaluator, output) => {
    for (let i = 0; i < 50; i++) {
      await evaluator.evaluate(`for (let n = 0; n < 20; n++) console.log(${i}, n); console.error("e${i}")`);
      const text = output.splice(0).sort().join("");
      assertEquals([text.split(`${i} `).length > 20, text.includes(`e${i}`)], [true, true], text);
    }
  });
});

Deno.test("evaluate() tells syntax from run errors, with the line", async () => {
  await session(async (evaluator) => {
    assertEquals(await evaluator.evaluate("1;\n2 2"), {
      kind: "error",
      phase: "syntax",
      name: "SyntaxError",
      message: "SyntaxError: Unexpected number",
      line: 1,
    });
    assertEquals(await evaluator.evaluate("1;\n\nnope"), {
      kind: "error",
      phase: "run",
      name: "ReferenceError",
      message: "ReferenceError: nope is not defined",
      line: 2,
    });
  });
});

Deno.test("evaluate() survives errors that nobody handles", async () => {
  await session(async (evaluator, output) => {
    await evaluator.evaluate("Promise.reject(new Error('alone')); setTimeout(() => { throw 3 }, 0); 1");
    await pause(30);
    assertEquals(primitive(await evaluator.evaluate("kept")), 1);
    assertEquals(output.join("").includes("Uncaught Error: alone"), true);
    assertEquals(output.join("").includes("Uncaught 3"), true);
  });
});

Deno.test("evaluate() reports the end of the host", async () => {
  await session(async (evaluator) => {
    assertEquals(await evaluator.evaluate("Deno.exit(3)"), { kind: "ended", code: 3 });
    assertEquals(await evaluator.evaluate("1"), { kind: "ended", code: 3 });
  });
});

Deno.test("print() gives both forms of a view", async () => {
  await session(async (evaluator) => {
    const drawing = await evaluator.evaluate("new Drawing()");
    assert(drawing.kind === "value");
    assertEquals(await evaluator.print(drawing.value, { form: "text" }), "AA\nBB");
    assertEquals(await evaluator.print(drawing.value, { form: "line" }), "Drawing AA/BB");
    const entry = await evaluator.evaluate("({ pte: 0x8000000000000067n })");
    assert(entry.kind === "value");
    assertEquals(await evaluator.print(entry.value, { form: "text" }), "{ pte: 0x8000000000000067n }");
  });
});

Deno.test("complete() finds names of the session and properties, and calls nothing", async () => {
  await session(async (evaluator) => {
    await evaluator.evaluate(
      "let touched = 0; const box = { inner: { alpha: 1, get beta() { touched++; return 1; } } }",
    );
    assertEquals(await evaluator.complete("tabl"), { from: 0, names: ["table"] });
    assertEquals(await evaluator.complete("1 + box.inner.al"), { from: 14, names: ["alpha"] });
    assertEquals((await evaluator.complete("box.inner.beta.x")).names, []);
    assertEquals((await evaluator.complete("nope.x")).names, []);
    assertEquals(primitive(await evaluator.evaluate("touched")), 0);
  });
});

Deno.test("openEvaluator() tells why a preamble fails", async () => {
  const message = await openEvaluator({ preamble: { module, setup: ["nope"] }, onOutput: () => {} })
    .then(() => "", (error: Error) => error.message);
  assertEquals(message, "Cannot set the session up by nope: ReferenceError: nope is not defined");
});
