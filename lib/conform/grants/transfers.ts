/**
 * Steps that move bytes between memory and something else: disk, files, pipes, sockets, other processes.
 *
 * @module
 */

import { PAGE_SIZE } from "../../core/geometry.ts";
import { procMemRead, procMemWrite, ptracePeek, ptracePoke } from "../../drivers/access_process_vm.ts";
import { directIo } from "../../drivers/direct_io.ts";
import type { Pipe } from "../../drivers/pipe.ts";
import { processVmReadv, processVmWritev } from "../../drivers/process_vm.ts";
import type { ByteQueue } from "../../drivers/socket.ts";
import { readUserBytes, writeUserBytes } from "../../drivers/user_bytes.ts";
import { maddrOf } from "../../core/frames.ts";
import type { PageCache } from "../../linux/mm/page_cache.ts";
import { BadInput, type Row } from "../format.ts";
import type { GrantWorld } from "../grant_world.ts";
import type { GrantOperation } from "./memory.ts";
import { BUFFER, fillRule } from "./setup.ts";
import { numberOf, type Outcome, outcomeOf, type Step, WINDOW } from "./step.ts";

const PIPE_BUFFER_BYTES = 65536;
/** Bytes that steps on another process's memory move, unless the row says otherwise. */
const REMOTE_BYTES = 16;

export const TRANSFER_OPERATIONS: Readonly<Record<string, GrantOperation>> = {
  odirect_read: (world, step, { mm }) => direct(world, step, mm, "read"),
  odirect_write: (world, step, { mm }) => direct(world, step, mm, "write"),
  disk_byte: (world, step) => ({
    val: world.disk.read8(step.number("disk_offset") + step.number("byte", 0)),
  }),
  read_blockdev(world, step, { mm }) {
    const from = step.number("disk_offset", 0);
    const bytes = Uint8Array.from({ length: step.number("len") }, (_, i) => world.disk.read8(from + i));
    return outcomeOf(writeUserBytes(mm, target(world, step), bytes), (n) => n);
  },
  write_tmpfs(world, step, { mm }) {
    const taken = readUserBytes(mm, target(world, step), step.number("len"));
    if (taken.ok) storeInFile(cacheOf(world, step), step.number("file_offset", 0), taken.value);
    return outcomeOf(taken, (bytes) => bytes.length);
  },
  read_tmpfs(world, step, { mm }) {
    const cache = cacheOf(world, step);
    const from = step.number("file_offset", 0);
    const bytes = Uint8Array.from(
      { length: step.number("len") },
      (_, i) => cache.read8(Math.floor((from + i) / PAGE_SIZE), (from + i) % PAGE_SIZE),
    );
    return outcomeOf(writeUserBytes(mm, target(world, step), bytes), (n) => n);
  },
  write_pipe: (world, step, { mm }) =>
    outcomeOf(pipeOf(world, step).write(mm, target(world, step), step.number("len")), (n) => n),
  read_pipe: (world, step, { mm }) =>
    outcomeOf(pipeOf(world, step).read(mm, target(world, step), step.number("len")), (n) => n),
  pipe_data(world, step) {
    const length = Math.min(step.number("read_len"), PIPE_BUFFER_BYTES);
    const result = pipeOf(world, step).readBytes(length);
    // What is not read stays in the buffer from before.
    if (result.ok) world.buffer.set(result.value);
    return { n: result.ok ? result.value.length : -1, b0: world.buffer[0] };
  },
  vmsplice(world, step, { mm }) {
    const pipe = pipeOf(world, step);
    let done = 0;
    for (const range of step.rows("iovec")) {
      const result = pipe.vmsplice(mm, placeOf(range, step), numberOf(range, "len", step.where));
      if (!result.ok) return done > 0 ? { ret: done, errno: "0" } : outcomeOf(result);
      done += result.value;
    }
    return { ret: done, errno: "0" };
  },
  send_unix: (world, step, { mm }) =>
    outcomeOf(socketOf(world, step).send(mm, target(world, step), step.number("len")), (n) => n),
  recv_unix: (world, step, { mm }) =>
    outcomeOf(socketOf(world, step).receive(mm, target(world, step), step.number("len")), (n) => n),
  process_vm_readv(world, step) {
    const parts: number[] = [];
    for (const range of step.rows("remote")) {
      const length = numberOf(range, "len", step.where, REMOTE_BYTES);
      const part = processVmReadv(remoteOf(world, step), placeOf(range, step), length);
      if (!part.ok) {
        if (parts.length === 0) return outcomeOf(part);
        break;
      }
      parts.push(...part.value);
      if (part.value.length < length) break;
    }
    world.lastRead = Uint8Array.from(parts);
    return { ret: parts.length, errno: "0", b0: parts[0] };
  },
  process_vm_writev(world, step) {
    let done = 0;
    for (const range of step.rows("remote")) {
      const bytes = writtenBytes(world, step, numberOf(range, "len", step.where, REMOTE_BYTES));
      const part = processVmWritev(remoteOf(world, step), placeOf(range, step), bytes);
      if (!part.ok) return done > 0 ? { ret: done, errno: "0" } : outcomeOf(part);
      done += part.value;
      if (part.value < bytes.length) break;
    }
    return { ret: done, errno: "0" };
  },
  proc_mem_read(world, step) {
    const result = procMemRead(remoteOf(world, step), target(world, step), step.number("len", REMOTE_BYTES));
    if (result.ok) world.lastRead = result.value;
    return { ...outcomeOf(result, (bytes) => bytes.length), b0: result.ok ? result.value[0] : undefined };
  },
  proc_mem_write(world, step) {
    const bytes = writtenBytes(world, step, step.number("len", REMOTE_BYTES));
    return outcomeOf(procMemWrite(remoteOf(world, step), target(world, step), bytes), (n) => n);
  },
  ptrace_peek(world, step) {
    const result = ptracePeek(world.process("parent", step.where).mm, target(world, step));
    return { ...outcomeOf(result), low_byte: result.ok ? result.value[0] : undefined };
  },
  ptrace_poke(world, step) {
    let word = BigInt(step.get("value") as number | string | undefined ?? 0);
    const bytes = new Uint8Array(8);
    for (let i = 0; i < 8; i++, word >>= 8n) bytes[i] = Number(word & 0xffn);
    return outcomeOf(ptracePoke(world.process("parent", step.where).mm, target(world, step), bytes));
  },
};

function direct(
  world: GrantWorld,
  step: Step,
  mm: Parameters<typeof directIo>[0],
  direction: "read" | "write",
): Outcome {
  const result = directIo(mm, world.disk, {
    direction,
    address: target(world, step),
    length: step.number("len"),
    diskOffset: step.number("disk_offset", 0),
  });
  return outcomeOf(result, ({ bytes }) => bytes);
}

/** Address that a step means: in the window, or a place that it names. */
function target(world: GrantWorld, step: Step): number {
  const named = step.get("target");
  if (typeof named === "object" && named !== null) {
    const place = named as Row;
    if (place.grant === undefined) return placeOf(place, step);
    const page = numberOf(place, "page", step.where, 0);
    const { view } = world.grant(numberOf(place, "grant", step.where), step.where);
    return view + page * PAGE_SIZE + numberOf(place, "byte", step.where, 0);
  }
  if (step.get("at") !== undefined) return step.address();
  if (named === undefined || /buffer|anon/.test(String(named))) return BUFFER + step.number("byte", 0);
  if (/view|foreign|privcmd/.test(String(named))) {
    return world.grant(step.number("grant", 0), step.where).view + step.number("page", 0) * PAGE_SIZE +
      step.number("byte", 0);
  }
  throw step.wrong("target", "a place in memory");
}

function placeOf(range: Row, step: Step): number {
  if (typeof range.address === "number") return range.address;
  return WINDOW + numberOf(range, "at", step.where) * PAGE_SIZE + numberOf(range, "byte", step.where, 0);
}

/** The process whose memory is meant: `self`, the parent by default. */
function remoteOf(world: GrantWorld, step: Step): Parameters<typeof processVmReadv>[0] {
  const pid = step.get("pid");
  const name = typeof pid === "string" && pid !== "self" ? pid : step.text("proc", "parent");
  return world.process(world.processes.has(name) ? name : "parent", step.where).mm;
}

/** Inputs that say where, not what. */
const PLACES: readonly string[] = [
  "proc",
  "pid",
  "remote",
  "at",
  "target",
  "len",
  "file",
  "setup",
  "gt_grant",
  "byte",
];

/** What is written: a byte, a list of bytes, a rule, or what was read before; whatever the input is called. */
function writtenBytes(world: GrantWorld, step: Step, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const inputs = Object.entries(step.input).filter(([name]) => !PLACES.includes(name)).map(([, value]) =>
    value
  );
  const local = step.get("local");
  if (typeof local === "object" && local !== null) {
    inputs.push(...Object.entries(local).filter(([name]) => name !== "len").map(([, value]) => value));
  }
  for (const what of inputs) {
    if (Array.isArray(what) && what.every((byte) => typeof byte === "number")) {
      bytes.set(what.slice(0, length));
      return bytes;
    }
    if (typeof what === "string" && /read/.test(what)) {
      bytes.set(world.lastRead.subarray(0, length));
      return bytes;
    }
    const rule = fillRule(what);
    if (rule !== null) return bytes.map((_, i) => rule(i) & 0xff);
  }
  return bytes;
}

function cacheOf(world: GrantWorld, step: Step): PageCache {
  const name = step.text("file");
  const { pageCache } = world.file(name, step.where).file;
  if (pageCache === null) throw new BadInput(step.where, `the file "${name}" has no contents here`);
  return pageCache;
}

function storeInFile(cache: PageCache, offset: number, bytes: Uint8Array): void {
  bytes.forEach((byte, i) => {
    const page = cache.findOrAdd(Math.floor((offset + i) / PAGE_SIZE));
    const { system } = cache;
    if (page >= 0) system.mem.write8(maddrOf(system.frameOf(page), (offset + i) % PAGE_SIZE), byte);
  });
}

function pipeOf(world: GrantWorld, step: Step): Pipe {
  const { pipe } = world.file(fileOf(step), step.where);
  if (pipe === undefined) throw new BadInput(step.where, `${step.text("file")} is no pipe`);
  return pipe;
}

function socketOf(world: GrantWorld, step: Step): ByteQueue {
  const { socket } = world.file(fileOf(step), step.where);
  if (socket === undefined) throw new BadInput(step.where, `${step.text("file")} is no socket`);
  return socket;
}

/** `socket end 0` is an end of `socket`. */
function fileOf(step: Step): string {
  return step.text("file").replace(/ end [01]$/, "");
}
