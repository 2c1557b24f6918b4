/**
 * Random histories of pins: two processes map grants, cut mappings, fork, and hold pages by `pin_user_pages`, by direct
 * I/O and in pipes while that happens. What is looked for is *silent* harm, that nothing reports:
 *
 * - a pin, a transfer or a pipe reaches another frame than the one the reference names;
 * - a page is held for a grant that has been given back already;
 * - an errno where there is none to answer, or none where there must be one.
 *
 * A history ends without a verdict where a recorded bug of the driver begins: an unmap of a page that is held waits,
 * zap finds its entry, and the kernel reports a bad page map (`recorded grant-cases-pv.jsonl buffered_io`). A report
 * while nobody holds a page is a failure.
 *
 * @module
 */

import fc from "fast-check";
import { KernelBug } from "../../lib/core/crash.ts";
import { PAGE } from "../../lib/core/geometry.ts";
import { type GrantMap, INVALID_GRANT_HANDLE } from "../../lib/drivers/gntdev/grant_map.ts";
import { Pipe } from "../../lib/drivers/pipe.ts";
import type { Process } from "../../lib/experiments/process.ts";
import { type Grants, type World, world } from "../../lib/experiments/world.ts";
import { exitMmap } from "../../lib/linux/mm/exit.ts";
import { forkMm } from "../../lib/linux/mm/fork.ts";
import { getUserPagesFast, releaseUserPages } from "../../lib/linux/mm/gup.ts";
import { FOLL_PIN } from "../../lib/linux/mm/gup_flags.ts";
import { PROPERTY_HOST } from "./host.ts";

/** Which process, grant, mapping or hold is meant is taken modulo what there is. */
export type PinCommand =
  | { readonly do: "grant"; readonly pages: number }
  | { readonly do: "map"; readonly process: number; readonly grant: number }
  | { readonly do: "munmap"; readonly mapping: number; readonly from: number; readonly pages: number }
  | { readonly do: "pin" | "direct" | "vmsplice"; readonly mapping: number; readonly from: number }
  | { readonly do: "letGo"; readonly hold: number }
  | { readonly do: "fork"; readonly process: number }
  | { readonly do: "advance"; readonly ms: number };

const few = fc.nat({ max: 7 });
const both = fc.nat({ max: 1 });

const COMMAND: fc.Arbitrary<PinCommand> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("grant" as const), pages: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 10, arbitrary: fc.record({ do: fc.constant("map" as const), process: both, grant: few }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("munmap" as const),
      mapping: few,
      from: few,
      pages: fc.constantFrom(1, 1, 4),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constantFrom("pin" as const, "direct" as const, "vmsplice" as const),
      mapping: few,
      from: few,
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant("letGo" as const), hold: few }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("fork" as const), process: both }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("advance" as const), ms: fc.nat({ max: 40 }) }) },
);

/** Histories of up to 24 commands. */
export const pinHistory: fc.Arbitrary<PinCommand[]> = fc.array(COMMAND, {
  minLength: 1,
  maxLength: 24,
  size: "max",
});

/** How a history went. */
export interface PinOutcome {
  readonly failure: string | null;
  /** The calls, as TypeScript after the imports and the host. */
  readonly calls: readonly string[];
  /** Pages that were held or transferred and judged. */
  readonly judged: number;
  /** It ended where a recorded bug begins. */
  readonly isKnownBug: boolean;
}

/** The lines before the calls of a script. */
export function preamble(design: string): string[] {
  return [
    `import { world } from "grantlab";`,
    `import { Pipe } from "grantlab/drivers";`,
    `import { exitMmap, FOLL_PIN, forkMm, getUserPagesFast, releaseUserPages } from "grantlab/linux/mm";`,
    `const w = world(${JSON.stringify({ kernel: design, ...PROPERTY_HOST })});`,
    `const p = [w.process("a"), w.process("b")];`,
  ];
}

interface Mapping {
  readonly process: number;
  readonly name: string;
  readonly start: number;
  readonly pages: number;
}

/** A page that somebody holds. */
interface Hold {
  readonly name: string;
  readonly process: number;
  readonly address: number;
  /** Of this slot of this map, which is not that of the mapping named if that has gone and its place been taken. */
  readonly map: GrantMap;
  readonly slot: number;
  readonly page: number;
  readonly frame: number;
  letGo(): void;
}

/** Runs a history under a design. */
export function runPins(design: string, commands: readonly PinCommand[]): PinOutcome {
  const run = new Run(design);
  let failure: string | null = null;
  for (const each of commands) {
    try {
      failure = run.step(each);
      if (failure === null && run.knownBugBegins) break;
      failure ??= run.heldWrongly();
    } catch (error) {
      if (!(error instanceof KernelBug)) throw error;
      failure = `crash: ${error.message}`;
    }
    failure ??= run.report();
    if (failure !== null) break;
  }
  return { failure, calls: run.calls, judged: run.judged, isKnownBug: run.knownBugBegins };
}

class Run {
  readonly w: World;
  readonly processes: Process[];
  readonly grants: Grants[] = [];
  readonly mappings: Mapping[] = [];
  readonly holds: Hold[] = [];
  readonly calls: string[] = [];
  judged = 0;
  #nrHolds = 0;
  #hitsHeld = false;

  constructor(design: string) {
    this.w = world({ kernel: design, ...PROPERTY_HOST });
    this.processes = [this.w.process("a"), this.w.process("b")];
  }

  /** A page was unmapped that somebody holds: the driver waits, and the kernel reports what zap finds meanwhile. */
  get knownBugBegins(): boolean {
    const { system, work } = this.w.kernel;
    return this.#hitsHeld && (work.pending > 0 || system.log.some(({ kind }) => kind === "bad-page-map"));
  }

  step(command: PinCommand): string | null {
    const { w, calls } = this;
    switch (command.do) {
      case "grant": {
        const left = PROPERTY_HOST.guestFrames / 2 -
          this.grants.reduce((sum, { refs }) => sum + refs.length, 0);
        if (command.pages > left) return null;
        calls.push(`const g${this.grants.length} = w.guest.grant(${command.pages});`);
        this.grants.push(w.guest.grant(command.pages));
        return null;
      }
      case "map":
        return this.#map(command.process, command.grant);
      case "advance":
        calls.push(`w.advance(${command.ms});`);
        w.advance(command.ms);
        return null;
      case "letGo": {
        const hold = this.holds.splice(command.hold % Math.max(1, this.holds.length), 1)[0];
        hold?.letGo();
        return null;
      }
      case "fork":
        return this.#fork(command.process);
    }
    const mapping = this.mappings[command.mapping % Math.max(1, this.mappings.length)];
    if (mapping === undefined) return null;
    const from = command.from % mapping.pages;
    const process = this.processes[mapping.process]!;
    const where = `${mapping.name} + ${from * PAGE}`;
    const address = mapping.start + from * PAGE;
    if (command.do === "munmap") {
      const length = Math.min(command.pages, mapping.pages - from) * PAGE;
      calls.push(`p[${mapping.process}].munmap(${where}, ${length});`);
      this.#hitsHeld ||= this.holds.some((hold) =>
        hold.process === mapping.process && address <= hold.address && hold.address < address + length
      );
      process.munmap(address, length);
      return null;
    }
    if (command.do === "direct") {
      calls.push(`console.log(String(p[${mapping.process}].directRead(${where}, 4096)));`);
      const io = process.directRead(address, PAGE);
      this.judged++;
      return io.pages.every(({ verdict }) => verdict === "ok") ? null : String(io);
    }
    return this.#hold(command.do, mapping, from, where);
  }

  /** Something held that is not what it was, or whose grant is gone. */
  heldWrongly(): string | null {
    for (const { name, map, slot, page, frame } of this.holds) {
      const now = this.w.kernel.system.frameOf(page);
      if (now !== frame) return `${name} was taken for frame ${frame} and is frame ${now} now`;
      const { unmapOps, kunmapOps } = map;
      const handles = [unmapOps[slot]!.handle, kunmapOps[slot]!.handle];
      if (handles.every((handle) => handle === INVALID_GRANT_HANDLE)) {
        return `${name} holds slot ${slot} of its map, and the grant has been given back`;
      }
    }
    return null;
  }

  /** What the kernel or Xen reports by itself. */
  report(): string | null {
    const { log } = this.w.kernel.system;
    if (log.length > 0) return `kernel log: ${log[0]!.text}`;
    return this.w.hv.leaks.length > 0 ? `leaked pin of grant ${this.w.hv.leaks[0]!.ref}` : null;
  }

  #map(process: number, grant: number): string | null {
    const which = grant % Math.max(1, this.grants.length);
    const grants = this.grants[which];
    if (grants === undefined || grants.refs.length > this.w.kernel.frameSource.nrFree) return null;
    const name = `m${this.mappings.length}`;
    this.calls.push(`const ${name} = p[${process}].mmapGrants(g${which}).start;`);
    const mapped = this.processes[process]!.tryMmapGrants(grants);
    if (!mapped.ok) return `mmapGrants answers ${mapped.errno}`;
    const { start } = mapped.value;
    this.mappings.push({ process, name, start, pages: grants.refs.length });
    return null;
  }

  /** A child of a PV process has none of its grants, and the parent keeps them. */
  #fork(process: number): string | null {
    this.calls.push(`exitMmap(forkMm(p[${process}].mm));`);
    const live = this.w.dom0.maptrack.live;
    const child = forkMm(this.processes[process]!.mm);
    const inherited = [...child.vmas].filter((vma) => vma.ops?.name === "gntdev").length;
    exitMmap(child);
    if (inherited > 0) return `a child has ${inherited} mappings of grants`;
    const left = this.w.dom0.maptrack.live;
    return left === live ? null : `${live} handles before a fork, ${left} after the child's end`;
  }

  /** Pins a page, or puts it into a pipe. */
  #hold(how: "pin" | "vmsplice", mapping: Mapping, from: number, where: string): string | null {
    const { w } = this;
    const { mm, reference } = this.processes[mapping.process]!;
    const { system } = w.kernel;
    const address = mapping.start + from * PAGE;
    const expected = reference.at(address);
    const name = `h${this.#nrHolds++}`;
    const of = `p[${mapping.process}].mm`;
    let page: number;
    let letGo: () => void;
    if (how === "pin") {
      this.calls.push(`const ${name} = getUserPagesFast(${of}, ${where}, 1, FOLL_PIN);`);
      const got = getUserPagesFast(mm, address, 1, FOLL_PIN);
      this.judged++;
      if (!got.ok) return expected === undefined ? null : `${name} answers ${got.errno} wrongly`;
      page = got.value.pages[0]!;
      letGo = () => {
        this.calls.push(`releaseUserPages(${of}, ${name}.value.pages, FOLL_PIN);`);
        releaseUserPages(mm, got.value.pages, FOLL_PIN);
      };
    } else {
      const pipe = new Pipe(system);
      this.calls.push(
        `const ${name} = new Pipe(w.kernel.system); console.log(${name}.vmsplice(${of}, ${where}, 4096));`,
      );
      const got = pipe.vmsplice(mm, address, PAGE);
      this.judged++;
      if (!got.ok) return expected === undefined ? null : `${name} answers ${got.errno} wrongly`;
      page = pipe.pages[0]!;
      letGo = () => {
        this.calls.push(`${name}.release();`);
        pipe.release();
      };
    }
    if (expected === undefined) return `${name} holds a page where nothing is mapped`;
    const frame = system.frameOf(page);
    if (frame !== expected.frame) {
      return `${name} holds frame ${frame}, must be ${expected.frame}: wrong-page`;
    }
    const map = mm.vmas.lookup(address)!.privateData as GrantMap;
    const hold = { name, process: mapping.process, address, map, page, frame, letGo };
    this.holds.push({ ...hold, slot: (address - map.start) / PAGE });
    return null;
  }
}
