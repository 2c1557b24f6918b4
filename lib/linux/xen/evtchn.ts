/**
 * Event channels as the kernel hands them to user space: ports of one domain, bound in pairs inside it. A port that
 * was bound for a user may be held by others too, so it counts its users.
 *
 * Simplified: both ends are ports of the same domain; a notification is seen at once.
 *
 * @cite linux 6.1 drivers/xen/events/events_base.c evtchn_get
 * @module
 */

import { EV } from "../../trace/events.ts";
import type { Trace } from "../../trace/trace.ts";

interface Port {
  /** The port at the other end, 0 if none is bound to it yet. */
  remote: number;
  users: number;
  readonly deliver: (port: number) => void;
}

/** The ports of one domain. */
export class EventChannels {
  readonly #ports = new Map<number, Port>();
  #next = 1;

  constructor(readonly trace: Trace) {}

  /** A port that waits for somebody to bind to it. @cite xen 4.17 xen/common/event_channel.c evtchn_alloc_unbound */
  allocUnbound(deliver: (port: number) => void): number {
    const port = this.#next++;
    this.#ports.set(port, { remote: 0, users: 1, deliver });
    return port;
  }

  /**
   * A port bound to `remote`, or -1 if that one does not wait. The new port gets a notification at once: one sent
   * before the binding must not be lost.
   *
   * @cite xen 4.17 xen/common/event_channel.c evtchn_bind_interdomain
   */
  bindInterdomain(remote: number, deliver: (port: number) => void): number {
    const peer = this.#ports.get(remote);
    if (peer === undefined || peer.remote !== 0) return -1;
    const port = this.#next++;
    this.#ports.set(port, { remote, users: 1, deliver });
    peer.remote = port;
    deliver(port);
    return port;
  }

  /** One more user of a port; false if it is bound for nobody. @cite linux 6.1 drivers/xen/events/events_base.c evtchn_get */
  get(port: number): boolean {
    const found = this.#ports.get(port);
    if (found === undefined) return false;
    found.users++;
    return true;
  }

  /** One user fewer; the last one closes the port. @cite linux 6.1 drivers/xen/events/events_base.c evtchn_put */
  put(port: number): void {
    const found = this.#ports.get(port);
    if (found === undefined || --found.users > 0) return;
    const peer = this.#ports.get(found.remote);
    if (peer !== undefined) peer.remote = 0;
    this.#ports.delete(port);
  }

  /** Sends a notification to the other end. @cite linux 6.1 include/xen/events.h notify_remote_via_evtchn */
  notify(port: number): void {
    this.trace.add(EV.hypercall);
    this.trace.add(EV.hc_event_channel_op);
    const remote = this.#ports.get(port)?.remote ?? 0;
    this.#ports.get(remote)?.deliver(remote);
  }
}
