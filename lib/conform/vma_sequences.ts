/**
 * Replays recorded sequences of memory calls, each in a process of its own. After a step that comes out otherwise the
 * rest of its sequence counts as failed: it would start from a state that was not recorded.
 *
 * @module
 */

import { nativeLinux } from "../linux/mm/native.ts";
import { arrayField, numberField, stringField, stringsField } from "./fields.ts";
import { BadInput, type Format, type Head, numberedRows, type Row } from "./format.ts";
import { machineOf, nativeFlavour } from "./machine.ts";
import type { Report } from "./report.ts";
import { type StepOutcome, VmaWorld } from "./vma_world.ts";

/** The format. */
export const vmaSequences: Format = {
  name: "vma-sequences",
  detect: (head: Head) => head.rows.length > 0 && head.rows.every(isStep),
  async replay(input, report, options) {
    const linux = nativeLinux({ flavour: nativeFlavour(machineOf(input.path, options).kernel) });
    let world: VmaWorld | null = null;
    let sequence = "";
    let hasFailed = false;
    for await (const { row, where } of numberedRows(input)) {
      const name = stringField(row, "seq", where);
      if (world === null || name !== sequence) {
        world?.end();
        world = new VmaWorld(linux);
        sequence = name;
        hasFailed = false;
      }
      if (hasFailed) {
        report.fail(`${name} step ${row.i}`, "the recorded step", "an earlier step of the sequence failed");
      } else hasFailed = !replayStep(world, row, where, report);
    }
    world?.end();
  },
};

function isStep(row: Row): boolean {
  return typeof row.seq === "string" && Array.isArray(row.op) && Array.isArray(row.vmas);
}

function replayStep(world: VmaWorld, row: Row, where: string, report: Report): boolean {
  const op = stringsField(row, "op", where);
  const i = numberField(row, "i", where);
  const label = `${row.seq} step ${i}: ${op.join(" ")}`;
  let got: string;
  try {
    const outcome = world.run({ op, i, where });
    got = outcome === undefined ? `operation ${op[0]} has no model yet` : show(outcome, world.vmas());
  } catch (e) {
    // A crash of the model, or a refusal of a wish beyond its budgets, is a difference; a malformed line is not.
    if (e instanceof BadInput || !(e instanceof Error)) throw e;
    world.isLost = true;
    got = e.message;
  }
  const expected = show(recorded(row, where), arrayField(row, "vmas", where));
  report.compare(label, expected, got);
  return expected === got;
}

function recorded(row: Row, where: string): StepOutcome {
  return {
    ret: row.ret as StepOutcome["ret"],
    errno: stringField(row, "errno", where),
    ...(row.sig !== undefined &&
      { sig: stringField(row, "sig", where), code: numberField(row, "code", where) }),
    ...(row.vec !== undefined && { vec: stringField(row, "vec", where) }),
  };
}

function show({ ret, errno, sig, code, vec }: StepOutcome, vmas: readonly unknown[]): string {
  const signal = sig === undefined ? "" : ` ${sig}/${code}`;
  const resident = vec === undefined ? "" : ` vec ${vec}`;
  return `${JSON.stringify(ret)} ${errno}${signal}${resident} ${JSON.stringify(vmas)}`;
}
