/**
 * `grantlab kernel install`: installs the notebook kernel for this user.
 *
 * @module
 */

import { object } from "@optique/core/constructs";
import { kernelParts, kernelRights } from "../kernel_parts.ts";
import { jsonFlag } from "../names.ts";
import { Progress } from "../progress.ts";
import { EXIT, type Subcommand, subcommand } from "../subcommand.ts";

/** The subcommand. */
export const command: Subcommand = subcommand({
  brief: "install the notebook kernel for this user",
  asks: "reading the project and Deno, writing Jupyter's data folder, five variables that say where that is",
  parser: object({ json: jsonFlag }),
  rights: (_, place) => kernelRights(place),
  async run({ json }, place) {
    const { installKernel } = await import("../../jupyter/kernel_install.ts");
    const progress = new Progress(1);
    progress.at(0, "copying Deno, the library and its packages");
    try {
      const folder = await installKernel(kernelParts(place));
      progress.clear();
      console.log(json ? JSON.stringify({ installed: folder }) : `kernel installed in ${folder}`);
      return EXIT.ok;
    } catch (error) {
      progress.clear();
      console.error((error as Error).message);
      return EXIT.failed;
    }
  },
});
