import { assertEquals } from "@std/assert";
import { Meetings, OutputStream } from "../../../lib/repl/output_stream.ts";
import { markText } from "../../../lib/repl/mark.ts";

const meet = (n: number) => markText("meet", String(n));

/** What two pipes bring, in the order of what is passed on. */
async function told(stdout: readonly string[], stderr: readonly string[]): Promise<string[]> {
  const lines: string[] = [];
  const meetings = new Meetings();
  const streams = [stdout, stderr].map((chunks, i) => {
    const bytes = ReadableStream.from(chunks).pipeThrough(new TextEncoderStream());
    const onText = (text: string) => void lines.push(`${"oe"[i]}:${text}`);
    return new OutputStream(bytes, meetings, { onText });
  });
  await Promise.all(streams.map((stream) => stream.finished));
  return lines;
}

const TOLD: readonly (readonly [rule: string, stdout: string[], stderr: string[], told: string[]])[] = [
  ["lines written in turn stay in turn", [`a${meet(1)}`, `${meet(2)}c`], [meet(1), `b${meet(2)}`], [
    "o:a",
    "e:b",
    "o:c",
  ]],
  ["a point that one pipe lacks is passed at the next", [meet(1), `a${meet(2)}b`], [`${meet(2)}c`], [
    "o:a",
    "e:c",
    "o:b",
  ]],
  ["a point that one pipe lacks is passed at its end", [`${meet(1)}a`], [""], ["o:a"]],
];

for (const [rule, stdout, stderr, expected] of TOLD) {
  Deno.test(`two pipes: ${rule}`, async () => {
    assertEquals(await told(stdout, stderr), expected);
  });
}

Deno.test("two pipes: a point that one pipe lacks is passed at the mark after a line", async () => {
  const meetings = new Meetings();
  const done = Promise.withResolvers<void>();
  // Neither pipe ends: the host lives on.
  const open = (text: string) =>
    new ReadableStream<Uint8Array<ArrayBuffer>>({
      async start(controller) {
        controller.enqueue(new TextEncoder().encode(text));
        await done.promise;
        controller.close();
      },
    });
  const texts: string[] = [];
  const receivers = { onText: (text: string) => void texts.push(text) };
  const stdout = new OutputStream(open(`${meet(1)}after${markText("end")}`), meetings, receivers);
  const stderr = new OutputStream(open(markText("end")), meetings, receivers);
  await Promise.all([stdout.found("end"), stderr.found("end")]);
  assertEquals(texts, ["after"]);
  done.resolve();
  await Promise.all([stdout.finished, stderr.finished]);
});
