/**
 * `diff("linux6_1", "linux7_2")`: which calls behave otherwise, and by which rule.
 *
 * @module
 */

import { Shown, viewOf } from "../../core/shown.ts";
import { wholeNumber, wrongType } from "../../core/misuse.ts";
import { knownOptions } from "../../core/options.ts";
import { drawing, tableBlock, type View, type ViewBlock, viewHtml } from "../../core/view.ts";
import { htmlView } from "../../core/views.ts";
import { type Machine, machineOf, RECORDED_ON, type Releases, releasesOfPath } from "../machine.ts";
import { openInput } from "../read.ts";
import { goldenScripts } from "./golden_scripts.ts";
import { type Differences, differencesBetween, type RuleEffect } from "./release_diff.ts";
import { type Script, scriptsOf } from "./script.ts";

/** How {@linkcode diff} is made. */
export interface DiffOptions {
  /** Files of recorded sequences or cases whose calls are replayed; default: the golden data of the project. */
  readonly paths?: readonly string[];
  /** Calls shown for each rule; default 1. */
  readonly calls?: number;
}

const KNOWN: Readonly<Record<keyof DiffOptions, true>> = { paths: true, calls: true };

/** Two releases side by side. */
export class ReleaseDiff extends Shown implements Differences {
  readonly effects: Differences["effects"];
  readonly unseen: Differences["unseen"];
  readonly together: Differences["together"];
  readonly nrScripts: number;
  readonly nrParted: number;
  readonly nrCalls: number;

  constructor(
    readonly first: string,
    readonly second: string,
    found: Differences,
    readonly shownCalls: number,
  ) {
    super();
    ({
      effects: this.effects,
      unseen: this.unseen,
      together: this.together,
      nrScripts: this.nrScripts,
      nrParted: this.nrParted,
      nrCalls: this.nrCalls,
    } = found);
  }

  override [viewOf](): View {
    return this.#view(this.effects.map((effect, i) => drawing(["", ...this.#details(effect, i + 1)])));
  }

  /** A page has room for tables. */
  override [htmlView](): string {
    return viewHtml(this.#view(this.effects.map((effect, i) => this.#detailTable(effect, i + 1))));
  }

  #view(details: readonly ViewBlock[]): View {
    const { first, second, effects, nrScripts, nrParted, nrCalls } = this;
    const changed = effects.reduce((n, { calls }) => n + calls.length, 0);
    const line = `${first} -> ${second}: ${effects.length} rules change ${changed} of ${nrCalls} calls; ` +
      `${nrParted} of ${nrScripts} scripts part`;
    const right = (header: string) => ({ header, right: true }) as const;
    return {
      line,
      blocks: [
        tableBlock(
          [right(""), right("scripts"), right("calls"), "holds in", "rule"],
          effects.map(({ rule, calls, nrScripts }, i) => [
            String(i + 1),
            String(nrScripts),
            String(calls.length),
            this.#nameOf(rule.holdsIn),
            rule.rule,
          ]),
        ),
        ...details,
        ...this.#remarks(),
      ],
    };
  }

  #nameOf(side: "first" | "second"): string {
    return side === "first" ? this.first : this.second;
  }

  #details({ rule, calls }: RuleEffect, number: number): string[] {
    const head = wrapped(`${number}. ${rule.rule} (${this.#nameOf(rule.holdsIn)})`, "   ");
    const cited = [rule.cite, ...(rule.commit === undefined ? [] : [rule.commit])];
    const width = Math.max(this.first.length, this.second.length);
    return [
      ...head,
      ...cited.flatMap((cite) => wrapped(`   ${cite}`, "     ")),
      ...calls.slice(0, this.shownCalls).flatMap(({ script, step, call, first, second }) => [
        ...wrapped(`   ${script}, step ${step}: ${call}`, "     "),
        ...wrapped(`     ${this.first.padEnd(width)}  ${first}`, " ".repeat(width + 7)),
        ...wrapped(`     ${this.second.padEnd(width)}  ${second}`, " ".repeat(width + 7)),
      ]),
    ];
  }

  #detailTable({ rule, calls }: RuleEffect, number: number): ViewBlock {
    const cited = rule.commit === undefined ? rule.cite : `${rule.cite}; ${rule.commit}`;
    return tableBlock(
      ["script", "call", this.first, this.second],
      calls.map(({ script, step, call, first, second }) => [`${script}, step ${step}`, call, first, second]),
      {
        limit: this.shownCalls,
        caption: `${number}. ${rule.rule} (${this.#nameOf(rule.holdsIn)}; ${cited})`,
      },
    );
  }

  #remarks() {
    const lines: string[] = [];
    if (this.together.length > 0) {
      lines.push("", ...wrapped(`Only several rules together part: ${this.together.join(", ")}`, "  "));
    }
    if (this.unseen.length > 0) {
      lines.push("", "No call of these scripts shows:");
      for (const { rule, holdsIn } of this.unseen) {
        lines.push(...wrapped(`  ${rule} (${this.#nameOf(holdsIn)})`, "    "));
      }
    }
    return lines.length === 0 ? [] : [drawing(lines)];
  }
}

/**
 * Replays recorded calls on two releases and tells, rule by rule, which come out otherwise. A name is that of a kernel
 * (on Xen 4.17), of a hypervisor (under Linux 6.1), or of both: `linux6_1-xen4_14`. Takes some seconds.
 *
 * @throws {RangeError} for an unknown name; near names are suggested
 * @throws {BadInput} if a path cannot be read
 *
 * @example
 * ```ts
 * import { diff } from "grantlab";
 * const found = await diff("linux6_1", "linux6_12", { paths: ["tests/golden/vma-scripted.jsonl.gz"] });
 * const marks = found.effects.flatMap(({ rule }) => rule.rule.includes("accounted") ? [rule.cite] : []);
 * if (marks.length !== 1) throw new Error(String(found));
 * ```
 */
export async function diff(first: string, second: string, options: DiffOptions = {}): Promise<ReleaseDiff> {
  knownOptions("diff()", options, KNOWN);
  const { paths, calls = 1 } = options;
  wholeNumber("show calls of a rule, of number", calls, 0, 1000);
  if (paths !== undefined && !Array.isArray(paths)) {
    throw wrongType("replay the files", paths, "it must be a list of paths");
  }
  const [one, other] = [releasesNamed(first), releasesNamed(second)];
  const machines = [hostOf(one), hostOf(other)] as const;
  const scripts = paths === undefined
    ? await goldenScripts([one.kernel, other.kernel])
    : await scriptsIn(paths);
  return new ReleaseDiff(first, second, differencesBetween(...machines, scripts), calls);
}

function releasesNamed(name: string): Releases {
  if (typeof name !== "string") {
    throw wrongType("compare the release", name, "it must be the name of a flavour");
  }
  return releasesOfPath(name) ??
    (name.startsWith("xen") ? { ...RECORDED_ON, xen: name } : { ...RECORDED_ON, kernel: name });
}

function hostOf(releases: Releases): Machine {
  return machineOf("", releases);
}

async function scriptsIn(paths: readonly string[]): Promise<Script[]> {
  const scripts: Script[] = [];
  for (const path of paths) {
    const label = path.split("/").at(-1)!.replace(/\.jsonl(\.gz)?$/, "");
    scripts.push(...await scriptsOf(await openInput(path), label));
  }
  return scripts;
}

const COLUMNS = 78;

/** Lines of at most so many columns, broken at spaces; all but the first begin with `indent`. */
function wrapped(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/(?<=\S) /)) {
    if (line === "") line = word;
    else if (line.length + 1 + word.length <= COLUMNS) line += ` ${word}`;
    else {
      lines.push(line);
      line = indent + word.trimStart();
    }
  }
  return [...lines, line];
}
