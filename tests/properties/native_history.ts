/**
 * Random histories of native memory calls: data first, so that they shrink; what fails is printed as a script of calls
 * of the public API.
 *
 * After every call the address spaces and the pages of the kernel are in order. What a program reads is what the
 * reference says, and at the end every page of every process is read. With injected allocation failures only the order
 * is asked for: what a call that failed has done up to there is Linux's business.
 *
 * @module
 */

import fc from "fast-check";
import { maddrOf } from "../../lib/core/frames.ts";
import { PAGE_SIZE } from "../../lib/core/geometry.ts";
import { exitMmap } from "../../lib/linux/mm/exit.ts";
import { dupMm } from "../../lib/linux/mm/fork.ts";
import { getUserPagesFast, releaseUserPages } from "../../lib/linux/mm/gup.ts";
import { FOLL_PIN, FOLL_WRITE } from "../../lib/linux/mm/gup_flags.ts";
import { MADV, madvise } from "../../lib/linux/mm/madvise.ts";
import type { MmStruct } from "../../lib/linux/mm/mm_struct.ts";
import { mmap } from "../../lib/linux/mm/mmap.ts";
import { mprotect } from "../../lib/linux/mm/mprotect.ts";
import { mremap } from "../../lib/linux/mm/mremap.ts";
import { munmap } from "../../lib/linux/mm/munmap.ts";
import { type NativeLinux, nativeLinux } from "../../lib/linux/mm/native.ts";
import { userAccess } from "../../lib/linux/mm/user_access.ts";
import { validateMm, validatePages } from "../../lib/linux/mm/validate.ts";
import { NativeMemory } from "../../lib/reference/native_memory.ts";

const WINDOW = 24;
const BASE = 0x1000_0000_0000;
const FRAMES = 640;
const MOST_PROCESSES = 3;
const PROTS = [0, 1, 3, 5] as const;

/** A call; `process` is taken modulo how many there are. */
export interface NativeCommand {
  readonly do:
    | "mmap"
    | "munmap"
    | "mprotect"
    | "dontneed"
    | "mremap"
    | "read"
    | "write"
    | "pinWrite"
    | "fork"
    | "exit";
  readonly process: number;
  readonly page: number;
  readonly pages: number;
  readonly to: number;
  readonly prot: number;
  readonly shared: boolean;
  /** Which byte of the page: a write leaves the others. */
  readonly byte: number;
  /** Which allocation of the call fails, counted from 0; none if there are fewer. */
  readonly fails: number;
}

/** Any call; writes are the most frequent. */
export const nativeCommand: fc.Arbitrary<NativeCommand> = fc.record({
  do: fc.constantFrom(
    ...["mmap", "mmap", "mmap", "munmap", "mprotect", "mprotect", "dontneed", "mremap", "mremap"] as const,
    ...["read", "read", "write", "write", "write", "write", "pinWrite", "fork", "exit"] as const,
  ),
  process: fc.nat({ max: MOST_PROCESSES - 1 }),
  page: fc.nat({ max: WINDOW - 1 }),
  pages: fc.integer({ min: 1, max: 8 }),
  to: fc.nat({ max: WINDOW - 1 }),
  prot: fc.constantFrom(3, ...PROTS),
  shared: fc.constantFrom(false, false, true),
  byte: fc.constantFrom(0, 4095),
  fails: fc.nat({ max: 5 }),
});

/** Histories of up to 40 calls. */
export const nativeHistory: fc.Arbitrary<NativeCommand[]> = fc.array(nativeCommand, {
  minLength: 1,
  maxLength: 40,
  size: "max",
});

/** How a history went. */
export interface NativeOutcome {
  /** What was wrong, or null. */
  readonly failure: string | null;
  /** The history as lines of TypeScript, up to the failure. */
  readonly script: string;
  /** Bytes compared with the reference. */
  readonly compared: number;
  /** Calls that met an injected failure. */
  readonly injected: number;
}

/** Runs a history. @param inject let allocations fail as the commands say */
export function runNative(commands: readonly NativeCommand[], inject = false): NativeOutcome {
  const runner = new Runner(inject);
  let failure: string | null = null;
  for (const command of commands) {
    failure = runner.step(command) ?? runner.disorder();
    if (failure !== null) break;
  }
  failure ??= runner.end();
  const { lines, compared, injected } = runner;
  return { failure, script: lines.join("\n"), compared, injected };
}

class Runner {
  readonly linux: NativeLinux = nativeLinux({ frames: FRAMES });
  readonly mms: MmStruct[] = [this.linux.process()];
  readonly references: NativeMemory[] = [new NativeMemory()];
  /** Names of the processes in the script. */
  readonly names: string[] = ["p0"];
  readonly lines: string[];
  compared = 0;
  injected = 0;
  #born = 1;
  readonly #free = this.linux.system.memMap.nrFree + 1;

  constructor(readonly inject: boolean) {
    this.lines = [
      `import * as mm from "grantlab/linux/mm";`,
      `const linux = mm.nativeLinux({ frames: ${FRAMES} });`,
      `const p0 = linux.process();`,
    ];
  }

  step(command: NativeCommand): string | null {
    const i = command.process % this.mms.length;
    const { system } = this.linux;
    if (!this.inject) return this.#call(command, i);
    let left = command.fails;
    const fails = () => {
      if (left-- !== 0) return false;
      this.injected++;
      return true;
    };
    this.lines.push(`{ let left = ${command.fails}; const fails = () => left-- === 0;`);
    this.lines.push(`linux.system.memMap.failAllocation = fails; linux.system.failVmaAllocation = fails; }`);
    system.memMap.failAllocation = fails;
    system.failVmaAllocation = fails;
    this.#call(command, i);
    system.memMap.failAllocation = null;
    system.failVmaAllocation = null;
    return null;
  }

  /** Runs one call: what was wrong with its answer, or null. */
  #call({ do: what, page, pages, to, prot, shared, byte }: NativeCommand, i: number): string | null {
    const mm = this.mms[i]!;
    const reference = this.references[i]!;
    const n = Math.min(pages, WINDOW - page);
    const at = BASE + page * PAGE_SIZE;
    const length = n * PAGE_SIZE;
    const say = (call: string) => this.lines.push(`console.log(mm.${call});`);
    const name = this.names[i]!;
    switch (what) {
      case "mmap": {
        const wish = { address: at, length, prot, flags: shared ? 0x31 : 0x32 };
        say(`mmap(${name}, ${JSON.stringify(wish)})`);
        const result = mmap(mm, wish);
        if (result.ok) reference.map(page, n, prot, shared);
        return expect("mmap", result.ok ? "ok" : result.errno, "ok");
      }
      case "munmap":
        say(`munmap(${name}, ${at}, ${length})`);
        reference.unmap(page, n);
        return expect("munmap", answerOf(munmap(mm, at, length)), "ok");
      case "mprotect":
        say(`mprotect(${name}, ${at}, ${length}, ${prot})`);
        return expect("mprotect", answerOf(mprotect(mm, at, length, prot)), reference.protect(page, n, prot));
      case "dontneed":
        say(`madvise(${name}, ${at}, ${length}, ${MADV.DONTNEED})`);
        return expect(
          "madvise",
          answerOf(madvise(mm, at, length, MADV.DONTNEED)),
          reference.dontneed(page, n),
        );
      case "mremap": {
        const m = Math.min(n, WINDOW - to);
        const bytes = m * PAGE_SIZE;
        const wish = {
          address: at,
          oldLength: bytes,
          newLength: bytes,
          flags: 3,
          newAddress: BASE + to * PAGE_SIZE,
        };
        say(`mremap(${name}, ${JSON.stringify(wish)})`);
        return this.#move(answerOf(mremap(mm, wish)), reference, { page, m, to });
      }
      case "read":
        say(`userAccess(${name}, 0, ${at + byte}, "r")`);
        return this.#read(mm, reference, page, byte);
      case "write": {
        say(`userAccess(${name}, 0, ${at + byte}, "w", ${pages})`);
        const result = userAccess(mm, 0, at + byte, "w", pages);
        return expect("write", String(result.ok), String(reference.write(page, pages, byte)));
      }
      case "pinWrite":
        say(`getUserPagesFast(${name}, ${at}, 1, ${FOLL_PIN | FOLL_WRITE})`);
        return this.#pinWrite(mm, reference, { page, value: pages });
      case "fork":
        return this.#fork(mm, reference, name);
      case "exit":
        return this.#exit(i);
    }
  }

  /** A move fails if it overlaps, begins in a hole (nothing happens), or leaves its VMA (the target has gone). */
  #move(answer: string, reference: NativeMemory, { page, m, to }: { page: number; m: number; to: number }) {
    if (this.inject) return null;
    if (answer === "ok") reference.move(page, m, to);
    else if (!reference.has(page)) return expect("mremap", answer, "EFAULT");
    else if (page < to + m && to < page + m) return expect("mremap", answer, "EINVAL");
    else reference.unmap(to, m);
    return answer === "ok" || answer === "EFAULT" ? null : expect("mremap", answer, "ok or EFAULT");
  }

  #read(mm: MmStruct, reference: NativeMemory, page: number, byte: number): string | null {
    const result = userAccess(mm, 0, BASE + page * PAGE_SIZE + byte, "r");
    this.compared++;
    return expect(
      `read of page ${page}`,
      String(result.ok ? result.value : null),
      String(reference.read(page, byte)),
    );
  }

  /** Writes by the page's number, as a device does. */
  #pinWrite(mm: MmStruct, reference: NativeMemory, { page, value }: { page: number; value: number }) {
    const { system } = this.linux;
    const gupFlags = FOLL_PIN | FOLL_WRITE;
    const got = getUserPagesFast(mm, BASE + page * PAGE_SIZE, 1, gupFlags);
    if (got.ok) {
      system.mem.write8(maddrOf(system.frameOf(got.value.pages[0]!), 0), value);
      releaseUserPages(mm, got.value.pages, gupFlags);
    }
    return expect("pin for writing", String(got.ok), String(reference.write(page, value)));
  }

  #fork(mm: MmStruct, reference: NativeMemory, name: string): string | null {
    if (this.mms.length === MOST_PROCESSES) return null;
    const child = dupMm(mm);
    const born = `p${this.#born++}`;
    this.lines.push(`const ${born} = mm.forkMm(${name});`);
    if (!child.ok) return expect("fork", child.errno, "ok");
    this.mms.push(child.value);
    this.references.push(reference.fork());
    this.names.push(born);
    return null;
  }

  #exit(i: number): string | null {
    if (this.mms.length === 1) return null;
    this.lines.push(`mm.exitMmap(${this.names[i]});`);
    exitMmap(this.mms[i]!);
    for (const list of [this.mms, this.references, this.names]) list.splice(i, 1);
    return null;
  }

  /** What is out of order between two calls, or null. */
  disorder(): string | null {
    for (const [i, mm] of this.mms.entries()) {
      const found = validateMm(mm);
      if (found.length > 0) return `${this.names[i]}: ${found[0]}`;
    }
    if (this.linux.system.log.length > 0) return `kernel log: ${this.linux.system.log[0]!.text}`;
    return validatePages(this.linux.system, this.mms)[0] ?? null;
  }

  /** Reads everything, ends everything: what was wrong, or null. */
  end(): string | null {
    if (!this.inject) {
      for (const [i, mm] of this.mms.entries()) {
        for (let page = 0; page < WINDOW; page++) {
          for (const byte of [0, 4095]) {
            const wrong = this.#read(mm, this.references[i]!, page, byte);
            if (wrong !== null) return `at the end, ${this.names[i]}: ${wrong}`;
          }
        }
      }
    }
    for (const mm of this.mms) exitMmap(mm);
    const lost = this.#free - this.linux.system.memMap.nrFree;
    return lost === 0 ? null : `${lost} pages are lost at the end`;
  }
}

function answerOf(result: { readonly ok: true } | { readonly ok: false; readonly errno: string }): string {
  return result.ok ? "ok" : result.errno;
}

function expect(what: string, got: string, expected: string): string | null {
  return got === expected ? null : `${what} answers ${got}, must be ${expected}`;
}
