/**
 * Random histories on a small host: data first, so that they shrink; what fails can be printed as a script of calls
 * of the public API.
 *
 * After every step the books of both layers must be in order, every verdict `ok`, every byte that a program sees the
 * byte of the frame that the reference names, and there are as many pins as live handles. At the end everything is
 * unmapped and closed, and nothing may be left.
 *
 * @module
 */

import fc from "fast-check";
import { PAGE } from "../../lib/core/geometry.ts";
import { fput } from "../../lib/linux/mm/file.ts";
import { exitMmap } from "../../lib/linux/mm/exit.ts";
import { validateMm } from "../../lib/linux/mm/validate.ts";
import type { Process } from "../../lib/experiments/process.ts";
import { type Grants, type World, world } from "../../lib/experiments/world.ts";
import { describePin } from "../../lib/xen/pin.ts";
import { readGrantEntry } from "../../lib/xen/grant_access.ts";
import { validateXen } from "../../lib/xen/validate.ts";
import { PROPERTY_HOST } from "./host.ts";

/** Which process, mapping or grant is meant is taken modulo what there is; pages are clipped to the mapping. */
export type Command =
  | { readonly do: "grant"; readonly pages: number; readonly beyond: boolean; readonly readonly: boolean }
  | { readonly do: "map"; readonly process: number; readonly grant: number }
  | { readonly do: "munmap"; readonly mapping: number; readonly from: number; readonly pages: number }
  | {
    readonly do: "mprotect";
    readonly mapping: number;
    readonly from: number;
    readonly pages: number;
    readonly prot: number;
  }
  | {
    readonly do: "directRead" | "directWrite";
    readonly mapping: number;
    readonly from: number;
    readonly pages: number;
  }
  | { readonly do: "read"; readonly mapping: number; readonly from: number }
  | { readonly do: "advance"; readonly ms: number }
  | { readonly do: "close"; readonly process: number };

const few = fc.nat({ max: 7 });
const pages = fc.integer({ min: 1, max: 8 });

/** Any command. What ends things is rarer than what makes or tries them. */
export const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("grant" as const),
      pages,
      beyond: fc.boolean(),
      readonly: fc.constantFrom(false, false, false, true),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({ do: fc.constant("map" as const), process: fc.nat({ max: 1 }), grant: few }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("munmap" as const),
      mapping: few,
      from: few,
      pages: fc.constantFrom(1, 1, 2, 8),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("mprotect" as const),
      mapping: few,
      from: few,
      pages: fc.constantFrom(1, 1, 2, 8),
      prot: fc.constantFrom(0, 1, 3, 5),
    }),
  },
  {
    weight: 16,
    arbitrary: fc.record({
      do: fc.constantFrom("directRead" as const, "directWrite" as const),
      mapping: few,
      from: few,
      pages,
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant("read" as const), mapping: few, from: few }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("advance" as const), ms: fc.nat({ max: 30 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("close" as const), process: fc.nat({ max: 1 }) }) },
);

/** Histories of up to 32 commands. */
export const history: fc.Arbitrary<Command[]> = fc.array(command, {
  minLength: 1,
  maxLength: 32,
  size: "max",
});

/** How a history went. */
export interface Outcome {
  /** What was found wrong, or null. */
  readonly failure: string | null;
  /** The history as lines of TypeScript, up to the failure. */
  readonly script: string;
  /** Pages that were judged, of mappings that had been cut before. */
  readonly judgedAfterCut: number;
}

interface Mapping {
  readonly process: number;
  readonly name: string;
  readonly start: number;
  readonly pages: number;
}

/** Runs a history under a design. */
export function run(design: string, commands: readonly Command[]): Outcome {
  const runner = new Runner(design);
  let failure: string | null = null;
  for (const each of commands) {
    failure = runner.step(each) ?? (runner.w.crash === null ? violation(runner) : null);
    if (failure !== null) break;
  }
  return {
    failure: failure ?? runner.end(),
    script: runner.lines.join("\n"),
    judgedAfterCut: runner.judgedAfterCut,
  };
}

class Runner {
  readonly w: World;
  readonly processes: Process[];
  readonly closed = [false, false];
  readonly grants: Grants[] = [];
  readonly mappings: Mapping[] = [];
  readonly lines: string[];
  readonly cut = new Set<Mapping>();
  judgedAfterCut = 0;
  /** Next frame of the guest to grant, inside and beyond dom0's p2m. */
  readonly next = [0, PROPERTY_HOST.guestFrames / 2];

  constructor(design: string) {
    this.w = world({ kernel: design, ...PROPERTY_HOST });
    this.processes = [this.w.process("a"), this.w.process("b")];
    this.lines = [
      `import { world } from "grantlab";`,
      `import { fput } from "grantlab/linux/mm";`,
      `const w = world(${JSON.stringify({ kernel: design, ...PROPERTY_HOST })});`,
      `const p = [w.process("a"), w.process("b")];`,
    ];
  }

  /** Runs one command: what was wrong with its answer, or null. */
  step(command: Command): string | null {
    const { w, lines } = this;
    switch (command.do) {
      case "grant":
        return this.#grant(command);
      case "map":
        return this.#map(command);
      case "advance":
        lines.push(`w.advance(${command.ms});`);
        w.advance(command.ms);
        return null;
      case "close":
        if (this.closed[command.process]) return null;
        this.closed[command.process] = true;
        lines.push(`fput(p[${command.process}].gntdev.file);`);
        fput(this.processes[command.process]!.gntdev.file);
        return null;
    }
    if (this.mappings.length === 0) return null;
    const mapping = this.mappings[command.mapping % this.mappings.length]!;
    const process = this.processes[mapping.process]!;
    const from = command.from % mapping.pages;
    const address = mapping.start + from * PAGE;
    const at = `p[${mapping.process}]`;
    const where = `${mapping.name} + ${from} * 4096`;
    if (command.do === "read") {
      lines.push(`${at}.read(${where});`);
      return this.#read(process, address);
    }
    const length = Math.min(command.pages, mapping.pages - from) * PAGE;
    switch (command.do) {
      case "munmap":
        lines.push(`${at}.munmap(${where}, ${length});`);
        process.munmap(address, length);
        this.cut.add(mapping);
        return null;
      case "mprotect":
        lines.push(`${at}.mprotect(${where}, ${length}, ${command.prot});`);
        process.mprotect(address, length, command.prot);
        return null;
      default: {
        lines.push(`console.log(String(${at}.${command.do}(${where}, ${length})));`);
        const io = process[command.do](address, length);
        if (this.cut.has(mapping)) this.judgedAfterCut += io.pages.length;
        return io.pages.every(({ verdict }) => verdict === "ok") ? null : String(io);
      }
    }
  }

  #grant({ pages, beyond, readonly }: Command & { do: "grant" }): string | null {
    const half = beyond ? 1 : 0;
    const first = this.next[half]!;
    if (first + pages > (half + 1) * PROPERTY_HOST.guestFrames / 2) return null;
    this.next[half] = first + pages;
    const pfns = Array.from({ length: pages }, (_, i) => first + i);
    this.lines.push(
      `const g${this.grants.length} = w.guest.grant(${JSON.stringify(pfns)}, { readonly: ${readonly} });`,
    );
    this.grants.push(this.w.guest.grant(pfns, { readonly }));
    return null;
  }

  #map({ process, grant }: Command & { do: "map" }): string | null {
    if (this.grants.length === 0 || this.closed[process]) return null;
    const which = grant % this.grants.length;
    const grants = this.grants[which]!;
    if (grants.refs.length > this.w.kernel.frameSource.nrFree) return null;
    const name = `m${this.mappings.length}`;
    this.lines.push(`const ${name} = p[${process}].mmapGrants(g${which}).start;`);
    const mapped = this.processes[process]!.tryMmapGrants(grants);
    if (!mapped.ok) return `mmapGrants answers ${mapped.errno}`;
    this.mappings.push({ process, name, start: mapped.value.start, pages: grants.refs.length });
    return null;
  }

  /** A program's byte is that of the frame the reference names; where there is none or no right, it gets a signal. */
  #read(process: Process, address: number): string | null {
    const page = process.reference.at(address);
    const result = process.read(address);
    const expected = page === undefined ? "a signal" : this.w.hv.mem.read8(page.frame * PAGE as never);
    const got = result.ok ? result.value : "a signal";
    return got === expected ? null : `read of 0x${address.toString(16)} answers ${got}, must be ${expected}`;
  }

  /** Ends everything: what is left, or null. */
  end(): string | null {
    const { w } = this;
    const free = PROPERTY_HOST.ballooned;
    this.processes.forEach((process, i) => {
      this.lines.push(`p[${i}].munmap(0, 2 ** 47 - 4096);`);
      process.munmap(0, 2 ** 47 - PAGE);
      if (!this.closed[i]) fput(process.gntdev.file);
      exitMmap(process.mm);
    });
    const left = w.guest.domain.grantTable.pin.filter((pin) => pin !== 0).length;
    if (left > 0) return `${left} grants are still pinned at the end`;
    for (const { refs } of this.grants) {
      for (const ref of refs) {
        const { flags } = readGrantEntry(w.guest.domain, ref);
        if ((flags & 0x18) !== 0) return `entry ${ref} is still in use at the end: 0x${flags.toString(16)}`;
      }
    }
    if (w.kernel.frameSource.nrFree !== free) return `${free - w.kernel.frameSource.nrFree} pages are lost`;
    if (w.kernel.work.pending > 0) {
      return `${w.kernel.work.pending} unmaps wait, although nobody holds a page`;
    }
    const xen = validateXen(w.hv);
    return xen.length > 0 ? xen[0]!.what : null;
  }
}

/** A broken rule of either layer, or null. */
function violation({ w, processes }: Runner): string | null {
  const xen = validateXen(w.hv);
  if (xen.length > 0) return `${xen[0]!.rule}: ${xen[0]!.what}`;
  for (const { mm, name } of processes) {
    const found = validateMm(mm);
    if (found.length > 0) return `process ${name}: ${found[0]}`;
  }
  const { log } = w.kernel.system;
  if (log.length > 0) return `kernel log: ${log[0]!.text}`;
  if (w.hv.leaks.length > 0) return `leaked pin of grant ${w.hv.leaks[0]!.ref}`;
  let pins = 0;
  for (const pin of w.guest.domain.grantTable.pin) {
    const { hstw, hstr, devw, devr } = describePin(pin);
    pins += hstw + hstr + devw + devr;
  }
  const { live } = w.dom0.maptrack;
  return pins === live ? null : `${pins} pins and ${live} live handles`;
}
