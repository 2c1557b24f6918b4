/**
 * A log of `strace -e trace=memory` replayed on a fresh native process: every call is made, every result compared.
 *
 * Where the kernel chose the address, the model is asked for the very address: randomisation is no difference, a place
 * that the model has taken is one. What was mapped before the first line (program, loader, stack) is not there, so calls
 * on it differ. Files are as large as anybody asks, and empty. Lines about signals and exits are passed over.
 *
 * @module
 */

import type { SysResult } from "../core/errno.ts";
import { brk } from "../linux/mm/brk.ts";
import type { FileObject } from "../linux/mm/file.ts";
import { MADV, madvise } from "../linux/mm/madvise.ts";
import { mincore } from "../linux/mm/mincore.ts";
import { mlock, mlock2, mlockall, munlock, munlockall } from "../linux/mm/mlock.ts";
import type { MmStruct } from "../linux/mm/mm_struct.ts";
import { mmap } from "../linux/mm/mmap.ts";
import { mprotect, pkeyMprotect } from "../linux/mm/mprotect.ts";
import { mremap, MREMAP_FIXED } from "../linux/mm/mremap.ts";
import { msync } from "../linux/mm/msync.ts";
import { munmap } from "../linux/mm/munmap.ts";
import { nativeLinux } from "../linux/mm/native.ts";
import { pkeyAlloc, pkeyFree } from "../linux/mm/pkeys.ts";
import { memfdCreate } from "../linux/mm/shmem.ts";

/** A call that came out otherwise. */
export interface StraceDifference {
  /** Line of the log, from 1. */
  readonly line: number;
  readonly call: string;
  /** What the log says: `0x7f…`, `0`, or an errno. */
  readonly logged: string;
  readonly modelled: string;
}

/** What became of a log. */
export interface StraceReplay {
  /** The process as the log leaves it. */
  readonly mm: MmStruct;
  /** Calls compared. */
  readonly compared: number;
  readonly differences: readonly StraceDifference[];
}

/** One line taken apart. */
interface Call {
  readonly line: number;
  readonly text: string;
  readonly name: string;
  readonly args: readonly string[];
  /** `0x7f…`, `0`, or an errno. */
  readonly result: string;
}

/**
 * Replays the log.
 *
 * @throws {SyntaxError} for a line that is not a finished memory call, with its number
 *
 * @example
 * ```ts
 * import { replayStrace } from "grantlab/import";
 * const { differences } = replayStrace(`mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000000000
 * munmap(0x7f0000001000, 4096) = 0
 * mprotect(0x7f0000001000, 4096, PROT_READ) = -1 ENOMEM (Cannot allocate memory)`);
 * if (differences.length !== 0) throw new Error(JSON.stringify(differences));
 * ```
 */
export function replayStrace(log: string): StraceReplay {
  const calls = log.split("\n").flatMap((text, i) => parseLine(text, i + 1) ?? []);
  const world = new StraceWorld();
  const differences: StraceDifference[] = [];
  for (const call of calls) {
    const modelled = world.run(call);
    if (modelled !== call.result) {
      differences.push({ line: call.line, call: call.text, logged: call.result, modelled });
    }
  }
  return { mm: world.mm, compared: calls.length, differences };
}

function badLine(line: number, why: string): SyntaxError {
  return new SyntaxError(`Cannot read line ${line} of the strace log: ${why}`);
}

const PREFIX = /^(?:\[pid\s+\d+\]\s+|\d+\s+)?(?:\d+:\d+:\d+(?:\.\d+)?\s+|\d+\.\d+\s+)?/;

/** Null for a line that is about no call. */
function parseLine(given: string, line: number): Call | null {
  const text = given.replace(PREFIX, "").trim();
  if (text === "" || /^(?:---|\+\+\+|strace: )/.test(text)) return null;
  if (text.includes("<unfinished ...>") || text.includes("resumed>")) {
    throw badLine(line, "the call is interrupted by another thread; record one thread");
  }
  const match = /^(\w+)\((.*)\)\s+=\s+(-?\w+)(?:\s+([A-Z]\w*))?(?:\s+\(.*\))?(?:\s+<[\d.]+>)?$/.exec(text);
  if (match === null) throw badLine(line, `"${given}" is not like call(arguments) = result`);
  const [, name, args, value, errno] = match;
  if (!Object.hasOwn(CALLS, name!)) throw badLine(line, `${name} is not a memory call that the model has`);
  const result = value === "-1" && errno !== undefined ? errno : value!;
  return { line, text, name: name!, args: splitArguments(args!), result };
}

/** Commas inside brackets and strings do not separate; strace comments on numbers that it has no word for. */
function splitArguments(text: string): string[] {
  return (text.replaceAll(/\/\*.*?\*\//g, "").match(/(?:\[[^\]]*\]|"[^"]*"|<[^>]*>|[^,])+/g) ?? []).map((
    word,
  ) => word.trim());
}

const NR_FRAMES = 1 << 18;
/** Pages of every file: nobody maps more. */
const FILE_PAGES = 2 ** 40;

class StraceWorld {
  readonly mm: MmStruct = nativeLinux({ frames: NR_FRAMES }).process();
  readonly #files = new Map<string, FileObject>();
  hasHeap = false;

  run(call: Call): string {
    return CALLS[call.name]!(this, new Arguments(call));
  }

  /** The file of a descriptor: `3` or `3</lib/x.so>`; null for -1. */
  file(word: string): FileObject | null {
    if (word === "-1") return null;
    const file = this.#files.get(word) ?? memfdCreate(this.mm.system, word, FILE_PAGES);
    this.#files.set(word, file);
    return file;
  }
}

/** Arguments of a call, by position. */
class Arguments {
  constructor(readonly call: Call) {}

  word(i: number): string {
    const word = this.call.args[i];
    if (word === undefined) throw badLine(this.call.line, `${this.call.name} lacks argument ${i + 1}`);
    return word;
  }

  number(i: number): number {
    const value = symbolValue(this.word(i));
    if (value === null) throw badLine(this.call.line, `"${this.word(i)}" is not a number or a known word`);
    return value;
  }

  /** The address that the log says the call answered, or null. */
  get answeredAddress(): number | null {
    const value = symbolValue(this.call.result);
    return /^0x/.test(this.call.result) ? value : null;
  }
}

function plain(result: SysResult<unknown>): string {
  return result.ok ? "0" : result.errno;
}

function place(result: SysResult<number>): string {
  return result.ok ? `0x${result.value.toString(16)}` : result.errno;
}

type Replayer = (world: StraceWorld, args: Arguments) => string;

const CALLS: Readonly<Record<string, Replayer>> = {
  mmap(world, args) {
    const flags = args.number(3);
    const address = (flags & 0x10) !== 0 ? args.number(0) : args.answeredAddress ?? args.number(0);
    const file = world.file(args.word(4));
    const offset = args.number(5);
    return place(
      mmap(world.mm, { address, length: args.number(1), prot: args.number(2), flags, file, offset }),
    );
  },
  munmap: ({ mm }, args) => plain(munmap(mm, args.number(0), args.number(1))),
  mprotect: ({ mm }, args) => plain(mprotect(mm, args.number(0), args.number(1), args.number(2))),
  pkey_mprotect: ({ mm }, args) =>
    plain(pkeyMprotect(mm, args.number(0), args.number(1), args.number(2), args.number(3))),
  pkey_alloc({ mm }, args) {
    const result = pkeyAlloc(mm, args.number(0), args.number(1));
    return result.ok ? String(result.value) : result.errno;
  },
  pkey_free: ({ mm }, args) => plain(pkeyFree(mm, args.number(0))),
  mremap({ mm }, args) {
    const flags = args.number(3);
    const options = { address: args.number(0), oldLength: args.number(1), newLength: args.number(2), flags };
    if ((flags & MREMAP_FIXED) !== 0) return place(mremap(mm, { ...options, newAddress: args.number(4) }));
    const answered = args.answeredAddress;
    const isMoved = answered !== null && answered !== options.address;
    return place(
      mremap(mm, isMoved ? { ...options, flags: flags | MREMAP_FIXED, newAddress: answered } : options),
    );
  },
  madvise: ({ mm }, args) => plain(madvise(mm, args.number(0), args.number(1), args.number(2))),
  mlock: ({ mm }, args) => plain(mlock(mm, args.number(0), args.number(1))),
  mlock2: ({ mm }, args) => plain(mlock2(mm, args.number(0), args.number(1), args.number(2))),
  munlock: ({ mm }, args) => plain(munlock(mm, args.number(0), args.number(1))),
  mlockall: ({ mm }, args) => plain(mlockall(mm, args.number(0))),
  munlockall: ({ mm }) => plain(munlockall(mm)),
  msync: ({ mm }, args) => plain(msync(mm, args.number(0), args.number(1), args.number(2))),
  mincore: ({ mm }, args) => plain(mincore(mm, args.number(0), args.number(1))),
  brk(world, args) {
    const { mm } = world;
    if (!world.hasHeap) {
      // The heap begins where the log says it does.
      world.hasHeap = true;
      mm.startBrk = mm.brk = args.answeredAddress ?? mm.startBrk;
    }
    return `0x${brk(mm, args.number(0)).toString(16)}`;
  },
};

/** Words by value, as strace writes them; several are joined by `|`. */
const WORDS: Readonly<Record<string, number>> = {
  NULL: 0,
  PROT_NONE: 0,
  PROT_READ: 1,
  PROT_WRITE: 2,
  PROT_EXEC: 4,
  PROT_SEM: 8,
  PROT_GROWSDOWN: 0x1000000,
  PROT_GROWSUP: 0x2000000,
  MAP_FILE: 0,
  MAP_SHARED: 1,
  MAP_PRIVATE: 2,
  MAP_SHARED_VALIDATE: 3,
  MAP_FIXED: 0x10,
  MAP_ANONYMOUS: 0x20,
  MAP_ANON: 0x20,
  MAP_GROWSDOWN: 0x100,
  MAP_DENYWRITE: 0x800,
  MAP_EXECUTABLE: 0x1000,
  MAP_LOCKED: 0x2000,
  MAP_NORESERVE: 0x4000,
  MAP_POPULATE: 0x8000,
  MAP_NONBLOCK: 0x10000,
  MAP_STACK: 0x20000,
  MAP_HUGETLB: 0x40000,
  MAP_SYNC: 0x80000,
  MAP_FIXED_NOREPLACE: 0x100000,
  MREMAP_MAYMOVE: 1,
  MREMAP_FIXED: 2,
  MREMAP_DONTUNMAP: 4,
  MLOCK_ONFAULT: 1,
  MCL_CURRENT: 1,
  MCL_FUTURE: 2,
  MCL_ONFAULT: 4,
  MS_ASYNC: 1,
  MS_INVALIDATE: 2,
  MS_SYNC: 4,
  PKEY_DISABLE_ACCESS: 1,
  PKEY_DISABLE_WRITE: 2,
  ...Object.fromEntries(Object.entries(MADV).map(([name, value]) => [`MADV_${name}`, value])),
};

/** The number, or null if a part of it is neither a number nor a word. */
function symbolValue(text: string): number | null {
  let value = 0;
  for (const part of text.split("|")) {
    // `21<<MAP_HUGE_SHIFT`: the size of a huge page.
    const [word = "", shift] = part.trim().split("<<");
    const known = Object.hasOwn(WORDS, word)
      ? WORDS[word]!
      : /^(?:0x[0-9a-f]+|\d+)$/i.test(word)
      ? Number(word)
      : null;
    if (known === null || (shift !== undefined && shift !== "MAP_HUGE_SHIFT")) return null;
    value += shift === undefined ? known : known * 2 ** 26;
  }
  return value;
}
