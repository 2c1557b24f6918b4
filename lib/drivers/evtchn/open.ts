/**
 * /dev/xen/evtchn: a program binds ports and reads which of them were notified. A port that was read stays masked
 * until the program writes it back.
 *
 * @cite linux 6.1 drivers/xen/evtchn.c evtchn_interrupt
 * @module
 */

import { fail, ok, type SysResult } from "../../core/errno.ts";
import { FileObject } from "../../linux/mm/file.ts";
import type { XenLinux } from "../../linux/xen/xen_linux.ts";

/** Bytes of one entry of the ring. */
export const PORT_BYTES = 4;

/** An open file. */
export class EvtchnFile {
  readonly file: FileObject;
  readonly #ring: number[] = [];
  readonly #masked = new Set<number>();
  readonly #ports: number[] = [];
  readonly #deliver = (port: number): void => {
    if (this.#masked.has(port)) return;
    this.#masked.add(port);
    this.#ring.push(port);
  };

  constructor(readonly kernel: XenLinux) {
    const release = () => this.#ports.forEach((port) => kernel.evtchn.put(port));
    this.file = new FileObject({ name: "evtchn", ops: { name: "evtchn", release } });
  }

  /** IOCTL_EVTCHN_BIND_UNBOUND_PORT: the port. */
  bindUnboundPort(): number {
    const port = this.kernel.evtchn.allocUnbound(this.#deliver);
    this.#ports.push(port);
    return port;
  }

  /** IOCTL_EVTCHN_BIND_INTERDOMAIN: the port; EINVAL where the remote one does not wait. */
  bindInterdomain(remotePort: number): SysResult<number> {
    const port = this.kernel.evtchn.bindInterdomain(remotePort, this.#deliver);
    if (port < 0) return fail("EINVAL");
    this.#ports.push(port);
    return ok(port);
  }

  /** read(2), not blocking: ports notified, oldest first. EINVAL below one entry, EAGAIN without any. @cite linux 6.1 drivers/xen/evtchn.c evtchn_read */
  read(bytes: number): SysResult<readonly number[]> {
    const entries = Math.floor(bytes / PORT_BYTES);
    if (entries === 0) return bytes === 0 ? ok([]) : fail("EINVAL");
    if (this.#ring.length === 0) return fail("EAGAIN");
    return ok(this.#ring.splice(0, entries));
  }

  /** write(2) of ports: they are notified again from now on. @cite linux 6.1 drivers/xen/evtchn.c evtchn_write */
  unmask(ports: readonly number[]): void {
    for (const port of ports) this.#masked.delete(port);
  }
}
