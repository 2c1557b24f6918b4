/**
 * `grantlab notebook run [FILE…]`: run notebooks and write their outputs into them. Exit code 1 if anything is wrong with any of them.
 *
 * @module
 */

import { NOTEBOOK_RIGHTS, notebookParser } from "../notebook_options.ts";
import { type Subcommand, subcommand } from "../subcommand.ts";

/** The subcommand. */
export const command: Subcommand = subcommand({
  brief: "run notebooks and write their outputs into them",
  asks: "files, processes and 127.0.0.1, for Jupyter's protocol; cells read, and write their own folder only",
  parser: notebookParser,
  rights: () => NOTEBOOK_RIGHTS,
  async run(wish, place) {
    const { runNotebooks } = await import("../notebooks.ts");
    return await runNotebooks(wish, false, place);
  },
});
