import { assert, assertEquals } from "@std/assert";
import { newConnectionInfo } from "../../../lib/jupyter/connection_file.ts";
import { type CellRun, KernelClient } from "../../../lib/jupyter/kernel_client.ts";
import { type CellOutput, wholeText } from "../../../lib/jupyter/notebook.ts";

const KERNEL = decodeURIComponent(new URL("../../../scripts/kernel.ts", import.meta.url).pathname);
const ARGV = [Deno.execPath(), "run", "--no-check", "-A", KERNEL, "{connection_file}"];

async function withKernel(use: (kernel: KernelClient) => Promise<void>): Promise<void> {
  const kernel = await KernelClient.start({ argv: ARGV });
  try {
    await use(kernel);
  } finally {
    await kernel.close();
  }
}

/** An output in a line. */
function shown(output: CellOutput): string {
  if (output.output_type === "stream") return `${output.name}: ${wholeText(output.text)}`;
  if (output.output_type === "error") return `error: ${output.ename} | ${output.evalue}`;
  return `${output.output_type === "execute_result" ? "result" : "display"}: ${output.data["text/plain"]}`;
}

const says = (run: CellRun) => run.outputs.map(shown);

const after = (ms: number) => new Promise((resolve) => void setTimeout(resolve, ms));

async function isAlive(pid: number): Promise<boolean> {
  return (await new Deno.Command("kill", { args: ["-0", String(pid)], stderr: "null" }).output()).success;
}

async function isGone(pid: number): Promise<boolean> {
  for (let i = 0; i < 40; i++) {
    if (!await isAlive(pid)) return true;
    await after(100);
  }
  return false;
}

Deno.test("the kernel shows what cells say", async () => {
  await withKernel(async (kernel) => {
    const rows: [code: string, says: string[]][] = [
      ["1 + 1", ["result: 2"]],
      ["0xfffn", ["result: 0xfffn"]],
      ["-0", ["result: -0"]],
      ["NaN", ["result: NaN"]],
      ["null", ["result: null"]],
      ["undefined", []],
      ["", []],
      ["// nothing", []],
      ["let y: number = 4", []],
      ["let y: bigint = 5n; y", ["result: 0x5n"]],
      ["await Promise.resolve([y])", ["result: [ 0x5n ]"]],
      ['import { PAGE, show } from "grantlab"; PAGE', ["result: 4096"]],
      [
        'console.log("a"); console.error("b"); await show(y); console.log("c"); console.warn("d"); 6',
        ["stdout: a\n", "stderr: b\n", "display: 0x5n", "stdout: c\n", "stderr: d\n", "result: 6"],
      ],
      [
        '({ [Symbol.for("Jupyter.display")]: () => ({ "text/plain": "own", "text/html": "<b>own</b>" }) })',
        ["result: own"],
      ],
      ['({ [Symbol.for("Jupyter.display")]() { throw new Error("no") } })', [
        "result: <its view failed: Error: no>",
      ]],
      ["x = ;", ["error: SyntaxError | Unexpected token ';'"]],
      ['throw new RangeError("hm")', ["error: RangeError | hm"]],
      ["throw 5", ["error: Uncaught | 5"]],
      ['console.log("before"); nope()', ["stdout: before\n", "error: ReferenceError | nope is not defined"]],
      ["await Promise.reject(new TypeError('late'))", ["error: TypeError | late"]],
      ["y", ["result: 0x5n"]],
    ];
    for (const [code, expected] of rows) assertEquals(says(await kernel.execute(code)), expected, code);
    const { outputs: [error] } = await kernel.execute("1;\nnope();\n2");
    assertEquals(error?.output_type === "error" && error.traceback, [
      "\x1b[31mReferenceError: nope is not defined\x1b[39m",
      "  in line 2: nope();",
    ]);
  });
});

Deno.test("the kernel says idle after all output, however much there is", async () => {
  await withKernel(async (kernel) => {
    const lines = Array.from({ length: 20_000 }, (_, i) => `line ${i}\n`).join("");
    assertEquals(says(await kernel.execute("for (let i = 0; i < 20_000; i++) console.log(`line ${i}`)")), [
      `stdout: ${lines}`,
    ]);
    const [large] =
      (await kernel.execute('import { show } from "grantlab"; await show("x\\n".repeat(90_000))'))
        .outputs;
    assertEquals(large?.output_type === "display_data" && String(large.data["text/plain"]).length, 180_000);
    await kernel.execute('setTimeout(() => console.log("late"), 50)');
    assertEquals(says(await kernel.execute("await new Promise((resolve) => setTimeout(resolve, 300))")), [
      "stdout: late\n",
    ]);
  });
});

Deno.test("execute_request obeys silent, store_history and user_expressions", async () => {
  await withKernel(async (kernel) => {
    assertEquals((await kernel.execute("1")).executionCount, 1);
    const silent = await kernel.execute("console.log(1); let s = 7; s", { silent: true });
    assertEquals([silent.outputs, silent.executionCount], [[], 1]);
    assertEquals((await kernel.execute("s", { store_history: false })).executionCount, 1);
    const { reply } = await kernel.request("execute_request", {
      code: "",
      user_expressions: { good: "s + 1", bad: "nope" },
    });
    assertEquals(reply["user_expressions"], {
      good: { status: "ok", data: { "text/plain": "8" }, metadata: {} },
      bad: {
        status: "error",
        ename: "ReferenceError",
        evalue: "nope is not defined",
        traceback: ["\x1b[31mReferenceError: nope is not defined\x1b[39m"],
      },
    });
    const { reply: history } = await kernel.request("history_request", { hist_access_type: "tail", n: 2 });
    assertEquals(history["history"], [[1, 1, "1"], [1, 2, ""]]);
  });
});

Deno.test("a failing cell gives up those sent with it, unless it is told not to", async () => {
  await withKernel(async (kernel) => {
    const statuses = async (stop_on_error: boolean) => {
      const runs = ["1", "nope()", "2", "3"].map((code) => kernel.execute(code, { stop_on_error }));
      return (await Promise.all(runs)).map(({ status }) => status);
    };
    assertEquals(await statuses(true), ["ok", "error", "aborted", "aborted"]);
    assertEquals(await statuses(false), ["ok", "error", "ok", "ok"]);
    assertEquals(says(await kernel.execute("4")), ["result: 4"]);
  });
});

Deno.test("interrupt_request stops busy and awaiting cells and keeps the session", async () => {
  await withKernel(async (kernel) => {
    await kernel.execute("const kept = 5");
    for (const code of ["while (true) {}", "await new Promise(() => {})", "await 0; for (;;) {}"]) {
      const run = kernel.execute(code);
      await after(150);
      await kernel.interrupt();
      assertEquals(says(await run), ["error: Interrupted | Interrupted"], code);
    }
    const flood = kernel.execute('while (true) console.log("x".repeat(1000))');
    await after(150);
    await kernel.interrupt();
    assertEquals(says(await flood).at(-1), "error: Interrupted | Interrupted");
    assertEquals(says(await kernel.execute("kept")), ["result: 5"]);
  });
});

Deno.test("the kernel answers what front ends ask beside cells", async () => {
  await withKernel(async (kernel) => {
    const ask = async (type: string, content: Record<string, unknown>) =>
      (await kernel.request(type, content)).reply;
    const info = await ask("kernel_info_request", {});
    assertEquals([info["status"], info["implementation"], info["protocol_version"]], [
      "ok",
      "grantlab",
      "5.3",
    ]);
    await kernel.execute("const palace = { garden: 1, gate: 2 }");
    const complete = async (code: string) => {
      const { matches, cursor_start, cursor_end } = await ask("complete_request", {
        code,
        cursor_pos: [...code].length,
      });
      return [matches, cursor_start, cursor_end];
    };
    assertEquals(await complete("pala"), [["palace"], 0, 4]);
    assertEquals(await complete("'😀' + palace.ga"), [["garden", "gate"], 13, 15]);
    const isComplete = async (code: string) => (await ask("is_complete_request", { code }))["status"];
    assertEquals(await Promise.all(["f()", "f(", "x ="].map(isComplete)), [
      "complete",
      "incomplete",
      "incomplete",
    ]);
    const inspect = async (code: string, cursor_pos: number) => {
      const { data } = await ask("inspect_request", { code, cursor_pos, detail_level: 0 });
      return String((data as Record<string, unknown>)["text/plain"]).split("\n")[0];
    };
    await kernel.execute('const w = world(); const qemu = w.process("qemu")');
    assertEquals(await inspect("world()", 3), "function world");
    assertEquals(await inspect("compare('split', ", 17), "function compare");
    assertEquals(await inspect("qemu.munmap(1, 2)", 16), "method Process.munmap");
    assertEquals(
      (await ask("inspect_request", { code: "nope1", cursor_pos: 2, detail_level: 0 }))["found"],
      false,
    );
    assertEquals((await ask("comm_info_request", {}))["comms"], {});
    assertEquals((await ask("history_request", { hist_access_type: "range", start: 1 }))["history"], [
      [1, 1, "const palace = { garden: 1, gate: 2 }"],
      [1, 2, 'const w = world(); const qemu = w.process("qemu")'],
    ]);
    for (const code of ["?world", "world?", "??world"]) {
      assert(says(await kernel.execute(code))[0]!.startsWith("result: function world\n"), code);
    }
    assertEquals(
      says(await kernel.execute("?nope1"))[0]!.slice(0, 39),
      "error: NoHelp | Nothing is known of nop",
    );
  });
});

Deno.test("a session that ends is an error of its cell, and the next cell has a fresh one", async () => {
  await withKernel(async (kernel) => {
    const ended = (how: string) => [
      `error: SessionEnded | The session's process ended with ${how}. A fresh one is open, without its names.`,
    ];
    await kernel.execute("const lost = 1");
    assertEquals(says(await kernel.execute("Deno.exit(3)")), ended("code 3"));
    assertEquals(says(await kernel.execute("typeof lost")), ['result: "undefined"']);
    const [pid] = says(await kernel.execute("Deno.pid"));
    Deno.kill(Number(pid!.slice("result: ".length)), "SIGKILL");
    assertEquals(says(await kernel.execute("1")), ended("code 137"));
    assertEquals(says(await kernel.execute("2")), ["result: 2"]);
  });
});

Deno.test("no process is left after a shutdown, even out of a busy cell", async () => {
  for (const last of ["1", "while (true) {}"]) {
    let session = 0;
    await withKernel(async (kernel) => {
      session = Number(says(await kernel.execute("Deno.pid"))[0]!.slice("result: ".length));
      assert(await isAlive(session));
      void kernel.execute(last).catch(() => {});
      await after(100);
    });
    assert(await isGone(session), `after ${last}`);
  }
});

Deno.test("a kernel ends when its front end has died, and so does its session", async () => {
  const connection = newConnectionInfo();
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/c.json`, JSON.stringify(connection));
  const words = ARGV.map((word) => `'${word.replace("{connection_file}", `${folder}/c.json`)}'`).join(" ");
  const frontEnd = new Deno.Command("sh", {
    args: ["-c", `${words} & echo $!; wait`],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const reader = frontEnd.stdout.getReader();
  const kernel = Number(new TextDecoder().decode((await reader.read()).value));
  try {
    await after(600);
    assert(await isAlive(kernel));
    frontEnd.kill("SIGKILL");
    assert(await isGone(kernel));
  } finally {
    await reader.cancel();
    await frontEnd.status;
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a kernel without a usable connection file says so and ends with 2", async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "-A", KERNEL, KERNEL],
    env: { NO_COLOR: "1" },
  }).output();
  assertEquals(code, 2);
  assert(new TextDecoder().decode(stderr).startsWith("Cannot read the connection file: "));
});
