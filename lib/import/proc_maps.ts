/**
 * `/proc/PID/maps` of a real process, live or a saved copy, as an address space of a native Linux model that can be
 * cut, unmapped and drawn. The whole text is read before anything is made: a bad line is an error and leaves nothing
 * half done.
 *
 * ```text
 *  7f3a1c000000-7f3a1c021000 rw-p 00000000 08:01 1234    /usr/lib/some file (deleted)
 *  start        end          perm offset   dev   inode   name, to the end of the line
 * ```
 *
 * What a line does not tell stands at its default: no page is resident, no anon_vma is there, and of the VmFlags only
 * those that follow from the permissions, and VM_GROWSDOWN of `[stack]`. Files are empty files of that name. What
 * lies beyond user space, `[vsyscall]`, is listed as left out. Neighbours stay apart as the text has them.
 *
 * @cite linux 6.1 fs/proc/task_mmu.c show_map_vma
 * @module
 */

import type { SysResult } from "../core/errno.ts";
import { wholeNumber } from "../core/misuse.ts";
import { PAGE_SIZE } from "../core/geometry.ts";
import { show } from "../core/show.ts";
import { drawing, type View } from "../core/view.ts";
import { Shown, viewOf } from "../core/shown.ts";
import { FileObject, fput, getFile } from "../linux/mm/file.ts";
import { DEFAULT_MAX_MAP_COUNT, type MmStruct, TASK_SIZE_MAX } from "../linux/mm/mm_struct.ts";
import { mprotect } from "../linux/mm/mprotect.ts";
import { munmap } from "../linux/mm/munmap.ts";
import { userAccess, type UserAccessResult } from "../linux/mm/user_access.ts";
import { type NativeLinux, nativeLinux } from "../linux/mm/native.ts";
import { PageCache } from "../linux/mm/page_cache.ts";
import { shmemFileOperations } from "../linux/mm/shmem.ts";
import { Maps } from "../linux/mm/views/maps.ts";
import type { VmOperations } from "../linux/mm/vm_ops.ts";
import type { Vma } from "../linux/mm/vma.ts";
import { vmAreaAlloc } from "../linux/mm/vm_area.ts";
import {
  VM_ACCOUNT,
  VM_EXEC,
  VM_GROWSDOWN,
  VM_MAYEXEC,
  VM_MAYREAD,
  VM_MAYSHARE,
  VM_MAYWRITE,
  VM_READ,
  VM_SHARED,
  VM_WRITE,
} from "../linux/mm/vm_flags.ts";

/** One line of the text. */
export interface ProcMapsRow {
  /** From 1. */
  readonly line: number;
  readonly start: number;
  readonly end: number;
  /** `rw-p`. */
  readonly permissions: string;
  /** Bytes. */
  readonly offset: number;
  /** `08:01`. */
  readonly device: string;
  readonly inode: number;
  /** Path with its escapes undone, `[heap]`, or empty. Without the mark of a deleted file. */
  readonly name: string;
  readonly isDeleted: boolean;
}

/** A line that was left out. */
export interface LeftOut {
  readonly line: number;
  readonly text: string;
  readonly reason: string;
}

/** What a text says. */
export interface ProcMaps {
  readonly rows: readonly ProcMapsRow[];
  readonly leftOut: readonly LeftOut[];
}

const LINE =
  /^([0-9a-f]+)-([0-9a-f]+) +([r-][w-][x-][ps]) +([0-9a-f]+) +([0-9a-f]{2,}:[0-9a-f]{2,}) +(\d+)(?: +(.*))?$/;

/** VMAs that a text may have. */
const MOST_LINES = 2 ** 20;

/**
 * Reads a text. Blank lines at its end are passed over.
 *
 * @throws {SyntaxError} for the first bad line, naming number, text and reason
 *
 * @example
 * ```ts
 * import { parseProcMaps } from "grantlab/import";
 * const { rows } = parseProcMaps("00400000-00401000 r-xp 00000000 08:01 12 /bin/a b (deleted)\n");
 * if (rows[0]?.name !== "/bin/a b" || !rows[0].isDeleted) throw new Error();
 * ```
 */
export function parseProcMaps(text: string): ProcMaps {
  const rows: ProcMapsRow[] = [];
  const leftOut: LeftOut[] = [];
  const lines = text.replace(/\s+$/, "").split("\n");
  if (lines.length === 1 && lines[0] === "") {
    throw new SyntaxError("Cannot read the maps: there is no line in them");
  }
  if (lines.length > MOST_LINES) {
    throw new SyntaxError(`Cannot read the maps: ${lines.length} lines are more than ${MOST_LINES}`);
  }
  let end = 0;
  lines.forEach((raw, i) => {
    const line = raw.replace(/\r$/, "");
    const read = readLine(line, i + 1);
    if (typeof read === "string") throw badLine(i + 1, line, read);
    if ("reason" in read) {
      leftOut.push(read);
      return;
    }
    if (read.start < end) throw badLine(i + 1, line, "it begins before the line above it ends");
    end = read.end;
    rows.push(read);
  });
  return { rows, leftOut };
}

function badLine(number: number, text: string, reason: string): SyntaxError {
  return new SyntaxError(`Cannot read line ${number} of the maps, ${show(text)}: ${reason}`);
}

/** A row, a line to leave out, or what is wrong with it. */
function readLine(text: string, line: number): ProcMapsRow | LeftOut | string {
  const found = LINE.exec(text);
  if (found === null) return reasonFor(text);
  const [, low, high, permissions, offset, device, inode, rest = ""] = found;
  const [start, end] = [BigInt(`0x${low}`), BigInt(`0x${high}`)];
  if (end <= start) return "the range is empty or backwards";
  if (start % 4096n !== 0n || end % 4096n !== 0n) return "the range is not aligned to pages";
  if (end > 2n ** 64n) return "the range has more than 64 bits";
  const fileOffset = Number(`0x${offset}`);
  if (fileOffset % PAGE_SIZE !== 0) return "the offset is not aligned to pages";
  if (!Number.isSafeInteger(fileOffset)) return "the offset has more than 53 bits";
  if (end > BigInt(TASK_SIZE_MAX)) return { line, text, reason: "beyond user space with four levels" };
  const isDeleted = / \(deleted\)$/.test(rest);
  const path = isDeleted ? rest.slice(0, -" (deleted)".length) : rest;
  return {
    line,
    start: Number(start),
    end: Number(end),
    permissions: permissions!,
    offset: fileOffset,
    device: device!,
    inode: Number(inode),
    // The kernel writes a line break in a name as \012.
    name: path.replaceAll("\\012", "\n"),
    isDeleted,
  };
}

/** Which field is the first that does not fit. */
function reasonFor(text: string): string {
  const fields = text.split(/ +/);
  const [range = "", permissions, offset, device, inode] = fields;
  if (!/^[0-9a-f]+-[0-9a-f]+$/.test(range)) return "it does not begin with a range like 00400000-00401000";
  if (permissions === undefined || !/^[r-][w-][x-][ps]$/.test(permissions)) {
    return "after the range must come permissions like r-xp";
  }
  if (offset === undefined || !/^[0-9a-f]+$/.test(offset)) {
    return "after the permissions must come an offset in hex";
  }
  if (device === undefined || !/^[0-9a-f]{2,}:[0-9a-f]{2,}$/.test(device)) {
    return "after the offset must come a device like 08:01";
  }
  if (inode === undefined || !/^\d+$/.test(inode)) return "after the device must come an inode number";
  return "the fields are not separated as the kernel does it";
}

/** A process read from a text: a native machine with one address space. */
export class ImportedProcess extends Shown {
  constructor(
    readonly linux: NativeLinux,
    readonly mm: MmStruct,
    readonly rows: readonly ProcMapsRow[],
    /** Lines without a VMA here. */
    readonly leftOut: readonly LeftOut[],
  ) {
    super();
  }

  /** Its VMAs as they are now, with a drawing. */
  get maps(): Maps {
    return new Maps(this.mm, (vma) => vma.file?.name ?? vma.ops?.name ?? this.#rowAt(vma.start)?.name ?? "");
  }

  /** munmap(2) of `[address, address + length)`; VMAs that are cut split. */
  munmap(address: number | bigint, length: number | bigint): SysResult<0> {
    return munmap(this.mm, address, length);
  }

  /** mprotect(2). */
  mprotect(address: number | bigint, length: number | bigint, prot: number): SysResult<0> {
    return mprotect(this.mm, address, length, prot);
  }

  /** One byte, read by the program: 0 from memory nobody wrote, or the signal. */
  read(address: number | bigint): UserAccessResult {
    return userAccess(this.mm, 0, address, "r");
  }

  /** One byte, written by the program. */
  write(address: number | bigint, value: number): UserAccessResult {
    return userAccess(this.mm, 0, address, "w", wholeNumber("write the byte", value, 0, 255));
  }

  /** The row of the text that an address lies in. Anonymous memory has its name, `[heap]`, from there alone. */
  #rowAt(address: number): ProcMapsRow | undefined {
    let [low, high] = [0, this.rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.rows[middle]!.end <= address) low = middle + 1;
      else high = middle;
    }
    const row = this.rows[low];
    return row !== undefined && row.start <= address ? row : undefined;
  }

  override toString(): string {
    return this[viewOf]().line;
  }

  override [viewOf](): View {
    const { line, blocks = [] } = this.maps[viewOf]();
    const out = this.leftOut.map(({ text, reason }) => `left out, ${reason}: ${text}`);
    return {
      line: `imported process: ${line}${out.length === 0 ? "" : `, ${out.length} left out`}`,
      blocks: [...blocks, drawing(out)],
    };
  }
}

/**
 * An address space like the one that a text describes.
 *
 * @throws {SyntaxError} for the first bad line; see {@linkcode parseProcMaps}
 * @throws {RangeError} if there is no memory for the top table
 *
 * @example
 * ```ts
 * import { importProcMaps } from "grantlab/import";
 * const real = importProcMaps("00400000-00404000 rw-p 00000000 00:00 0 [heap]");
 * real.munmap(0x401000, 4096);
 * if (real.mm.vmas.size !== 2) throw new Error(String(real));
 * ```
 */
export function importProcMaps(text: string): ImportedProcess {
  const { rows, leftOut } = parseProcMaps(text);
  const linux = nativeLinux();
  const mm = linux.process();
  // A process with more VMAs than the default allows has a higher limit.
  mm.maxMapCount = Math.max(DEFAULT_MAX_MAP_COUNT, rows.length);
  const files = new Map<string, FileObject>();
  for (const row of rows) mm.vmas.insert(vmaOf(mm, row, files));
  // A process keeps no descriptor of what it has mapped.
  for (const file of files.values()) fput(file);
  return new ImportedProcess(linux, mm, rows, leftOut);
}

/** Mappings of the kernel's own, which cannot be cut. @cite linux 6.1 mm/mmap.c special_mapping_split */
function specialMapping(name: string): VmOperations {
  return { name, maySplit: () => "EINVAL" };
}

const SPECIAL = /^\[(?:vdso|vvar|vvar_vclock|uprobes)\]$/;

function vmaOf(mm: MmStruct, row: ProcMapsRow, files: Map<string, FileObject>): Vma {
  const file = fileOf(mm, row, files);
  const pgoff = file === null ? row.start / PAGE_SIZE : row.offset / PAGE_SIZE;
  const vma = vmAreaAlloc(mm, row.start, row.end, flagsOf(row), pgoff);
  if (vma === null) throw new RangeError("Cannot rebuild the address space: no memory is left for a VMA");
  if (file !== null) {
    vma.file = getFile(file);
    file.ops.mmap!(vma);
  } else if (SPECIAL.test(row.name)) vma.ops = specialMapping(row.name);
  return vma;
}

/** The file of a row, one per device and inode; null for anonymous memory and names in brackets. */
function fileOf(mm: MmStruct, row: ProcMapsRow, files: Map<string, FileObject>): FileObject | null {
  const { name, device, inode, isDeleted } = row;
  if (inode === 0 && (name === "" || name.startsWith("["))) return null;
  const key = `${device} ${inode} ${name}`;
  const there = files.get(key);
  if (there !== undefined) return there;
  const file = new FileObject({
    name: isDeleted ? `${name} (deleted)` : name,
    ops: shmemFileOperations,
    pageCache: new PageCache(mm.system, 2 ** 51),
  });
  files.set(key, file);
  return file;
}

function flagsOf({ permissions, name, inode }: ProcMapsRow): number {
  const isShared = permissions[3] === "s";
  const isWritable = permissions[1] === "w";
  return (permissions[0] === "r" ? VM_READ : 0) | (isWritable ? VM_WRITE : 0) |
    (permissions[2] === "x" ? VM_EXEC : 0) | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC |
    (isShared ? VM_SHARED | VM_MAYSHARE : 0) | (isWritable && !isShared ? VM_ACCOUNT : 0) |
    (name === "[stack]" && inode === 0 ? VM_GROWSDOWN : 0);
}
