import { assertEquals } from "@std/assert";
import { connect } from "../../../lib/jupyter/zmtp/client.ts";
import { Connection, type Message } from "../../../lib/jupyter/zmtp/connection.ts";
import { commandBytes, joined } from "../../../lib/jupyter/zmtp/frame.ts";
import { EchoServer, PubServer, RouterServer } from "../../../lib/jupyter/zmtp/server.ts";

const LOCAL = { hostname: "127.0.0.1", port: 0 };
const bytes = (value: string) => new TextEncoder().encode(value);
const text = (message: Message) => message.map((frame) => new TextDecoder().decode(frame));
const after = (ms: number) => new Promise((resolve) => void setTimeout(resolve, ms));

/** A subscriber that has subscribed to nothing yet. */
async function subscriber(port: number, seen: string[][]): Promise<Connection> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const connection = new Connection(conn, "SUB", { onMessage: (message) => seen.push(text(message)) });
  await connection.ready;
  return connection;
}

Deno.test("PubServer sends by prefix of the topic, subscribed by message or by command", async () => {
  const server = new PubServer(LOCAL);
  const seen: string[][] = [];
  const peer = await subscriber(server.port, seen);
  server.publish([bytes("a1"), bytes("before")]);
  peer.send([bytes("\x01a")]);
  await server.audience(2000);
  for (const topic of ["a1", "b1", "a"]) server.publish([bytes(topic), bytes("one")]);
  await after(50);
  assertEquals(seen.splice(0), [["a1", "one"], ["a", "one"]]);
  peer.send([bytes("\x00a")]);
  await after(50);
  server.publish([bytes("a1"), bytes("two")]);
  await after(50);
  assertEquals(seen, []);
  peer.close();
  await peer.closed;
  await server.close();
});

Deno.test("a peer that speaks in commands is heard: SUBSCRIBE, CANCEL, PING", async () => {
  const server = new PubServer(LOCAL);
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  const writer = conn.writable.getWriter();
  const greeted = new Connection(await Deno.connect({ hostname: "127.0.0.1", port: server.port }), "SUB", {
    onMessage: () => {},
  });
  await greeted.ready;
  greeted.close();
  await greeted.closed;
  const { greeting } = await import("../../../lib/jupyter/zmtp/frame.ts");
  await writer.write(joined([greeting(), commandBytes("SUBSCRIBE", bytes("x"))]));
  await server.audience(2000);
  server.publish([bytes("x"), bytes("heard")]);
  await writer.write(joined([commandBytes("PING", bytes("\0\x0aping")), commandBytes("CANCEL", bytes("x"))]));
  await after(50);
  server.publish([bytes("x"), bytes("unheard")]);
  await after(50);
  const closing = server.close();
  let all = "";
  for await (const part of conn.readable.pipeThrough(new TextDecoderStream("latin1"))) all += part;
  await closing;
  assertEquals([all.includes("heard"), all.includes("unheard"), all.includes("\x04PONGping")], [
    true,
    false,
    true,
  ]);
});

Deno.test("RouterServer answers each on its own connection, in order", async () => {
  const server = new RouterServer(LOCAL, (message, reply) => {
    for (const n of [1, 2, 3]) reply([...message, bytes(String(n))]);
  });
  const address = { hostname: "127.0.0.1", port: server.port };
  const seen: string[][] = [];
  const peers = await Promise.all(
    ["a", "b"].map((name) => connect("DEALER", address, (message) => seen.push([name, ...text(message)]))),
  );
  peers[0]!.send([bytes("x")]);
  await after(50);
  peers[1]!.send([bytes("y"), bytes("z".repeat(300))]);
  await after(50);
  assertEquals(seen.map((message) => message.map((part) => part.slice(0, 2)).join(" ")), [
    "a x 1",
    "a x 2",
    "a x 3",
    "b y zz 1",
    "b y zz 2",
    "b y zz 3",
  ]);
  for (const peer of peers) peer.close();
  await server.close();
});

Deno.test("EchoServer gives back what it gets; a peer that speaks something else is let go", async () => {
  const server = new EchoServer(LOCAL);
  const address = { hostname: "127.0.0.1", port: server.port };
  const seen: string[][] = [];
  const peer = await connect("REQ", address, (message) => seen.push(text(message)));
  peer.send([bytes(""), bytes("beat")]);
  const stranger = await Deno.connect(address);
  await stranger.write(bytes("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" + " ".repeat(64)));
  let end = await stranger.read(new Uint8Array(1000)).catch(() => null);
  if (end !== null) end = await stranger.read(new Uint8Array(1000)).catch(() => null);
  assertEquals(end, null);
  stranger.close();
  assertEquals(seen, [["", "beat"]]);
  peer.close();
  await server.close();
});
