/**
 * A block back end as a program. Start with `serve.ts`.
 *
 * @module
 */

export * from "./serve.ts";
export * from "./user_blkback.ts";
