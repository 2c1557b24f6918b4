/**
 * Installs the notebook kernel for this user (`deno task kernel:install`) or removes it (`deno task kernel:uninstall`).
 *
 * @module
 */

import { GOLDEN_SCRIPT_FILES } from "../lib/conform/diff/golden_scripts.ts";
import { installKernel, type KernelParts, uninstallKernel } from "../lib/jupyter/kernel_install.ts";

const ROOT = decodeURIComponent(new URL("..", import.meta.url).pathname).replace(/\/$/, "");

const PARTS: KernelParts = {
  os: Deno.build.os,
  variable: (name) => Deno.env.get(name),
  project: Deno.build.os === "windows" ? ROOT.slice(1).replaceAll("/", "\\") : ROOT,
  sources: ["lib", "mod.ts", "scripts/kernel.ts", "LICENSE", "THIRD_PARTY_NOTICES", ...GOLDEN_SCRIPT_FILES],
  main: "scripts/kernel.ts",
  deno: Deno.execPath(),
};

async function main([wish, ...more]: readonly string[]): Promise<number> {
  if (more.length > 0 || wish !== undefined && wish !== "--uninstall") {
    console.error("Usage: deno task kernel:install, deno task kernel:uninstall");
    return 2;
  }
  try {
    if (wish === undefined) {
      console.log(`kernel installed in ${await installKernel(PARTS)}`);
    } else {
      const folder = await uninstallKernel(PARTS);
      console.log(folder === undefined ? "no kernel was installed" : `kernel removed from ${folder}`);
    }
    return 0;
  } catch (error) {
    console.error((error as Error).message);
    return 1;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
