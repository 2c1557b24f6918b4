/**
 * Real data in: what a running system prints, as rows. Nothing here knows the model of Xen.
 *
 * @module
 */

export * from "./grant_dump.ts";
