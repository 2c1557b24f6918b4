/**
 * What the installed kernel is made of, and the rights that installing asks for.
 *
 * @module
 */

import { GOLDEN_SCRIPT_FILES } from "../conform/diff/golden_scripts.ts";
import { joinPath, jupyterDataFolder } from "../jupyter/data_folder.ts";
import type { KernelParts } from "../jupyter/kernel_install.ts";
import { pathOf } from "./paths.ts";
import type { Rights } from "./rights.ts";
import type { Place } from "./subcommand.ts";

/** Variables that say where Jupyter's kernels are. */
export const KERNEL_VARIABLES: readonly string[] = Object.freeze([
  "JUPYTER_DATA_DIR",
  "XDG_DATA_HOME",
  "HOME",
  "APPDATA",
  "USERPROFILE",
]);

/**
 * The parts, out of a checkout.
 *
 * @throws {RangeError} if the library does not stand in a folder
 */
export function kernelParts({ project, os, variable }: Place): KernelParts {
  if (project.protocol !== "file:") {
    throw new RangeError(`Cannot install the kernel from ${project.href}: it needs a folder of the project`);
  }
  return {
    os,
    variable,
    project: pathOf(project),
    sources: ["lib", "mod.ts", "scripts/kernel.ts", "LICENSE", "THIRD_PARTY_NOTICES", ...GOLDEN_SCRIPT_FILES],
    main: "scripts/kernel.ts",
    deno: Deno.execPath(),
  };
}

/** To read the project and Deno, to write among Jupyter's kernels. */
export function kernelRights(place: Place): Rights {
  const { project, deno, os } = kernelParts(place);
  const kernels = joinPath(os, jupyterDataFolder(place), "kernels");
  return { read: [project, deno, kernels], write: [jupyterDataFolder(place)], env: KERNEL_VARIABLES };
}
