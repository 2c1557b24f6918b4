/**
 * Where golden data comes in: the only file of this layer that touches the outside. Files are streamed, unpacked if
 * their content is gzip, so that a large one takes no more memory than a line.
 *
 * @module
 */

import { BadInput, type Head, type Input, type Row } from "./format.ts";

const LINES_OF_HEAD = 5;

/**
 * Opens a golden file or folder.
 *
 * @throws {BadInput} if the path cannot be read
 */
export async function openInput(path: string): Promise<Input> {
  const info = await attempt(path, () => Deno.stat(path));
  return info.isDirectory ? await openFolder(path) : await openFile(path);
}

async function openFile(path: string): Promise<Input> {
  const lines: string[] = [];
  for await (const line of linesOf(path)) {
    if (line !== "") lines.push(line);
    if (lines.length === LINES_OF_HEAD) break;
  }
  const head: Head = { kind: "file", lines, rows: lines.flatMap(objectIn), names: new Set() };
  return {
    path,
    head,
    lines: () => linesOf(path),
    bytes: () => Promise.reject(new BadInput(path, "not a folder")),
  };
}

function objectIn(line: string): Row[] {
  try {
    const value = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? [value] : [];
  } catch {
    return []; // the replayer reports the line when it comes to it
  }
}

async function openFolder(path: string): Promise<Input> {
  const files = new Map<string, string>();
  await attempt(path, async () => {
    for await (const entry of Deno.readDir(path)) {
      if (entry.isFile || entry.isSymlink) {
        files.set(entry.name.replace(/\.gz$/, ""), `${path}/${entry.name}`);
      }
    }
  });
  const fileNamed = (name: string | undefined): string => {
    const file = name === undefined ? undefined : files.get(name);
    if (file === undefined) throw new BadInput(path, `there is no file ${name} in this folder`);
    return file;
  };
  return {
    path,
    head: { kind: "folder", lines: [], rows: [], names: new Set(files.keys()) },
    lines: (name) => linesOf(fileNamed(name)),
    bytes: async (name) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of contentOf(fileNamed(name))) chunks.push(chunk);
      return new Uint8Array(await new Blob(chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer());
    },
  };
}

async function* linesOf(path: string): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  let line = 1;
  const decode = (chunk?: Uint8Array): string => {
    try {
      return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
    } catch {
      throw new BadInput(`${path}:${line}`, "at or after this line the file is not UTF-8 text");
    }
  };
  for await (const chunk of contentOf(path, () => line)) {
    const parts = (rest + decode(chunk)).split("\n");
    rest = parts.pop()!;
    for (const part of parts) {
      yield part.endsWith("\r") ? part.slice(0, -1) : part;
      line++;
    }
  }
  rest += decode();
  if (rest !== "") yield rest;
}

/** The bytes of a file, unpacked if they are gzip. `line` says how far a reader has come, for the message. */
async function* contentOf(path: string, line?: () => number): AsyncGenerator<Uint8Array> {
  const file = await attempt(path, () => Deno.open(path));
  try {
    const magic = new Uint8Array(2);
    const n = await attempt(path, () => file.read(magic));
    await attempt(path, () => file.seek(0, Deno.SeekMode.Start));
    const isGzip = n === 2 && magic[0] === 0x1f && magic[1] === 0x8b;
    const stream = isGzip
      ? file.readable.pipeThrough(
        new DecompressionStream("gzip") as ReadableWritablePair<Uint8Array, Uint8Array>,
      )
      : file.readable;
    try {
      for await (const chunk of stream) yield chunk;
    } catch (e) {
      if (e instanceof BadInput) throw e;
      const where = line === undefined ? path : `${path}:${line()}`;
      const what = isGzip ? "the gzip data is torn or corrupt at or after this line" : "cannot be read";
      throw new BadInput(where, `${what} (${(e as Error).message})`);
    }
  } finally {
    try {
      file.close();
    } catch {
      // the stream has closed it already
    }
  }
}

async function attempt<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (e) {
    if (e instanceof BadInput) throw e;
    throw new BadInput(path, reasonOf(e as Error));
  }
}

function reasonOf(e: Error): string {
  if (e instanceof Deno.errors.NotFound) return "there is no such file or folder";
  if (e instanceof Deno.errors.PermissionDenied || e instanceof Deno.errors.NotCapable) {
    return "reading it is not permitted";
  }
  return `cannot be read (${e.message})`;
}
