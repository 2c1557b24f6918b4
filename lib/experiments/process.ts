/**
 * A process in dom0, as people drive it: grants mapped through gntdev, VMAs split, direct I/O judged page by page.
 * Beside the model it keeps the reference of what each page must reach.
 *
 * @module
 */

import { Shown, viewOf } from "../core/shown.ts";
import type { View } from "../core/view.ts";
import { KernelBug } from "../core/crash.ts";
import type { SysResult } from "../core/errno.ts";
import { PAGE_SIZE } from "../core/geometry.ts";
import { hex } from "../core/show.ts";
import { outOfRange, wholeNumber } from "../core/misuse.ts";
import { knownOptions } from "../core/options.ts";
import { type DirectIo, directIo, type DirectIoRequest } from "../drivers/direct_io.ts";
import { gntdevIoctlMapGrantRef } from "../drivers/gntdev/map_grant_ref.ts";
import { type GntdevFile, gntdevOpen } from "../drivers/gntdev/open.ts";
import { gntdevIoctlUnmapGrantRef } from "../drivers/gntdev/unmap_grant_ref.ts";
import { SECTOR_SIZE } from "../drivers/ram_disk.ts";
import type { GupDecision } from "../linux/mm/gup.ts";
import { mmap, type MmapOptions } from "../linux/mm/mmap.ts";
import { exitMmap } from "../linux/mm/exit.ts";
import { fput } from "../linux/mm/file.ts";
import { MmStruct, TASK_SIZE_MAX } from "../linux/mm/mm_struct.ts";
import { lookupSlot, rawFlags, rawFrame } from "../linux/mm/pgtable.ts";
import { _PAGE_PRESENT, _PAGE_RW, _PAGE_USER } from "../x86/pte.ts";
import { Maps } from "../linux/mm/views/maps.ts";
import { mprotect } from "../linux/mm/mprotect.ts";
import { munmap } from "../linux/mm/munmap.ts";
import { MAP_SHARED, PROT_READ, PROT_WRITE } from "../linux/mm/prot.ts";
import { switchTo, userAccess, type UserAccessResult } from "../linux/mm/user_access.ts";
import type { Vma } from "../linux/mm/vma.ts";
import { ReferenceSpace } from "../reference/address_space.ts";
import { expectedAt, judge, type Reached } from "../reference/oracle.ts";
import { statusName } from "../xen/status.ts";
import type { AccessKind } from "../x86/access.ts";
import { PageTable } from "../x86/page_table.ts";
import type { WalkDrawing } from "../x86/views/walk_drawing.ts";
import { IoOutcome, type IoPage } from "./io_outcome.ts";
import { userWalk } from "./user_walk.ts";
import { expectGrants, Grants } from "./guest.ts";
import type { World } from "./world.ts";

/** Key under which the answer of a memory call keeps what the call decided, for `explain`. */
export const callOf: unique symbol = Symbol("call");

const MMAP_KNOWN: Readonly<Record<keyof MmapOptions, true>> = {
  address: true,
  length: true,
  prot: true,
  flags: true,
  file: true,
  offset: true,
};

/** A process of dom0. */
export class Process extends Shown {
  readonly mm: MmStruct;
  /** What each page must reach, kept apart from the model. */
  readonly reference: ReferenceSpace = new ReferenceSpace();
  #gntdev: GntdevFile | null = null;
  #hasExited = false;

  /** Its page tables, shown as ranges. */
  readonly tables: PageTable;

  constructor(readonly world: World, readonly name: string) {
    super();
    this.mm = new MmStruct(world.kernel.system);
    this.tables = new PageTable(world.hv.mem, {
      root: this.mm.pgdFrame,
      allocate: () => {
        throw new RangeError("Cannot map here: the tables of a process are changed by its kernel");
      },
    });
    switchTo(this.mm, 0);
  }

  /** True after {@linkcode exit}: nothing can be asked of it any more. */
  get hasExited(): boolean {
    return this.#hasExited;
  }

  /** @throws {RangeError} if dom0 has crashed or the process has exited */
  #refuse(action: string): void {
    this.world.refuseAfterCrash(action);
    if (this.#hasExited) {
      throw new RangeError(
        `Cannot ${action}: process ${this.name} has exited; start another: world.process()`,
      );
    }
  }

  /** The process's open gntdev file, opened when first needed. */
  get gntdev(): GntdevFile {
    if (this.#gntdev === null) this.#refuse("open gntdev");
    return this.#gntdev ??= gntdevOpen(this.world.kernel);
  }

  /** VMAs in order. */
  get vmas(): Vma[] {
    return this.mm.vmas.toArray();
  }

  /** Its VMAs as they are now, with a drawing; `qemu.maps.since(before)` shows a split. */
  get maps(): Maps {
    return new Maps(this.mm);
  }

  /**
   * The walk of an address in user mode as a drawing, and behind a page its owner and grant. Looks only: neither the
   * tables nor the TLB change.
   *
   * @throws {RangeError} if the address has more than 64 bits or is not exact
   *
   * @example
   * ```ts
   * import { world } from "grantlab";
   * const w = world();
   * const qemu = w.process("qemu");
   * const vma = qemu.mmapGrants(w.guest.grant(1));
   * if (!String(qemu.walk(vma.start)).includes("grant 8 of domain 1")) throw new Error(String(qemu.walk(vma.start)));
   * ```
   */
  walk(address: number | bigint, kind: AccessKind = "read"): WalkDrawing {
    if (this.#hasExited) this.#refuse("walk");
    return userWalk(this.world, this.mm, address, kind);
  }

  /**
   * Maps grants through gntdev: ioctl, then mmap of the whole map, shared, writable if the grants are.
   *
   * @throws {RangeError} if the kernel answers an errno; {@linkcode tryMmapGrants} answers it instead
   */
  mmapGrants(grants: Grants): Vma {
    const statuses = new Set<string>();
    const mapped = this.#mapGrants(grants, statuses);
    if (mapped.ok) return mapped.value;
    throw new RangeError(
      `Cannot map ${grants.refs.length} grants of domain ${grants.domid}: the kernel answers ${mapped.errno}` +
        `${statuses.size === 0 ? "" : `, statuses ${[...statuses].join(", ")}`}`,
    );
  }

  /** As {@linkcode mmapGrants}, but answers the errno where that one throws. */
  tryMmapGrants(grants: Grants): SysResult<Vma> {
    return this.#mapGrants(grants, new Set());
  }

  /** What does not become a mapping is taken off the device again. `statuses` gets those of the hypercall. */
  #mapGrants(grants: Grants, statuses: Set<string>): SysResult<Vma> {
    expectGrants("map grants", grants, "domid", "refs", "frames");
    this.#refuse("map grants");
    if (grants instanceof Grants && grants.areOfAnother(this.world.hv)) {
      throw outOfRange("map grants", String(grants), "they are of another world");
    }
    const { file, priv } = this.gntdev;
    const offset = gntdevIoctlMapGrantRef(priv, grants.refs.map((ref) => ({ domid: grants.domid, ref })));
    if (!offset.ok) return offset;
    const length = grants.refs.length * PAGE_SIZE;
    const prot = PROT_READ | (grants.writable ? PROT_WRITE : 0);
    const mapped = this.mmap({ address: 0, length, prot, flags: MAP_SHARED, file, offset: offset.value });
    if (!mapped.ok) {
      const map = priv.find(offset.value / PAGE_SIZE, grants.refs.length);
      for (const op of map?.mapOps ?? []) statuses.add(statusName(op.status));
      gntdevIoctlUnmapGrantRef(priv, offset.value, grants.refs.length);
      return mapped;
    }
    this.reference.map(mapped.value, grants.frames, prot);
    return { ok: true, value: this.mm.vmas.lookup(mapped.value)! };
  }

  /** mmap(2): the address, or the errno. */
  mmap(request: MmapOptions): SysResult<number> {
    knownOptions("mmap()", request, MMAP_KNOWN);
    this.#refuse("mmap");
    const result = this.#answer(mmap(this.mm, request));
    if (result.ok) this.reference.mapOwn(result.value, Number(request.length));
    else if (Number(request.length) > TASK_SIZE_MAX) {
      const why =
        `Cannot map ${request.length} bytes: the address space of a process, TASK_SIZE_MAX, is ${TASK_SIZE_MAX}`;
      return this.#answer({ ...result, why });
    }
    return result;
  }

  /** munmap(2): unmaps `[address, address + length)`; VMAs that are cut split. */
  munmap(address: number | bigint, length: number | bigint): SysResult<0> {
    this.#refuse("munmap");
    const result = this.#answer(munmap(this.mm, address, length));
    if (result.ok) this.reference.unmap(Number(address), Number(length));
    return result;
  }

  /** mprotect(2). On a grant mapping of a PV kernel the grants of the range go, as recorded. */
  mprotect(address: number | bigint, length: number | bigint, prot: number): SysResult<0> {
    this.#refuse("mprotect");
    const result = this.#answer(mprotect(this.mm, address, length, prot));
    const [from, bytes] = [Number(address), Number(length)];
    if (result.ok) this.reference.protect(from, bytes, prot);
    else if (result.errno === "ENOMEM") this.reference.protect(from, bytes, prot, true);
    return result;
  }

  /** The same answer, and behind it what the call decided, where it shows in no comparison. */
  #answer<T>(result: SysResult<T>): SysResult<T> {
    return Object.defineProperty({ ...result }, callOf, { value: this.mm.lastCall });
  }

  /** One byte, read by the program through the MMU: the value, or the signal. */
  read(address: number | bigint): UserAccessResult {
    this.#refuse("read");
    return userAccess(this.mm, 0, address, "r");
  }

  /** One byte, written by the program through the MMU. */
  write(address: number | bigint, value: number): UserAccessResult {
    this.#refuse("write");
    wholeNumber("write the byte", value, 0, 255);
    return userAccess(this.mm, 0, address, "w", value);
  }

  /** read(2) with O_DIRECT: the disk writes into memory at `address`. */
  directRead(address: number, length: number, diskOffset = 0): IoOutcome {
    return this.#direct("read", address, length, diskOffset);
  }

  /** write(2) with O_DIRECT: memory at `address` goes to the disk. */
  directWrite(address: number, length: number, diskOffset = 0): IoOutcome {
    return this.#direct("write", address, length, diskOffset);
  }

  #direct(direction: "read" | "write", address: number, length: number, diskOffset: number): IoOutcome {
    const { world, mm } = this;
    this.#refuse("do direct I/O");
    const most = Number.MAX_SAFE_INTEGER;
    wholeNumber("do direct I/O at", address, 0, most);
    wholeNumber("do direct I/O of bytes", length, 0, most);
    wholeNumber("do direct I/O at disk offset", diskOffset, 0, most);
    const decisions: GupDecision[] = [];
    const mark = world.trace.mark();
    const result = world.run(
      `do direct I/O at ${hex(address)}`,
      () => directIo(mm, world.disk, { direction, address, length, diskOffset }, decisions),
    );
    const events = world.trace.since(mark);
    const pages = this.#judge({ direction, address, length, diskOffset }, result);
    return new IoOutcome({ direction, address, length, result, pages, decisions, events });
  }

  /**
   * What the page must reach. For memory of the process's own the witness is the processor: the device must reach the
   * frame that a load or store of the program reaches.
   */
  #expected(address: number, needsWrite: boolean): Reached {
    if (!this.reference.isOwn(address)) return expectedAt(this.reference.at(address), needsWrite);
    const { system } = this.mm;
    const slot = lookupSlot(this.mm, address);
    const needed = _PAGE_PRESENT | _PAGE_USER | (needsWrite ? _PAGE_RW : 0);
    const isReachable = slot >= 0 && (rawFlags(system, slot) & needed) === needed;
    return isReachable
      ? { kind: "frame", frame: rawFrame(system, slot) }
      : { kind: "errno", errno: "EFAULT" };
  }

  /** The pages that were transferred, and then the one at which the transfer ended early, if it did. */
  #judge(request: DirectIoRequest, result: SysResult<DirectIo> | KernelBug): IoPage[] {
    const { direction, address, length, diskOffset } = request;
    const first = address - address % PAGE_SIZE;
    const nrPages = Math.ceil((address + length - first) / PAGE_SIZE);
    const isMalformed = [address, length, diskOffset].some((n) => n % SECTOR_SIZE !== 0) ||
      diskOffset + length > this.world.disk.size;
    const done = result instanceof KernelBug || !result.ok ? [] : result.value.pages;
    const needsWrite = direction === "read";
    const pages: IoPage[] = done.map(({ address, path, page, frame }) => {
      const reached: Reached = { kind: "frame", frame };
      const expected = this.#expected(address, needsWrite);
      return { address, path, pfn: page, reached, expected, verdict: judge(expected, reached) };
    });
    if (length > 0 && done.length < nrPages) {
      const at = first + done.length * PAGE_SIZE;
      const isCrash = result instanceof KernelBug;
      const reached: Reached = isCrash
        ? { kind: "crash", where: result.where }
        : { kind: "errno", errno: result.ok ? "EFAULT" : result.errno };
      const expected: Reached = isMalformed
        ? { kind: "errno", errno: "EINVAL" }
        : this.#expected(at, needsWrite);
      const verdict = judge(expected, reached);
      pages.push({ address: at, path: isCrash ? "fast" : "slow", pfn: null, reached, expected, verdict });
    }
    return pages;
  }

  /** Closes the gntdev file. Grants stay mapped until they are unmapped; the next mapping opens the device again. */
  closeGntdev(): void {
    this.#refuse("close gntdev");
    if (this.#gntdev !== null) fput(this.#gntdev.file);
    this.#gntdev = null;
  }

  /** Ends the process: files are closed, everything is unmapped, grants are given back. */
  exit(): void {
    this.#refuse("exit");
    this.closeGntdev();
    exitMmap(this.mm);
    this.#hasExited = true;
  }

  override toString(): string {
    return `process ${this.name}, ${this.#hasExited ? "exited" : `${this.mm.vmas.size} VMAs`}`;
  }

  override [viewOf](): View {
    const { blocks = [] } = this.maps[viewOf]();
    return { line: this.toString(), blocks };
  }
}
