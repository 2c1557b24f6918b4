/**
 * One frame of the machine: who owns it, what it is used as, how many uses there are.
 *
 * @module
 */

import { outOfRange, wholeNumber } from "../../core/misuse.ts";
import { MAX_FRAME } from "../../core/frames.ts";
import { hex } from "../../core/show.ts";
import { Shown, viewOf } from "../../core/shown.ts";
import { tableBlock, type View } from "../../core/view.ts";
import { type FrameTable, NO_OWNER, PAGE_TYPES } from "../frame_table.ts";
import type { Hypervisor } from "../hypervisor.ts";

/** A row of the frame table as it was when it was asked for. */
export class FrameInfo extends Shown {
  readonly mfn: number;
  /** Domain, or -1. */
  readonly owner: number;
  readonly ownerName: string;
  /** References. */
  readonly count: number;
  /** Name of the type: `writable`, `l1`, … */
  readonly type: string;
  readonly typeCount: number;
  /** Frame number that the owner gave it, or -1. */
  readonly m2p: number;
  /** Host mappings through grants. */
  readonly grantMaps: number;
  /** `allocated validated`. */
  readonly flags: string;
  readonly hasContent: boolean;

  /** @throws {RangeError} if the machine has no such frame */
  constructor(hv: Hypervisor, mfn: number) {
    super();
    wholeNumber("show frame", mfn, 0, MAX_FRAME);
    const { frames } = hv;
    if (!frames.isValid(mfn)) {
      throw outOfRange("show frame", mfn, `the machine has ${hex(frames.nrFrames)} frames`);
    }
    this.mfn = mfn;
    this.owner = frames.owner(mfn);
    this.ownerName = this.owner === NO_OWNER
      ? "nobody"
      : `domain ${this.owner} (${hv.domains.get(this.owner)?.name ?? "gone"})`;
    this.count = frames.count(mfn);
    this.type = PAGE_TYPES[frames.type(mfn)]!;
    this.typeCount = frames.typeCount(mfn);
    this.m2p = hv.m2p.get(mfn);
    this.grantMaps = frames.grantMaps(mfn);
    this.flags = flagNames(frames, mfn);
    this.hasContent = hv.mem.slotOf(mfn) >= 0;
  }

  override [viewOf](): View {
    const { mfn, count, type, typeCount, m2p } = this;
    return {
      line:
        `frame ${
          hex(mfn)
        }: owned by ${this.ownerName}, ${count} references, type ${type} used ${typeCount} times` +
        `${m2p < 0 ? "" : `, pfn ${hex(m2p)} there`}`,
      title: `frame ${hex(mfn)}`,
      blocks: [
        tableBlock(["", ""], [
          ["owner", this.ownerName],
          ["pfn of the owner (M2P)", m2p < 0 ? "none" : hex(m2p)],
          ["references", String(count)],
          ["type", `${type}, ${typeCount} uses`],
          ["host mappings by grant", String(this.grantMaps)],
          ["flags", this.flags === "" ? "none" : this.flags],
          ["content", this.hasContent ? "written" : "zero"],
        ]),
      ],
    };
  }
}

function flagNames(frames: FrameTable, mfn: number): string {
  const names: string[] = [];
  if (frames.isAllocated(mfn)) names.push("allocated");
  if (frames.isValidated(mfn)) names.push("validated");
  if (frames.isPinned(mfn)) names.push("pinned");
  if (frames.isXenHeap(mfn)) names.push("Xen heap");
  return names.join(", ");
}
