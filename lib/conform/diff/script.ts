/**
 * The recorded scripts without their outcomes: what was called, to be replayed on any release. What a replay saw is one
 * entry a call, with the state after it.
 *
 * @module
 */

import { exitMmap } from "../../linux/mm/exit.ts";
import { nativeLinux } from "../../linux/mm/native.ts";
import { arrayField, stringField, stringsField } from "../fields.ts";
import { type Input, numberedRows, type Row } from "../format.ts";
import { CaseReplay } from "../grants/case_replay.ts";
import { Step } from "../grants/step.ts";
import { type Machine, nativeFlavour } from "../machine.ts";
import { type StepOutcome, VmaWorld } from "../vma_world.ts";
import type { XenMachine } from "../xen_host.ts";

/** What one call of a replay showed. */
export interface Seen {
  /** The call as people read it. */
  readonly call: string;
  /** What it answered. */
  readonly answer: string;
  /** What there is afterwards, part by part: VMAs, grant entries. */
  readonly state: readonly string[];
}

/** A script. */
export interface Script {
  /** `vma-scripted mlock-split`. */
  readonly name: string;
  /** All inputs as text: two scripts of the same calls are the same script. */
  readonly calls: string;
  /** Replays it on a host of its own. */
  run(machine: Machine): readonly Seen[];
}

/** Scripts of an input of VMA sequences or grant cases; other data holds none. @throws {BadInput} if a row is malformed */
export async function scriptsOf(input: Input, label: string): Promise<Script[]> {
  const groups = new Map<string, { row: Row; where: string }[]>();
  for await (const { row, where } of numberedRows(input)) {
    const name = row.seq === undefined
      ? `${row.case}${row.mode === undefined ? "" : ` ${row.mode}`}`
      : String(row.seq);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [{ row, where }]);
    else group.push({ row, where });
  }
  return [...groups].map(([name, rows]) => {
    const title = `${label} ${name}`;
    return rows[0]!.row.seq === undefined ? grantScript(title, rows) : vmaScript(title, rows);
  });
}

type Rows = readonly { readonly row: Row; readonly where: string }[];

function vmaScript(name: string, rows: Rows): Script {
  const steps = rows.map(({ row, where }, i) => {
    stringField(row, "seq", where);
    return { op: stringsField(row, "op", where), i, where };
  });
  return {
    name,
    calls: JSON.stringify(steps.map(({ op }) => op)),
    run({ kernel }) {
      const world = new VmaWorld(nativeLinux({ flavour: nativeFlavour(kernel) }));
      const seen = steps.map((step) => ({
        call: step.op.join(" "),
        answer: answerOf(world.run(step)),
        state: world.vmas().map(vmaText),
      }));
      exitMmap(world.mm);
      return seen;
    },
  };
}

function answerOf(outcome: StepOutcome | undefined): string {
  if (outcome === undefined) return "not modelled";
  const { ret, errno, sig, code, vec } = outcome;
  if (sig !== undefined) return `${sig}/${code}`;
  return errno === "0" ? `${ret}${vec === undefined ? "" : ` ${vec}`}` : errno;
}

/** A grant case or sequence as a script. */
export function grantScript(name: string, rows: Rows): Script {
  const { machine, mode } = rows[0]!.row;
  const steps = rows.map(({ row, where }) => new Step(row, where));
  return {
    name,
    calls: JSON.stringify([machine, mode, steps.map((step) => [callOf(step), step.input])]),
    run(releases) {
      const replay = new CaseReplay({
        name,
        machine: machine as XenMachine,
        releases,
        isRandom: mode === undefined,
        lateRings: false,
      });
      let state: readonly string[] = [];
      return steps.map((step) => {
        const { got } = replay.step(step);
        if (typeof got === "string") {
          return {
            call: callOf(step),
            answer: got === "" ? answersText(hypercallAnswers(step.row)) : got,
            state,
          };
        }
        const { vmas, gt, kmsg_kinds: messages, ...answers } = got;
        state = [
          ...(vmas === undefined ? [] : arrayField({ vmas }, "vmas", step.where).map(vmaText)),
          ...(gt === undefined ? [] : [`entries ${gt}`]),
        ];
        const kinds = Array.isArray(messages) && messages.length > 0 ? ` (${messages.join(", ")})` : "";
        return { call: callOf(step), answer: answersText(answers) + kinds, state };
      });
    },
  };
}

/** One VMA as a recording has it. */
function vmaText(row: unknown): string {
  const [start, end, perms, offset, file, flags, rss, pages] = row as unknown[];
  return `[${start},${end}) ${perms} ${file}@${offset} ${flags} rss ${rss} ${pages}`;
}

/** A hypercall that came out as recorded. */
function hypercallAnswers({ rc, status }: Row): Readonly<Record<string, unknown>> {
  return { ...(rc !== undefined && { rc }), ...(status !== undefined && { status }) };
}

/** `0`, `EFAULT`, or further outputs by name. */
function answersText({ ret, errno, ...others }: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(others).filter(([, value]) => value !== null).map(([name, value]) =>
    `${name} ${JSON.stringify(value)}`
  );
  if (errno !== undefined && errno !== "0") parts.unshift(String(errno));
  else if (ret !== undefined && ret !== null) parts.unshift(String(ret));
  return parts.join(" ");
}

/** Inputs that tell calls apart, in the order in which they are read. */
const SHOWN = ["at", "pages", "old", "new", "prot", "flags", "dst", "advice", "len"] as const;

function callOf(step: Step): string {
  const parts = SHOWN.flatMap((name) => {
    const value = step.get(name);
    return typeof value === "string" || typeof value === "number" ? [`${name} ${value}`] : [];
  });
  return [step.op, ...parts].join(" ");
}
