/**
 * As much of a guest's kernel as a front end needs: its domain, references to grant, frames to use, a clock.
 *
 * @module
 */

import type { GrantOwner, GrantRefs } from "../linux/xen/grant_refs.ts";
import type { EventChannels } from "../linux/xen/evtchn.ts";

/** The kernel under a front end. */
export interface FrontendKernel extends GrantOwner {
  readonly grantRefs: GrantRefs;
  /** Where both ends bind their event channel. */
  readonly evtchn: EventChannels;
  /** Machine frames (guest frames of a translated guest) of fresh pages; throws when there are none. */
  allocFrames(count: number): number[];
  /** Takes frames back. */
  freeFrames(frames: readonly number[]): void;
}
