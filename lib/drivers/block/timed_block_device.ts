/**
 * A disk that takes its time: every transfer is over some milliseconds after it was submitted, on the kernel's clock.
 * The data move at the end.
 *
 * @module
 */

import type { DelayedWork } from "../../linux/xen/delayed_work.ts";
import type { Bio, BlockDevice } from "./bio.ts";

/** Delays another device. */
export class TimedBlockDevice implements BlockDevice {
  /** @param serviceMs milliseconds of the n-th transfer, counted from 0; fractions are allowed */
  constructor(
    readonly device: BlockDevice,
    readonly work: DelayedWork,
    readonly serviceMs: (n: number, bio: Bio) => number,
  ) {}

  #submitted = 0;

  get name(): string {
    return `${this.device.name}, timed`;
  }

  get nrSectors(): number {
    return this.device.nrSectors;
  }

  get logicalBlockSize(): number {
    return this.device.logicalBlockSize;
  }

  submitBio(bio: Bio): void {
    this.work.schedule(this.serviceMs(this.#submitted++, bio), () => this.device.submitBio(bio));
  }
}
