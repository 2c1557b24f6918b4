/**
 * Parsers of names that people mistype: flavours and experiments. An unknown name is refused with the nearest ones;
 * shells complete them.
 *
 * @module
 */

import { message } from "@optique/core/message";
import { optional, withDefault } from "@optique/core/modifiers";
import type { Parser } from "@optique/core/parser";
import { flag, option } from "@optique/core/primitives";
import { choice, type ValueParser } from "@optique/core/valueparser";
import { EXPERIMENTS as COUNTING } from "../experiments/catalogue.ts";
import { VERDICT_EXPERIMENTS as JUDGED } from "../experiments/compare.ts";
import { KERNEL_FLAVOURS } from "../linux/kernel.ts";
import { XEN_FLAVOURS } from "../xen/flavours.ts";

/** One of the names of a table. */
export function nameOf(metavar: "KERNEL" | "XEN" | "EXPERIMENT", table: object): ValueParser<"sync", string> {
  return choice(Object.keys(table), { metavar, suggest: "nearest" });
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
