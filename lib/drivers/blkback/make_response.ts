/**
 * Answering a request.
 *
 * @cite linux 6.1 drivers/block/xen-blkback/blkback.c make_response
 * @module
 */

import { BLKIF_RSP_EOPNOTSUPP, BLKIF_RSP_OKAY, writeResponse } from "../blkif/blkif.ts";
import type { XenBlkifRing } from "./xen_blkif.ts";

/** Puts a response in the ring; tells the front end if it asked for that. */
export function makeResponse(
  ring: XenBlkifRing,
  { idLo, idHi }: { readonly idLo: number; readonly idHi: number },
  operation: number,
  status: number,
): void {
  const { ring: back, stats } = ring;
  if (status === BLKIF_RSP_OKAY) stats.okay++;
  else if (status === BLKIF_RSP_EOPNOTSUPP) stats.eopnotsupp++;
  else stats.error++;
  writeResponse(back.shared, back.shared.slot(back.rspProdPvt), { idLo, idHi, operation, status });
  back.rspProdPvt = back.rspProdPvt + 1 >>> 0;
  if (back.pushResponses()) ring.blkif.kernel.evtchn.notify(ring.port);
}
