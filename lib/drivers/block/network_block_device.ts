/**
 * A disk behind a network (iSCSI, NFS, nbd): a write leaves as a packet that *holds the pages* instead of copying them.
 * The wire may lose the answer. Then the packet is sent again; when the answer to the first copy arrives after all, the
 * write is over and the pages are the caller's, but the copy still waits in the network card's queue and holds them.
 *
 * ```text
 * submit ─► packet 1 ──────────────► server writes, answers ───► endIo: the write is over
 *            └ no answer in time: packet 2 queued ─────── … ───────────► read by the card, sent, server writes again
 *                                 └ holds the pages ────────────────────┘
 * ```
 *
 * What the card reads is what is in the page *then*. If the caller has let the page go, that is something else: a
 * correct server takes a repeated write for what it says it is and stores the wrong bytes.
 *
 * Simplified: one packet a write, one repeat at most, the server stores whatever arrives; a read is answered once.
 *
 * @cite commit c43cf3ea8385 xen-blkback: safely unmap grants in case they are still in use
 * @module
 */

import { outOfRange } from "../../core/misuse.ts";
import { SECTOR_SIZE } from "../ram_disk.ts";
import type { RamDisk } from "../ram_disk.ts";
import type { XenLinux } from "../../linux/xen/xen_linux.ts";
import type { Bio, BlockDevice } from "./bio.ts";
import { transferVec } from "./ram_block_device.ts";

/** What the network does with one write. */
export interface WireFate {
  /** Milliseconds from submission to the answer that ends the write. */
  readonly answerMs: number;
  /** Milliseconds from submission to the moment at which a repeated packet is read from memory; null: none is sent. */
  readonly repeatMs: number | null;
}

/** A write whose pages the network holds. */
export interface HeldWrite {
  readonly bio: Bio;
  /** When the card will have read them. */
  readonly untilMs: number;
}

/** A disk behind a network. */
export class NetworkBlockDevice implements BlockDevice {
  readonly name = "network block device";
  readonly logicalBlockSize = 512;
  /** Packets sent a second time. */
  nrRepeats = 0;
  /** Pages held after their write was over, by the packet that holds them. */
  readonly held: Set<HeldWrite> = new Set();

  /**
   * @param disk what the server stores
   * @param fateOf what happens to the n-th transfer, counted from 0
   */
  constructor(
    readonly kernel: XenLinux,
    readonly disk: RamDisk,
    readonly fateOf: (n: number, bio: Bio) => WireFate,
  ) {}

  #submitted = 0;

  get nrSectors(): number {
    return this.disk.nrSectors;
  }

  submitBio(bio: Bio): void {
    const { kernel } = this;
    const { answerMs, repeatMs } = this.fateOf(this.#submitted++, bio);
    if (!(answerMs >= 0)) {
      throw outOfRange("answer a transfer after", answerMs, "it must be milliseconds from 0");
    }
    if (bio.operation !== "write") {
      kernel.work.schedule(answerMs, () => this.#answer(bio));
      return;
    }
    this.#hold(bio);
    // The first packet leaves at once.
    this.#transfer(bio);
    if (repeatMs !== null) this.#repeat(bio, repeatMs);
    kernel.work.schedule(answerMs, () => {
      this.#release(bio);
      bio.endIo(null);
    });
  }

  #answer(bio: Bio): void {
    if (bio.operation === "read") this.#transfer(bio);
    bio.endIo(null);
  }

  /** A second packet with references of its own. */
  #repeat(bio: Bio, afterMs: number): void {
    const { kernel } = this;
    this.nrRepeats++;
    this.#hold(bio);
    const held = { bio, untilMs: kernel.work.nowMs + afterMs };
    this.held.add(held);
    kernel.work.schedule(afterMs, () => {
      this.held.delete(held);
      this.#transfer(bio);
      this.#release(bio);
    });
  }

  /** @cite linux 6.1 net/core/skbuff.c skb_frag_ref */
  #hold(bio: Bio): void {
    for (const { page } of bio.vecs) this.kernel.system.memMap.getPage(page);
  }

  /** @cite linux 6.1 net/core/skbuff.c skb_release_data */
  #release(bio: Bio): void {
    for (const { page } of bio.vecs) this.kernel.system.memMap.putPage(page);
  }

  #transfer(bio: Bio): void {
    let { sector } = bio;
    for (const vec of bio.vecs) {
      transferVec(this.kernel.system, this.disk, vec, sector, bio.operation === "read");
      sector += vec.length / SECTOR_SIZE;
    }
  }
}
