import { assertEquals } from "@std/assert";
import {
  commandBytes,
  FrameParser,
  greeting,
  greetingFault,
  messageBytes,
  metadataBytes,
  readCommand,
} from "../../../lib/jupyter/zmtp/frame.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (value: string) => new TextEncoder().encode(value);

Deno.test("greeting() is that of ZMTP 3.1 with NULL", () => {
  const hex = greeting().toHex();
  assertEquals(hex.length, 128);
  assertEquals(hex.slice(0, 32), "ff00000000000000017f03014e554c4c");
  assertEquals(hex.slice(32), "0".repeat(96));
});

Deno.test("greetingFault() accepts NULL of any version 3 and refuses the rest", () => {
  const row = (change: (g: Uint8Array) => void) => {
    const bytes = greeting();
    change(bytes);
    return greetingFault(bytes);
  };
  assertEquals(row(() => {}), undefined);
  assertEquals(row((g) => g[11] = 0), undefined);
  assertEquals(row((g) => g[10] = 2), "it speaks ZMTP 2, not 3");
  assertEquals(row((g) => g[0] = 0x47), "it does not speak ZMTP");
  assertEquals(row((g) => g.set(bytes("PLAIN"), 12)), "it wants the mechanism PLAIN");
});

Deno.test("messageBytes() takes the short form up to 255 bytes", () => {
  assertEquals(messageBytes([bytes("a"), bytes("bc")]).toHex(), "010161" + "00026263");
  assertEquals(messageBytes([new Uint8Array(255)]).toHex().slice(0, 4), "00ff");
  assertEquals(messageBytes([new Uint8Array(256)]).toHex().slice(0, 18), "020000000000000100");
  assertEquals(messageBytes([new Uint8Array(256), bytes("")]).toHex().slice(0, 2), "03");
});

Deno.test("commandBytes() writes a READY as the RFC has it", () => {
  const ready = commandBytes("READY", metadataBytes({ "Socket-Type": "REQ" }));
  assertEquals(ready.toHex(), "0419" + "05" + "5245414459" + "0b536f636b65742d54797065" + "00000003524551");
  const { name, data } = readCommand(ready.subarray(2));
  assertEquals([name, data.length], ["READY", 19]);
});

Deno.test("FrameParser gives the same frames however the bytes are cut", () => {
  const stream = [
    ...messageBytes([bytes("one"), new Uint8Array(300).fill(7)]),
    ...commandBytes("PING", Uint8Array.of(0, 0, 9)),
    ...messageBytes([bytes("")]),
  ];
  for (const size of [1, 2, 3, 7, 64, 1000]) {
    const parser = new FrameParser();
    const seen: string[] = [];
    for (let at = 0; at < stream.length; at += size) {
      parser.push(Uint8Array.from(stream.slice(at, at + size)));
      for (let frame = parser.next(); frame !== undefined; frame = parser.next()) {
        const body = frame.body.length > 20 ? `${frame.body.length} bytes` : text(frame.body);
        seen.push(`${frame.isCommand ? "command " : ""}${body}${frame.hasMore ? " …" : ""}`);
      }
    }
    assertEquals(seen, ["one …", "300 bytes", "command \x04PING\0\0\x09", ""], `pieces of ${size}`);
  }
});
