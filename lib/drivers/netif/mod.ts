/**
 * The network interface between front end and back end.
 *
 * @module
 */

export * from "./netif.ts";
