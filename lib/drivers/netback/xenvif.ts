/**
 * What the network back end keeps: an interface per front end, and per queue two rings, the packets that wait, and the
 * slots whose pages are mapped.
 *
 * @cite linux 6.1 drivers/net/xen-netback/common.h xenvif_queue
 * @module
 */

import { Shown, viewOf } from "../../core/shown.ts";
import type { View } from "../../core/view.ts";
import type { XenLinux } from "../../linux/xen/xen_linux.ts";
import type { GnttabCopy } from "../../xen/abi.ts";
import { type TxRequest, XEN_NETIF_NR_SLOTS_MIN } from "../netif/netif.ts";
import type { BackRing } from "../ring/back_ring.ts";
import type { Skb } from "./skb.ts";
import { xenvifQueueView, xenvifView } from "./views/netback_view.ts";

/** Slots in work: as many as the ring has. @cite linux 6.1 drivers/net/xen-netback/common.h MAX_PENDING_REQS */
export const MAX_PENDING_REQS = 256;

/** First bytes of a packet, which are copied. @cite linux 6.1 drivers/net/xen-netback/common.h XEN_NETBACK_TX_COPY_LEN */
export const XEN_NETBACK_TX_COPY_LEN = 128;

/** Copies of one hypercall towards the guest. @cite linux 6.1 drivers/net/xen-netback/common.h COPY_BATCH_SIZE */
export const COPY_BATCH_SIZE = 64;

/** Packets of one run towards the guest. @cite linux 6.1 drivers/net/xen-netback/rx.c RX_BATCH_SIZE */
export const RX_BATCH_SIZE = 64;

/** Slots beyond the first that a packet may have; more are dropped. @cite linux 6.1 drivers/net/xen-netback/netback.c XEN_NETBK_LEGACY_SLOTS_MAX */
export const XEN_NETBK_LEGACY_SLOTS_MAX: number = XEN_NETIF_NR_SLOTS_MIN;

/** Packets of one run from the guest. @cite linux 6.1 include/linux/netdevice.h NAPI_POLL_WEIGHT */
export const NAPI_POLL_WEIGHT = 64;

/** Bytes that a first slot must have. @cite linux 6.1 include/uapi/linux/if_ether.h ETH_HLEN */
export const ETH_HLEN = 14;

/** No handle. @cite linux 6.1 drivers/net/xen-netback/common.h NETBACK_INVALID_HANDLE */
export const NETBACK_INVALID_HANDLE = 0xffff_ffff;

/** Module parameters, in the kernel's words. @cite linux 6.1 drivers/net/xen-netback/netback.c fatal_skb_slots */
export interface NetbackParameters {
  /** Slots beyond the first at which a front end is taken for malicious. */
  readonly fatal_skb_slots: number;
  /** Milliseconds after which a packet that waits for the guest is dropped. */
  readonly rx_drain_timeout_msecs: number;
  /** Queues of an interface: at most 8, or as many as there are CPUs. */
  readonly max_queues: number;
}

/** As Linux sets them. */
export const NETBACK_PARAMETERS: NetbackParameters = Object.freeze({
  fatal_skb_slots: 20,
  rx_drain_timeout_msecs: 10_000,
  max_queues: 8,
});

/** Counters of a queue. */
export interface XenvifStats {
  /** Packets and bytes from the guest. */
  fromGuest: number;
  fromGuestBytes: number;
  /** Packets and bytes to the guest. */
  toGuest: number;
  toGuestBytes: number;
  /** Packets from the guest that were dropped, answered with an error. */
  errors: number;
  /** Packets to the guest given up: too old. */
  expired: number;
  /** Packets with a guest's pages handed on; callbacks because they were free, or were copied. */
  zerocopySent: number;
  zerocopySuccess: number;
  zerocopyFail: number;
  /** Packets with more parts than fit, copied together. */
  fragOverflow: number;
  /** Hypercalls of the unmapping thread, and the most slots of one. */
  deallocRuns: number;
  deallocMost: number;
}

/** One queue. */
export class XenvifQueue extends Shown {
  /** Places of slots in work that are free. */
  readonly pendingRing: number[] = Array.from(
    { length: MAX_PENDING_REQS },
    (_, i) => MAX_PENDING_REQS - 1 - i,
  );
  /** Page at which the slot of each place is mapped. */
  readonly mmapPages: readonly number[];
  readonly grantTxHandle: Float64Array = new Float64Array(MAX_PENDING_REQS).fill(NETBACK_INVALID_HANDLE);
  readonly pendingTx: (TxRequest | null)[] = Array.from({ length: MAX_PENDING_REQS }, () => null);
  /** Places whose pages nobody needs any more, for the unmapping thread. */
  readonly dealloc: number[] = [];
  /** Packets for the guest. */
  readonly rxQueue: Skb[] = [];
  /** Copies towards the guest, collected; which slot each is for. */
  readonly rxCopyOps: GnttabCopy[] = [];
  readonly rxCopySlots: number[] = [];
  readonly rxCompleted: Skb[] = [];
  /** Pages of the rings. */
  readonly ringPages: { readonly page: number; readonly handle: number }[] = [];
  isDeallocScheduled = false;
  readonly stats: XenvifStats = {
    fromGuest: 0,
    fromGuestBytes: 0,
    toGuest: 0,
    toGuestBytes: 0,
    errors: 0,
    expired: 0,
    zerocopySent: 0,
    zerocopySuccess: 0,
    zerocopyFail: 0,
    fragOverflow: 0,
    deallocRuns: 0,
    deallocMost: 0,
  };

  constructor(
    readonly vif: Xenvif,
    readonly id: number,
    readonly tx: BackRing,
    readonly rx: BackRing,
    readonly port: number,
    pages: readonly number[],
  ) {
    super();
    this.mmapPages = pages;
  }

  override [viewOf](): View {
    return xenvifQueueView(this);
  }
}

/** One interface. */
export class Xenvif extends Shown {
  readonly queues: XenvifQueue[] = [];
  /** The front end broke a rule that only a broken or hostile one breaks: nothing is taken any more. */
  isDisabled = false;
  isConnected = false;

  constructor(
    readonly kernel: XenLinux,
    readonly domid: number,
    readonly parameters: NetbackParameters,
    /** Where packets of the guest go; whoever gets one frees it. */
    readonly netifReceiveSkb: (skb: Skb, queue: XenvifQueue) => void,
  ) {
    super();
  }

  override [viewOf](): View {
    return xenvifView(this);
  }
}

/** A rule was broken that ends the interface. @cite linux 6.1 drivers/net/xen-netback/netback.c xenvif_fatal_tx_err */
export function xenvifFatalTxErr(vif: Xenvif, text: string): void {
  vif.kernel.system.printk("driver-message", "xenvif_fatal_tx_err", `${text}; fatal error; disabling device`);
  vif.isDisabled = true;
}
