/**
 * The network back end. Start with `tx_build_gops.ts` (from the guest) and `rx_action.ts` (to it).
 *
 * @module
 */

export * from "./connect.ts";
export * from "./rx_action.ts";
export * from "./skb.ts";
export { xenvifPoll, xenvifTxAction } from "./tx_action.ts";
export { xenvifTxDeallocAction } from "./tx_dealloc.ts";
export * from "./validate.ts";
export * from "./xenvif.ts";
