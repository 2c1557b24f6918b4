/**
 * The network interface: numbers of its public header, and the bytes of requests and responses.
 *
 * ```text
 * transmit request      response        receive request   response
 *  0 u32 gref           0 u16 id        0 u16 id          0 u16 id
 *  4 u16 offset         2 s16 status    4 u32 gref        2 u16 offset
 *  6 u16 flags                                            4 u16 flags
 *  8 u16 id                                               6 s16 status: bytes, or an error
 * 10 u16 size: of the whole packet in the first slot, of the slot in the others
 * ```
 *
 * Left out: extra info slots (GSO, multicast, hash), which here are a fatal error as any that a back end does not know.
 *
 * @cite xen 4.17 xen/include/public/io/netif.h netif_tx_request
 * @module
 */

import type { SharedRing } from "../ring/shared_ring.ts";

/** Flags of a transmit request. */
export const XEN_NETTXF_csum_blank = 1;
export const XEN_NETTXF_data_validated = 2;
export const XEN_NETTXF_more_data = 4;
export const XEN_NETTXF_extra_info = 8;

/** Flag of a receive response: the packet goes on in the next slot. */
export const XEN_NETRXF_more_data = 4;

/** Statuses. */
export const XEN_NETIF_RSP_DROPPED = -2;
export const XEN_NETIF_RSP_ERROR = -1;
export const XEN_NETIF_RSP_OKAY = 0;

/** Bytes of a ring entry. */
export const NETIF_TX_ENTRY_BYTES = 12;
export const NETIF_RX_ENTRY_BYTES = 8;

/** Slots that every back end takes for a packet. @cite xen 4.17 xen/include/public/io/netif.h XEN_NETIF_NR_SLOTS_MIN */
export const XEN_NETIF_NR_SLOTS_MIN = 18;

/** One slot of a packet to be sent. */
export interface TxRequest {
  gref: number;
  offset: number;
  flags: number;
  id: number;
  size: number;
}

/** Copies the request of a slot. */
export function readTxRequest(ring: SharedRing, at: number): TxRequest {
  return {
    gref: ring.read32(at) >>> 0,
    offset: ring.read16(at + 4),
    flags: ring.read16(at + 6),
    id: ring.read16(at + 8),
    size: ring.read16(at + 10),
  };
}

/** Writes a request into a slot. */
export function writeTxRequest(ring: SharedRing, at: number, request: TxRequest): void {
  ring.write32(at, request.gref);
  ring.write16(at + 4, request.offset);
  ring.write16(at + 6, request.flags);
  ring.write16(at + 8, request.id);
  ring.write16(at + 10, request.size);
}

/** The answer to a transmit request. */
export interface TxResponse {
  readonly id: number;
  readonly status: number;
}

/** Reads it. */
export function readTxResponse(ring: SharedRing, at: number): TxResponse {
  return { id: ring.read16(at), status: ring.read16(at + 2) << 16 >> 16 };
}

/** Writes it. */
export function writeTxResponse(ring: SharedRing, at: number, { id, status }: TxResponse): void {
  ring.write16(at, id);
  ring.write16(at + 2, status);
}

/** A page that a packet may be put into. */
export interface RxRequest {
  readonly id: number;
  readonly gref: number;
}

/** Reads it. */
export function readRxRequest(ring: SharedRing, at: number): RxRequest {
  return { id: ring.read16(at), gref: ring.read32(at + 4) >>> 0 };
}

/** Writes it. */
export function writeRxRequest(ring: SharedRing, at: number, { id, gref }: RxRequest): void {
  ring.write16(at, id);
  ring.write32(at + 4, gref);
}

/** What was put there. */
export interface RxResponse {
  readonly id: number;
  readonly offset: number;
  readonly flags: number;
  /** Bytes, or a status below 0. */
  readonly status: number;
}

/** Reads it. */
export function readRxResponse(ring: SharedRing, at: number): RxResponse {
  return {
    id: ring.read16(at),
    offset: ring.read16(at + 2),
    flags: ring.read16(at + 4),
    status: ring.read16(at + 6) << 16 >> 16,
  };
}

/** Writes it. */
export function writeRxResponse(ring: SharedRing, at: number, response: RxResponse): void {
  ring.write16(at, response.id);
  ring.write16(at + 2, response.offset);
  ring.write16(at + 4, response.flags);
  ring.write16(at + 6, response.status);
}
