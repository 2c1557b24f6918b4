/**
 * Parsers of names that people mistype: flavours and experiments. An unknown name is refused with the nearest ones;
 * shells complete them.
 *
 * @module
 */

import { message, text } from "@optique/core/message";
import { optional, withDefault } from "@optique/core/modifiers";
import type { Parser } from "@optique/core/parser";
import { flag, option } from "@optique/core/primitives";
import { choice, type ValueParser } from "@optique/core/valueparser";
import { lookUp } from "../core/nearest.ts";
import { EXPERIMENTS as COUNTING } from "../experiments/catalogue.ts";
import { VERDICT_EXPERIMENTS as JUDGED } from "../experiments/compare.ts";
import { KERNEL_FLAVOURS } from "../linux/kernel.ts";
import { XEN_FLAVOURS } from "../xen/flavours.ts";

const KINDS = { KERNEL: "kernel flavour", XEN: "xen flavour", EXPERIMENT: "experiment" } as const;

/** One of the names of a table; a wrong one is refused in a line, with near ones. */
export function nameOf(metavar: keyof typeof KINDS, table: object): ValueParser<"sync", string> {
  const invalidChoice = (name: string) => {
    try {
      lookUp(KINDS[metavar], table as Record<string, unknown>, name);
    } catch (error) {
      return message`${text((error as Error).message)}`;
    }
    return message`${text(name)}`;
  };
  return choice(Object.keys(table), { metavar, errors: { invalidChoice } });
}

/** A kernel flavour: `linux6_1`. */
export const kernelName: ValueParser<"sync", string> = nameOf("KERNEL", KERNEL_FLAVOURS);

/** A hypervisor flavour: `xen4_17`. */
export const xenName: ValueParser<"sync", string> = nameOf("XEN", XEN_FLAVOURS);

/** An experiment: `split_then_pin`, or one that counts. */
export const experimentName: ValueParser<"sync", string> = nameOf("EXPERIMENT", { ...JUDGED, ...COUNTING });

/** An experiment that counts over axes: `flush_batching`. */
export const countingName: ValueParser<"sync", string> = nameOf("EXPERIMENT", COUNTING);

/** `--kernel KERNEL`. */
export const kernelOption: Parser<"sync", string | undefined, unknown> = optional(
  option("--kernel", kernelName, { description: message`Kernel flavour.` }),
);

/** `--xen XEN`. */
export const xenOption: Parser<"sync", string | undefined, unknown> = optional(
  option("--xen", xenName, { description: message`Hypervisor flavour.` }),
);

/** `--json`. */
export const jsonFlag: Parser<"sync", boolean, unknown> = withDefault(
  flag("--json", { description: message`One JSON value on stdout, nothing else there.` }),
  false,
);
