/**
 * The command `grantlab`. Start with `subcommands.ts`, the table; a subcommand is a file and a line there.
 *
 * @module
 */

export * from "./cross_reference.ts";
export * from "./grantlab.ts";
export * from "./imported.ts";
export * from "./meanings.ts";
export * from "./paths.ts";
export * from "./progress.ts";
export * from "./rights.ts";
export * from "./subcommand.ts";
export * from "./subcommands.ts";
