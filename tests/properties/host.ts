/**
 * A host small enough to be checked after every step. Half of the guest's frame numbers lie inside dom0's p2m.
 *
 * @module
 */

/** Sizes for `world()`. */
export const PROPERTY_HOST = { dom0Frames: 96, ballooned: 64, guestFrames: 64 } as const;
