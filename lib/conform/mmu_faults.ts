/**
 * Replays single accesses of user programs: a mapping of each kind in each prior state, or a fixed address, and what
 * the signal frame reported. Every row is made from nothing.
 *
 * @module
 */

import { PAGE_SIZE, PMD_SIZE } from "../core/geometry.ts";
import { exitMmap } from "../linux/mm/exit.ts";
import { fput } from "../linux/mm/file.ts";
import { MmStruct } from "../linux/mm/mm_struct.ts";
import { mmap } from "../linux/mm/mmap.ts";
import { mprotect } from "../linux/mm/mprotect.ts";
import { type NativeLinux, nativeLinux } from "../linux/mm/native.ts";
import {
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_HUGETLB,
  MAP_PRIVATE,
  MAP_SHARED,
  PROT_EXEC,
  PROT_READ,
  PROT_WRITE,
} from "../linux/mm/prot.ts";
import { memfdCreate } from "../linux/mm/shmem.ts";
import { userAccess, type UserAccessKind, type UserAccessResult } from "../linux/mm/user_access.ts";
import { oneOf, stringField } from "./fields.ts";
import { xenHost } from "./xen_host.ts";
import { type Machine, machineOf, nativeFlavour } from "./machine.ts";
import { BadInput, type Format, type Head, numberedRows, type Row } from "./format.ts";

const MAPPING = 0x1300_0000_0000;
const NR_PAGES = 4;
/** The byte that every page of the file holds: an x86 `ret`. */
const RET = 0xc3;

/** The format. */
export const mmuFaults: Format = {
  name: "mmu-faults",
  detect: (head: Head) => head.rows.length > 0 && head.rows.every(isRow),
  async replay(input, report, options) {
    const machines = new Machines(machineOf(input.path, options));
    for await (const { row, where } of numberedRows(input)) {
      const label = `${row.machine} row ${row.i}: ${row.kind} ${row.prot ?? row.where} ${
        row.state ?? ""
      } ${row.access}`;
      report.compare(label, recorded(row), replayRow(machines, row, where));
    }
  },
};

/** What a row needs of a machine. */
type Program = Pick<NativeLinux, "system" | "process">;

/** The machines, each started when it is first needed. */
class Machines {
  readonly #started = new Map<string, Program>();

  constructor(readonly releases: Machine) {}

  get(name: "linux" | "xenpv"): Program {
    let machine = this.#started.get(name);
    if (machine === undefined) {
      machine = name === "linux"
        ? nativeLinux({ hugePages: 2, flavour: nativeFlavour(this.releases.kernel) })
        : xenMachine(this.releases);
      this.#started.set(name, machine);
    }
    return machine;
  }
}

/** A PV kernel: its processor has no protection keys to offer. */
function xenMachine(releases: Machine): Program {
  const { system } = xenHost("xenpv", releases);
  return { system, process: () => new MmStruct(system) };
}

function isRow(row: Row): boolean {
  return typeof row.machine === "string" && typeof row.kind === "string" && typeof row.access === "string";
}

function recorded(row: Row): string {
  if (row.ok === true) return "ok";
  const place = row.si_addr ?? (row.addr_matches === true ? "address matches" : "address differs");
  return `${row.sig}/${row.si_code} trap ${row.trap} err ${row.err} ${place}`;
}

/** The outcome of a row, or why there is none. */
function replayRow(machines: Machines, row: Row, where: string): string {
  const names = ["linux", "xenpv"] as const;
  const linux = machines.get(oneOf(stringField(row, "machine", where), names, "machine", where));
  const access = oneOf(stringField(row, "access", where), ["r", "w", "x"], "access", where);
  if (row.kind === "special") {
    const mm = linux.process();
    const address = specialAddress(stringField(row, "where", where), where);
    const result = userAccess(mm, 0, address, access, RET);
    exitMmap(mm);
    return result.ok ? "ok" : show(result, `0x${result.address.toString(16)}`);
  }
  return replayMapping(linux, row, access, where);
}

const SPECIAL_ADDRESSES: Readonly<Record<string, bigint>> = {
  "null": 0n,
  "last user page": 0x7fff_ffff_f000n,
  "first non-canonical": 0x8000_0000_0000n,
  "kernel half / Xen area": 0xffff_8000_0000_0000n,
  "direct map": 0xffff_8880_0000_1000n,
  "kernel text": 0xffff_ffff_8100_0000n,
  "vsyscall page": 0xffff_ffff_ff60_0000n,
  "Xen text": 0xffff_82d0_4020_0000n,
};

function specialAddress(name: string, where: string): bigint {
  const names = Object.keys(SPECIAL_ADDRESSES);
  return SPECIAL_ADDRESSES[oneOf(name, names, "where", where)]!;
}

/** How the mapping of each kind is made: flags, whether of the file, from which of its pages, which page is accessed. */
interface MappingKind {
  readonly flags: number;
  readonly filePage?: number;
  readonly page?: number;
  /** Bytes; default four pages. */
  readonly length?: number;
}

const KINDS: Readonly<Record<string, MappingKind | null>> = {
  anon_private: { flags: MAP_PRIVATE | MAP_ANONYMOUS },
  anon_shared: { flags: MAP_SHARED | MAP_ANONYMOUS },
  file_private: { flags: MAP_PRIVATE, filePage: 0 },
  file_shared: { flags: MAP_SHARED, filePage: 0 },
  file_shared_past_eof: { flags: MAP_SHARED, filePage: 3, page: 1 },
  hugetlb: { flags: MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, length: PMD_SIZE },
  unmapped: null,
};

function replayMapping(linux: Program, row: Row, access: UserAccessKind, where: string): string {
  const kind = oneOf(stringField(row, "kind", where), Object.keys(KINDS), "kind", where);
  const states = ["untouched", "written_then_mprotected", "read_then_mprotected"] as const;
  const state = oneOf(stringField(row, "state", where), states, "state", where);
  const prot = protOf(stringField(row, "prot", where), where);
  const mm = linux.process();
  const file = memfdCreate(linux.system, "file", NR_PAGES);
  file.pageCache!.fill(() => RET);
  const how = KINDS[kind]!;
  const address = MAPPING + (how?.page ?? 0) * PAGE_SIZE + 8;
  const length = how?.length ?? NR_PAGES * PAGE_SIZE;
  if (how !== null) {
    const everything = PROT_READ | PROT_WRITE | PROT_EXEC;
    must(mmap(mm, {
      address: MAPPING,
      length,
      prot: state === "untouched" ? prot : everything,
      flags: how.flags | MAP_FIXED,
      file,
      offset: (how.filePage ?? 0) * PAGE_SIZE,
    }));
    if (state !== "untouched") {
      if (how.page === undefined) touch(mm, address, state === "written_then_mprotected");
      must(mprotect(mm, MAPPING, length, prot));
    }
  }
  const result = userAccess(mm, 0, address, access, RET);
  exitMmap(mm);
  fput(file);
  if (result.ok) return "ok";
  const page = (a: number) => Math.floor(a / PAGE_SIZE);
  return show(result, page(Number(result.address)) === page(address) ? "address matches" : "address differs");
}

function touch(mm: MmStruct, address: number, write: boolean): void {
  must(userAccess(mm, 0, address, write ? "w" : "r", RET));
}

function must(result: { readonly ok: boolean }): void {
  if (!result.ok) throw new Error(`Cannot set the row up: ${JSON.stringify(result)}`);
}

function show(result: UserAccessResult, place: string): string {
  return result.ok
    ? "ok"
    : `${result.signal}/${result.code} trap ${result.trap} err ${result.errorCode} ${place}`;
}

function protOf(text: string, where: string): number {
  if (!/^[r-][w-][x-]$/.test(text)) {
    throw new BadInput(where, `the field "prot" is "${text}", not like rwx or r--`);
  }
  return (text[0] === "r" ? PROT_READ : 0) | (text[1] === "w" ? PROT_WRITE : 0) |
    (text[2] === "x" ? PROT_EXEC : 0);
}
