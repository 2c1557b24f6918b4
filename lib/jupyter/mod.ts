/**
 * Jupyter's wire protocol in both directions: a kernel (`kernel.ts`) that hands cells to whatever runs them
 * (`language.ts`), a client that runs notebooks without Python (`kernel_client.ts`, `run_notebook.ts`), and the
 * installation of a kernel. Start with `README.md`.
 *
 * @module
 */

export * from "./check_types.ts";
export * from "./connection_file.ts";
export * from "./data_folder.ts";
export * from "./kernel.ts";
export * from "./kernel_client.ts";
export * from "./kernel_install.ts";
export * from "./language.ts";
export * from "./message.ts";
export {
  type Cell,
  formatNotebook,
  type Lines,
  type Notebook,
  parseNotebook,
  wholeText,
} from "./notebook.ts";
export * from "./parent_watch.ts";
export * from "./run_notebook.ts";
