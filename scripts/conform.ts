/**
 * Replays golden data: `deno task conform [--show N] PATH…`.
 *
 * One line a path, `path: N passed, M failed, K advisory (format)`, the first differences indented below it; the last
 * line is `TOTAL: …`. Errors and notes go to stderr. Exit code 0 if nothing failed, 1 if something did, 2 if a path
 * could not be read or understood.
 *
 * @module
 */

import { merge, object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { multiple, optional, withDefault } from "@optique/core/modifiers";
import { argument, option } from "@optique/core/primitives";
import { integer, string } from "@optique/core/valueparser";
import { run } from "@optique/run";
import { kernelFlavour } from "../lib/linux/kernel.ts";
import { xenFlavour } from "../lib/xen/flavours.ts";
import { BadInput, openInput, replayInput, type ReplayOptions, type Report } from "../lib/conform/mod.ts";

const commandLine = merge(
  object({
    show: withDefault(
      option("--show", integer({ metavar: "N", min: 0 }), {
        description: message`How many differences to show for each path.`,
      }),
      3,
    ),
    kernel: optional(option("--kernel", string({ metavar: "NAME" }), {
      description: message`Kernel flavour to replay on, where the data does not say.`,
    })),
    xen: optional(option("--xen", string({ metavar: "NAME" }), {
      description: message`Hypervisor flavour to replay on, where the data does not say.`,
    })),
  }),
  object({
    paths: multiple(argument(string({ metavar: "PATH" })), { min: 1 }),
  }),
);

async function main(): Promise<number> {
  const { show, kernel, xen, paths } = run(commandLine, {
    programName: "conform",
    args: Deno.args,
    help: "option",
    errorExitCode: 2,
    brief: message`Replay golden data and compare.`,
  });
  try {
    if (kernel !== undefined) kernelFlavour(kernel);
    if (xen !== undefined) xenFlavour(xen);
  } catch (e) {
    if (!isExpected(e)) throw e;
    console.error(`error: ${e.message}`);
    return 2;
  }
  const options: ReplayOptions = {
    ...(kernel === undefined ? {} : { kernel }),
    ...(xen === undefined ? {} : { xen }),
  };
  const total = { passed: 0, failed: 0, advisory: 0 };
  let isUnreadable = false;
  for (const path of paths) {
    try {
      const { format, report } = await replayInput(await openInput(path), options, show);
      print(path, format.name, report);
      total.passed += report.passed;
      total.failed += report.failed;
      total.advisory += report.advisory;
    } catch (e) {
      if (!isExpected(e)) throw e;
      console.error(`error: ${e.message}`);
      isUnreadable = true;
    }
  }
  console.log(`TOTAL: ${counts(total)}`);
  return isUnreadable ? 2 : total.failed > 0 ? 1 : 0;
}

/** Bad data, or a wish that the model refuses by name; anything else is a defect of ours and keeps its trace. */
function isExpected(e: unknown): e is Error {
  return e instanceof BadInput || e instanceof RangeError;
}

function print(path: string, format: string, report: Report): void {
  console.log(`${path}: ${counts(report)} (${format})`);
  for (const criterion of report.criteria) console.log(`  ${criterion}`);
  for (const { where, expected, got } of report.differences) {
    console.log(`  ${where}: expected ${expected}, got ${got}`);
  }
  for (const note of report.notes) console.error(`${path}: ${note}`);
}

function counts({ passed, failed, advisory }: Pick<Report, "passed" | "failed" | "advisory">): string {
  return `${passed} passed, ${failed} failed, ${advisory} advisory`;
}

if (import.meta.main) Deno.exit(await main());
