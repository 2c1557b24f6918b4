/**
 * What a recorded VMA sequence runs on: a fresh process on native Linux with the two memory files A and B, and the
 * operations as the recordings spell them.
 *
 * @module
 */

import type { SysResult } from "../core/errno.ts";
import { PAGE_SIZE } from "../core/geometry.ts";
import { exitMmap } from "../linux/mm/exit.ts";
import { type FileObject, fput } from "../linux/mm/file.ts";
import { MADV, madvise, type MadviseName } from "../linux/mm/madvise.ts";
import { mincore } from "../linux/mm/mincore.ts";
import { mlock, mlock2, MLOCK_ONFAULT, munlock } from "../linux/mm/mlock.ts";
import type { MmStruct } from "../linux/mm/mm_struct.ts";
import { mmap } from "../linux/mm/mmap.ts";
import { mprotect } from "../linux/mm/mprotect.ts";
import { mremap, MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE } from "../linux/mm/mremap.ts";
import { MS_INVALIDATE, MS_SYNC, msync } from "../linux/mm/msync.ts";
import { munmap } from "../linux/mm/munmap.ts";
import type { NativeLinux } from "../linux/mm/native.ts";
import { smaps } from "../linux/mm/proc.ts";
import {
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_FIXED_NOREPLACE,
  MAP_GROWSDOWN,
  MAP_LOCKED,
  MAP_NORESERVE,
  MAP_POPULATE,
  MAP_PRIVATE,
  MAP_SHARED,
  PROT_EXEC,
  PROT_READ,
  PROT_WRITE,
} from "../linux/mm/prot.ts";
import { memfdCreate } from "../linux/mm/shmem.ts";
import { userAccess } from "../linux/mm/user_access.ts";
import { BadInput } from "./format.ts";

/** Where positions are counted from. */
export const WINDOW = 0x1000_0000_0000;
const WINDOW_PAGES = 128;
/** A chosen address beyond is `"outside"`. */
const WINDOW_END = WINDOW + 2 ** 30;

/** Outcome of one step, fields as recorded. */
export interface StepOutcome {
  readonly ret: number | string | null;
  readonly errno: string;
  readonly sig?: string;
  readonly code?: number;
  readonly vec?: string;
}

/** One VMA as recorded. */
export type VmaRow = readonly [
  start: number,
  end: number,
  perms: string,
  offset: number,
  name: string,
  vmFlags: string,
  rss: number,
  pages: string,
];

/** A step: its tokens, its number, and where it stands in the input. */
export interface Step {
  readonly op: readonly string[];
  readonly i: number;
  readonly where: string;
}

/** One process with its files. */
export class VmaWorld {
  readonly mm: MmStruct;
  readonly files: Readonly<Record<string, FileObject>>;
  /** True after a crash in the middle of a step: its state means nothing any more. */
  isLost = false;

  constructor(linux: NativeLinux) {
    this.mm = linux.process();
    this.files = { A: memfdCreate(linux.system, "A", 64), B: memfdCreate(linux.system, "B", 8) };
    for (const file of Object.values(this.files)) file.pageCache!.fill((page) => 97 + page % 26);
  }

  /** Runs a step; undefined if there is no model of its operation. @throws {BadInput} if it is malformed */
  run(step: Step): StepOutcome | undefined {
    return OPERATIONS[step.op[0]!]?.(this, step);
  }

  /** The VMAs of the window. */
  vmas(): VmaRow[] {
    return smaps(this.mm, WINDOW, WINDOW + WINDOW_PAGES * PAGE_SIZE).map((row) => [
      (row.start - WINDOW) / PAGE_SIZE,
      (row.end - WINDOW) / PAGE_SIZE,
      row.perms,
      row.offset,
      row.name,
      row.vmFlags,
      row.rss,
      row.pages,
    ]);
  }

  /** The process ends and its files with it. */
  end(): void {
    if (this.isLost) return;
    exitMmap(this.mm);
    for (const file of Object.values(this.files)) fput(file);
  }
}

type Operation = (world: VmaWorld, step: Step) => StepOutcome | undefined;

const OPERATIONS: Readonly<Record<string, Operation>> = {
  mmap: mmapStep,
  munmap: ({ mm }, { op, where }) => resultOf(munmap(mm, position(op[1], where), size(op[2], where))),
  mprotect: ({ mm }, { op, where }) =>
    resultOf(mprotect(mm, position(op[1], where), size(op[2], where), protOf(op[3], where))),
  mremap: mremapStep,
  mlock: ({ mm }, { op, where }) => resultOf(mlock(mm, position(op[1], where), size(op[2], where))),
  mlock2: ({ mm }, { op, where }) =>
    resultOf(mlock2(mm, position(op[1], where), size(op[2], where), MLOCK_ONFAULT)),
  munlock: ({ mm }, { op, where }) => resultOf(munlock(mm, position(op[1], where), size(op[2], where))),
  madvise: madviseStep,
  msync({ mm }, { op, where }) {
    const flags = MS_SYNC | (op[3] === "inval" ? MS_INVALIDATE : 0);
    return resultOf(msync(mm, position(op[1], where), size(op[2], where), flags));
  },
  mincore({ mm }, { op, where }) {
    const result = mincore(mm, position(op[1], where), size(op[2], where));
    return result.ok
      ? { ret: 0, errno: "0", vec: result.value.join("") }
      : { ret: null, errno: result.errno };
  },
  touch({ mm }, { op, i, where }) {
    if (op[1] !== "r" && op[1] !== "w") throw new BadInput(where, `touch ${op[1]} is neither r nor w`);
    const result = userAccess(mm, 0, position(op[2], where), op[1], i + 1);
    return result.ok
      ? { ret: result.value, errno: "0" }
      : { ret: null, errno: "0", sig: result.signal, code: result.code };
  },
};

const MMAP_WORDS: Readonly<Record<string, number>> = {
  priv: MAP_PRIVATE,
  shared: MAP_SHARED,
  hint: 0,
  noreplace: MAP_FIXED_NOREPLACE,
  populate: MAP_POPULATE,
  locked: MAP_LOCKED,
  noreserve: MAP_NORESERVE,
  growsdown: MAP_GROWSDOWN,
};

function mmapStep(world: VmaWorld, { op, where }: Step): StepOutcome {
  const { mm } = world;
  const words = op.slice(4);
  const address = position(op[1], where);
  const length = size(op[2], where);
  const fileAt = words.findIndex((word) => Object.hasOwn(world.files, word));
  const file = fileAt < 0 ? null : world.files[words[fileAt]!]!;
  const offset = fileAt < 0 ? 0n : size(words[fileAt + 1], where);
  if (fileAt >= 0) words.splice(fileAt, 2);
  let flags = file === null ? MAP_ANONYMOUS : 0;
  if (!words.includes("hint") && !words.includes("noreplace")) flags |= MAP_FIXED;
  for (const word of words) {
    if (!Object.hasOwn(MMAP_WORDS, word)) throw new BadInput(where, `mmap knows no word "${word}"`);
    flags |= MMAP_WORDS[word]!;
  }
  const result = mmap(mm, { address, length, prot: protOf(op[3], where), flags, file, offset });
  return placeOf(mm, result, address, length);
}

function mremapStep({ mm }: VmaWorld, { op, where }: Step): StepOutcome {
  const words = op.slice(4);
  const fixedAt = words.indexOf("fixed");
  const newAddress = fixedAt < 0 ? 0n : position(words[fixedAt + 1], where);
  if (fixedAt >= 0) words.splice(fixedAt, 2);
  let flags = fixedAt < 0 ? 0 : MREMAP_FIXED;
  for (const word of words) {
    if (word !== "may" && word !== "dontunmap") throw new BadInput(where, `mremap knows no word "${word}"`);
    flags |= word === "may" ? MREMAP_MAYMOVE : MREMAP_DONTUNMAP;
  }
  const newLength = size(op[3], where);
  const address = position(op[1], where);
  const result = mremap(mm, { address, oldLength: size(op[2], where), newLength, flags, newAddress });
  return placeOf(mm, result, fixedAt < 0 ? address : newAddress, newLength);
}

const BOGUS_ADVICE = 77;

function madviseStep({ mm }: VmaWorld, { op, where }: Step): StepOutcome {
  const name = op[3] ?? "";
  if (name !== "BOGUS" && !Object.hasOwn(MADV, name)) {
    throw new BadInput(where, `madvise knows no advice "${name}"`);
  }
  const advice = name === "BOGUS" ? BOGUS_ADVICE : MADV[name as MadviseName];
  return resultOf(madvise(mm, position(op[1], where), size(op[2], where), advice));
}

/** An address that the kernel chose outside the window is reported as such and unmapped again. */
function placeOf(mm: MmStruct, result: SysResult<number>, asked: bigint, length: bigint): StepOutcome {
  if (!result.ok) return { ret: null, errno: result.errno };
  const isChosen = BigInt(result.value) !== asked;
  if (!isChosen || (result.value >= WINDOW && result.value < WINDOW_END)) {
    return { ret: (result.value - WINDOW) / PAGE_SIZE, errno: "0" };
  }
  munmap(mm, result.value, length);
  return { ret: "outside", errno: "0" };
}

function resultOf(result: SysResult<number>): StepOutcome {
  return result.ok ? { ret: result.value, errno: "0" } : { ret: null, errno: result.errno };
}

/** `N+B`: N pages and B bytes, modulo 2^64. */
function size(token: string | undefined, where: string): bigint {
  const match = /^(\d+)(?:\+(\d+))?$/.exec(token ?? "");
  if (match === null) throw new BadInput(where, `"${token}" is not a number of pages, nor pages+bytes`);
  return BigInt.asUintN(64, BigInt(match[1]!) * 4096n + BigInt(match[2] ?? 0));
}

function position(token: string | undefined, where: string): bigint {
  return BigInt.asUintN(64, BigInt(WINDOW) + size(token, where));
}

function protOf(token: string | undefined, where: string): number {
  if (!/^[r-][w-][x-]$/.test(token ?? "")) throw new BadInput(where, `"${token}" is not like rwx or r--`);
  return (token![0] === "r" ? PROT_READ : 0) | (token![1] === "w" ? PROT_WRITE : 0) |
    (token![2] === "x" ? PROT_EXEC : 0);
}
