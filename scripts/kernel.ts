/**
 * The notebook kernel as a process: `deno run -A scripts/kernel.ts CONNECTION_FILE [--types] [FLAG…]`. Jupyter
 * starts it by the `kernel.json` that `grantlab kernel install` writes. With `--types` cells are type-checked. The flags are the rights of the cells, as `deno run` takes
 * them; without any they have all.
 *
 * @module
 */

import { parseConnectionInfo } from "../lib/jupyter/connection_file.ts";
import { Kernel } from "../lib/jupyter/kernel.ts";
import { parentGone } from "../lib/jupyter/parent_watch.ts";
import { kernelLanguage } from "../lib/repl/kernel_language.ts";

const BANNER = "grantlab: Xen grant mapping, Linux mm and the x86-64 MMU as an executable model";

async function main([file, ...flags]: readonly string[]): Promise<number> {
  const types = flags[0] === "--types";
  const permissions = flags.slice(types ? 1 : 0);
  if (file === undefined) {
    console.error("Cannot start the kernel: it needs the path of a connection file");
    return 2;
  }
  let kernel: Kernel;
  try {
    kernel = new Kernel({
      connection: parseConnectionInfo(await Deno.readTextFile(file)),
      open: (output) =>
        kernelLanguage({
          preamble: { module: new URL("../mod.ts", import.meta.url).href, setup: [] },
          banner: BANNER,
          output,
          types,
          ...permissions.length === 0 ? {} : { permissions },
        }),
      onComplaint: (complaint) => console.error(complaint),
    });
  } catch (error) {
    console.error((error as Error).message);
    return 2;
  }
  Deno.addSignalListener("SIGINT", () => void kernel.interrupt());
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", () => void kernel.end());
  void parentGone().then(() => kernel.end());
  await kernel.finished;
  return 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
