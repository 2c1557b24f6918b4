/**
 * Options that `notebook run` and `notebook check` share.
 *
 * @module
 */

import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { multiple, withDefault } from "@optique/core/modifiers";
import type { Parser } from "@optique/core/parser";
import { argument, flag } from "@optique/core/primitives";
import { path } from "@optique/run/valueparser";
import { jsonFlag } from "./names.ts";
import type { NotebookWish } from "./notebooks.ts";
import type { Rights } from "./rights.ts";

/** Files, `--json`, `-A`. */
export const notebookParser: Parser<"sync", NotebookWish, unknown> = object({
  json: jsonFlag,
  all: withDefault(
    flag("-A", "--allow-all", {
      description: message`Cells may do everything; without it they read, and write their own folder.`,
    }),
    false,
  ),
  files: multiple(argument(path({ metavar: "FILE" }), {
    description: message`A notebook; all of the project's folder notebooks if none is given.`,
  })),
});

/** Of the process that runs notebooks: files of the connection, the kernel's process and its sockets. */
export const NOTEBOOK_RIGHTS: Rights = Object.freeze({
  read: true,
  write: true,
  run: true,
  net: ["127.0.0.1"],
});
