/**
 * The file by which a front end tells a kernel where to listen and with which key to sign.
 *
 * @module
 */

/** Ports and key. */
export interface ConnectionInfo {
  readonly ip: string;
  readonly shell_port: number;
  readonly iopub_port: number;
  readonly stdin_port: number;
  readonly control_port: number;
  readonly hb_port: number;
  /** Empty if messages are not signed. */
  readonly key: string;
  readonly transport: "tcp";
  readonly signature_scheme: "hmac-sha256";
}

const PORTS = ["shell_port", "iopub_port", "stdin_port", "control_port", "hb_port"] as const;

/**
 * What a connection file says.
 *
 * @throws {Error} if it is no connection file, or asks for another transport or signature than TCP and HMAC-SHA256
 */
export function parseConnectionInfo(text: string): ConnectionInfo {
  let given: Partial<Record<keyof ConnectionInfo, unknown>>;
  try {
    given = JSON.parse(text);
  } catch (error) {
    throw new Error(`Cannot read the connection file: ${(error as Error).message}`);
  }
  const { transport = "tcp", signature_scheme = "hmac-sha256", ip = "127.0.0.1", key = "" } = given;
  if (transport !== "tcp") throw new Error(`Cannot use the transport ${transport}: only tcp is spoken`);
  if (signature_scheme !== "hmac-sha256") {
    throw new Error(`Cannot sign by ${signature_scheme}: only hmac-sha256 is known`);
  }
  for (const port of PORTS) {
    if (!Number.isInteger(given[port])) throw new Error(`Cannot read the connection file: it has no ${port}`);
  }
  return { ...given, transport, signature_scheme, ip, key } as ConnectionInfo;
}

/** A connection of our own: free ports of this machine and a fresh key. */
export function newConnectionInfo(): ConnectionInfo {
  const listeners = PORTS.map(() => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const ports = Object.fromEntries(PORTS.map((port, i) => [port, listeners[i]!.addr.port]));
  for (const listener of listeners) listener.close();
  return {
    ...ports as Record<typeof PORTS[number], number>,
    ip: "127.0.0.1",
    key: crypto.randomUUID(),
    transport: "tcp",
    signature_scheme: "hmac-sha256",
  };
}
