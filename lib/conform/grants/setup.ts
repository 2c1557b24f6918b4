/**
 * What was done before a step without a row of its own: the list `setup`.
 *
 * @module
 */

import { PAGE_SIZE } from "../../core/geometry.ts";
import { EvtchnFile } from "../../drivers/evtchn/open.ts";
import { gntallocIoctlAlloc } from "../../drivers/gntalloc/alloc_gref.ts";
import { gntallocOpen } from "../../drivers/gntalloc/open.ts";
import { gntdevOpen } from "../../drivers/gntdev/open.ts";
import { Pipe } from "../../drivers/pipe.ts";
import { ByteQueue } from "../../drivers/socket.ts";
import { FileObject } from "../../linux/mm/file.ts";
import { mlock } from "../../linux/mm/mlock.ts";
import { mmap } from "../../linux/mm/mmap.ts";
import { mprotect } from "../../linux/mm/mprotect.ts";
import { munmap } from "../../linux/mm/munmap.ts";
import { MAP_ANONYMOUS, MAP_FIXED, MAP_PRIVATE, PROT_READ, PROT_WRITE } from "../../linux/mm/prot.ts";
import { memfdCreate } from "../../linux/mm/shmem.ts";
import { userAccess } from "../../linux/mm/user_access.ts";
import { BadInput } from "../format.ts";
import type { Ending, GrantWorld } from "../grant_world.ts";
import { domidOf } from "./gntdev.ts";
import { addEntries, setFlags } from "./granter.ts";
import { addFile, type CaseProcess, closeFile, exitProcess, forkProcess } from "./processes.ts";
import { Step } from "./step.ts";

type Action = (world: GrantWorld, step: Step, process: CaseProcess) => void;

/** Pages of a file on tmpfs. */
const TMPFS_PAGES = 1024;

const ACTIONS: Readonly<Record<string, Action>> = {
  create_domain: (world, step) =>
    world.createGranter({
      pages: step.number("pages"),
      maxGrantFrames: step.number("max_grant_frames"),
      grantFrames: step.number("grant_table_frames_present"),
    }),
  open: (world, step, process) => openFile(world, process, step.text("path"), step.text("file")),
  close: (world, step, process) => closeFile(world, process, step.text("file"), step.where),
  fork: (world, step, process) => forkProcess(world, process, step.text("process", "child")),
  exit: (world, step) => endProcess(world, step, { exit: step.number("status", 0) }),
  raise: (world, step) => endProcess(world, step, { signal: step.get("signal") }),
  fill_disk(world) {
    for (let sector = 0; sector < 2048; sector++) {
      for (let i = 0; i < 512; i++) world.disk.write8(sector * 512 + i, sector * 7 + 1);
    }
  },
  granter_write(world, step) {
    const parent = world.process("parent", step.where);
    const { view } = world.grant(step.number("grant"), step.where);
    const at = view + step.number("page") * PAGE_SIZE + step.number("byte_in_page", 0);
    userAccess(parent.mm, 0, at, "w", byteOf(step.get("value")));
  },
  munmap_view(world, step) {
    const grant = world.grant(step.number("grant", 0), step.where);
    munmap(world.process("parent", step.where).mm, grant.view, grant.refs.length * PAGE_SIZE);
    grant.view = 0;
  },
  mmap_anon(world, step, { mm }) {
    const address = step.get("at") === undefined ? BUFFER : step.address();
    world.localBuffer = address;
    const length = step.get("pages") === undefined ? step.number("len", PAGE_SIZE) : step.length();
    const prot = step.get("prot") === undefined ? PROT_READ | PROT_WRITE : step.prot();
    mmap(mm, { address, length, prot, flags: MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED });
    fill(mm, step, address, length);
  },
  buffer(world, step, { mm }) {
    world.localBuffer = BUFFER;
    const length = step.number("len", step.number("bytes", PAGE_SIZE));
    const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    mmap(mm, { address: BUFFER, length, prot: PROT_READ | PROT_WRITE, flags });
    fill(mm, step, BUFFER, length);
  },
  mprotect: (_world, step, { mm }) => void mprotect(mm, step.address(), step.length(), step.prot()),
  mlock: (_world, step, { mm }) => void mlock(mm, step.address(), step.length()),
  pipe(world, step, process) {
    const pipe = new Pipe(world.kernel.system, step.number("capacity_pages", 16));
    const ops = { name: "pipe", release: () => pipe.release() };
    addFile(world, process, step.text("file"), { file: new FileObject({ name: "pipe", ops }), pipe });
  },
  socketpair(world, step, process) {
    addFile(world, process, step.text("file"), { file: plainFile("socket"), socket: new ByteQueue() });
  },
  bind_unbound_port(world, step) {
    world.ports.set(step.text("port"), evtchnOf(world, step).bindUnboundPort());
  },
  bind_interdomain(world, step) {
    const remote = world.ports.get(step.text("remote_port")) ?? 0;
    const port = evtchnOf(world, step).bindInterdomain(remote);
    if (port.ok) world.ports.set(step.text("port"), port.value);
  },
  sleep: (world, step) => world.kernel.work.advance(Math.ceil(step.number("microseconds", 0) / 1000)),
  prctl() {},
  ptrace_attach() {},
  ptrace_detach() {},
  gntalloc_alloc(world, step) {
    const { gntalloc } = world.file(step.text("file"), step.where);
    if (gntalloc === undefined) throw new BadInput(step.where, `${step.text("file")} is no file of gntalloc`);
    const count = step.number("count");
    const domid = domidOf(world, step.get("domid"), step.where);
    const result = gntallocIoctlAlloc(gntalloc.priv, { domid, flags: step.number("flags"), count });
    if (result.ok) world.allocations.set(step.text("as", "A"), { index: result.value.index, count });
  },
  clear_entries(world, step) {
    // Random sequences have no row that makes their granter: it is there before the first entry is cleared.
    if (world.granter === world.dom0) world.createGranter({ pages: 600, maxGrantFrames: 8, grantFrames: 2 });
    for (let ref = step.number("first_ref"); ref <= step.number("last_ref"); ref++) setFlags(world, ref, 0);
  },
  add_entries(world, step) {
    const grant = world.grant(step.number("grant"), step.where);
    const before = grant.frames.length;
    addEntries(world, grant, step.row, step.where);
    for (const frame of grant.frames.slice(before)) world.hv.mem.clearFrame(frame);
  },
  xen_debug_key() {},
};

/** open(2) of a device, a file on tmpfs or a disk. */
export function openFile(world: GrantWorld, process: CaseProcess, path: string, name: string): void {
  if (path === "/dev/xen/gntdev") {
    const gntdev = gntdevOpen(world.kernel);
    addFile(world, process, name, { file: gntdev.file, gntdev });
  } else if (path === "/dev/xen/gntalloc") {
    const gntalloc = gntallocOpen(world.gntalloc);
    addFile(world, process, name, { file: gntalloc.file, gntalloc });
  } else if (path === "/dev/xen/evtchn") {
    const evtchn = new EvtchnFile(world.kernel);
    addFile(world, process, name, { file: evtchn.file, evtchn });
  } else if (path.endsWith("tmpfs")) {
    addFile(world, process, name, { file: memfdCreate(world.kernel.system, "f", TMPFS_PAGES) });
  } else addFile(world, process, name, { file: plainFile(path) });
}

/** Where anonymous buffers of steps lie. */
export const BUFFER = 0x1280_0000_0000;

/**
 * Does what the list says, in order; after a fork in it the child acts if the step is the child's.
 *
 * @throws {BadInput} for an action that there is none of
 */
export function runSetup(world: GrantWorld, step: Step): void {
  if (step.get("setup") === undefined) return;
  for (const row of step.rows("setup")) {
    const action = ACTIONS[String(row.do)];
    if (action === undefined) throw new BadInput(step.where, `there is no model of the set-up "${row.do}"`);
    const name = typeof row.proc === "string" ? row.proc : step.text("proc", "parent");
    const actor = world.processes.get(row.do === "fork" ? "parent" : name);
    action(world, new Step(row, step.where), actor ?? world.process("parent", step.where));
  }
}

function endProcess(world: GrantWorld, step: Step, ending: Ending): void {
  const name = step.text("process", step.text("proc", "child"));
  world.endings.set(name, ending);
  const process = world.processes.get(name);
  if (process !== undefined) exitProcess(world, process);
}

function evtchnOf(world: GrantWorld, step: Step): EvtchnFile {
  const { evtchn } = world.file(step.text("file"), step.where);
  if (evtchn === undefined) throw new BadInput(step.where, `${step.text("file")} is no file of evtchn`);
  return evtchn;
}

function plainFile(name: string): FileObject {
  return new FileObject({ name, ops: { name } });
}

function byteOf(value: unknown): number {
  return Number(value) & 0xff;
}

/** Fills memory by the rule `fill`, if there is one: a byte, `0x10 + page`, `i mod 256`. */
function fill(mm: CaseProcess["mm"], step: Step, address: number, length: number): void {
  const rule = fillRule(step.get("fill"));
  if (rule === null) return;
  for (let at = 0; at < length; at++) userAccess(mm, 0, address + at, "w", rule(at) & 0xff);
}

/** The byte at an offset, by a rule as recordings spell it; null if there is none. */
export function fillRule(what: unknown): ((offset: number) => number) | null {
  if (typeof what === "number") return () => what;
  if (typeof what !== "string") return null;
  const base = /0x[0-9a-f]+/i.exec(what);
  const perPage = /page/.test(what) && /\+/.test(what) ? 1 : 0;
  if (base !== null) return (offset) => Number(base[0]) + perPage * Math.floor(offset / PAGE_SIZE);
  const modulus = /mod\w* *(\d+)/.exec(what);
  if (modulus !== null) return (offset) => offset % Number(modulus[1]);
  const plain = /^\d+$/.exec(what);
  return plain === null ? null : () => Number(what);
}
