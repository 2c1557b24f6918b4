import { assertEquals, assertThrows } from "@std/assert";
import { newConnectionInfo, parseConnectionInfo } from "../../../lib/jupyter/connection_file.ts";
import { MessageCodec } from "../../../lib/jupyter/message.ts";

const bytes = (value: string) => new TextEncoder().encode(value);
const text = (value: Uint8Array) => new TextDecoder().decode(value);

Deno.test("MessageCodec signs the four parts with HMAC-SHA256", () => {
  const codec = new MessageCodec("key");
  const header = { ...codec.header("x"), msg_id: "1", session: "s", date: "d" };
  const frames = codec.encode({
    identities: [bytes("peer")],
    header,
    parentHeader: {},
    metadata: {},
    content: { a: 1 },
  });
  assertEquals(frames.map(text).filter((_, i) => i !== 2), [
    "peer",
    "<IDS|MSG>",
    '{"msg_id":"1","msg_type":"x","session":"s","username":"grantlab","date":"d","version":"5.3"}',
    "{}",
    "{}",
    '{"a":1}',
  ]);
  // printf '%s' 'HEADER{}{}{"a":1}' | openssl dgst -sha256 -hmac key
  assertEquals(text(frames[2]!), "0c1aeefc6c134c2b566ebbf9cef971cb01734afd7f04fe5727214935cc884c90");
  assertEquals(codec.decode(frames).content, { a: 1 });
  assertEquals(codec.decode(frames).identities.map(text), ["peer"]);
});

Deno.test("MessageCodec refuses what is torn or not signed with its key", () => {
  const codec = new MessageCodec("key");
  const good = codec.encode({
    identities: [],
    header: codec.header("x"),
    parentHeader: {},
    metadata: {},
    content: {},
  });
  codec.decode(good);
  const rows: [string, Uint8Array[], string][] = [
    ["no delimiter", good.slice(1), "too few frames"],
    ["a part missing", good.slice(0, 5), "too few frames"],
    ["a part changed", [...good.slice(0, 5), bytes('{"a":2}')], "signature"],
    ["signature cut", [good[0]!, good[1]!.subarray(1), ...good.slice(2)], "signature"],
    ["nothing", [], "too few frames"],
  ];
  for (const [, frames, reason] of rows) assertThrows(() => codec.decode(frames), Error, reason);
  assertThrows(() => new MessageCodec("other").decode(good), Error, "signature");
  assertEquals(new MessageCodec("").decode(good).header.msg_type, "x");
});

Deno.test("parseConnectionInfo() reads what Jupyter writes and refuses what it cannot serve", () => {
  const good = newConnectionInfo();
  assertEquals(parseConnectionInfo(JSON.stringify(good)), good);
  const { transport: _, signature_scheme: __, ...short } = good;
  assertEquals(parseConnectionInfo(JSON.stringify(short)), good);
  const { hb_port: ___, ...portless } = good;
  const rows: [string, string][] = [
    [JSON.stringify({ ...good, transport: "ipc" }), "Cannot use the transport ipc"],
    [JSON.stringify({ ...good, signature_scheme: "hmac-md5" }), "Cannot sign by hmac-md5"],
    [JSON.stringify(portless), "it has no hb_port"],
    [JSON.stringify(good).slice(0, 30), "Cannot read the connection file"],
  ];
  for (const [file, reason] of rows) assertThrows(() => parseConnectionInfo(file), Error, reason);
});
