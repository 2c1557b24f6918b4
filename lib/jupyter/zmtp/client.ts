/**
 * The sockets of a front end: DEALER for requests, SUB for what the kernel publishes, REQ for the heartbeat.
 *
 * @module
 */

import { Connection, type Message, type SocketType } from "./connection.ts";
import type { Address } from "./server.ts";

/**
 * Connects to a bound socket. A kernel that is just starting does not listen yet, so it is tried again for a while.
 *
 * @param onMessage receives what comes
 * @throws {Error} if nobody listens there within `patienceMs`, or it is no such socket
 */
export async function connect(
  type: Extract<SocketType, "DEALER" | "SUB" | "REQ">,
  address: Address,
  onMessage: (message: Message) => void,
  patienceMs = 10_000,
): Promise<Connection> {
  const end = performance.now() + patienceMs;
  for (;;) {
    let conn: Deno.TcpConn;
    try {
      conn = await Deno.connect(address);
    } catch (error) {
      if (performance.now() > end || !(error instanceof Deno.errors.ConnectionRefused)) throw error;
      await new Promise((resolve) => void setTimeout(resolve, 10));
      continue;
    }
    const connection = new Connection(conn, type, { onMessage });
    const refused = connection.closed.then((reason) => reason);
    const reason = await Promise.race([connection.ready, refused]);
    if (reason !== undefined) throw new Error(`Cannot connect to port ${address.port}: ${reason}`);
    // By a message, which ZMTP 3.1 understands, too.
    if (type === "SUB") connection.send([Uint8Array.of(1)]);
    return connection;
  }
}
