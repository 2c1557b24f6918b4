/**
 * `grantlab kernel uninstall`: removes the notebook kernel of this user.
 *
 * @module
 */

import { object } from "@optique/core/constructs";
import { kernelParts, kernelRights } from "../kernel_parts.ts";
import { jsonFlag } from "../names.ts";
import { EXIT, type Subcommand, subcommand } from "../subcommand.ts";

/** The subcommand. */
export const command: Subcommand = subcommand({
  brief: "remove the notebook kernel",
  asks: "what installing it asks for",
  parser: object({ json: jsonFlag }),
  rights: (_, place) => kernelRights(place),
  async run({ json }, place) {
    const { uninstallKernel } = await import("../../jupyter/kernel_install.ts");
    try {
      const folder = await uninstallKernel(kernelParts(place));
      if (json) console.log(JSON.stringify({ removed: folder ?? null }));
      else console.log(folder === undefined ? "no kernel was installed" : `kernel removed from ${folder}`);
      return EXIT.ok;
    } catch (error) {
      console.error((error as Error).message);
      return EXIT.failed;
    }
  },
});
