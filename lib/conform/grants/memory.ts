/**
 * Steps that are plain memory calls and accesses.
 *
 * @module
 */

import { PAGE_SIZE } from "../../core/geometry.ts";
import { madvise } from "../../linux/mm/madvise.ts";
import { mincore } from "../../linux/mm/mincore.ts";
import { mlock, mlock2, MLOCK_ONFAULT, munlock } from "../../linux/mm/mlock.ts";
import { mmap } from "../../linux/mm/mmap.ts";
import { mprotect } from "../../linux/mm/mprotect.ts";
import { mremap } from "../../linux/mm/mremap.ts";
import { MS_SYNC, msync } from "../../linux/mm/msync.ts";
import { munmap } from "../../linux/mm/munmap.ts";
import { MAP_ANONYMOUS, MAP_FIXED, MAP_PRIVATE, MAP_SHARED } from "../../linux/mm/prot.ts";
import { userAccess } from "../../linux/mm/user_access.ts";
import type { GrantWorld } from "../grant_world.ts";
import type { CaseProcess } from "./processes.ts";
import { type Outcome, outcomeOf, type Step, WINDOW } from "./step.ts";

/** First byte that a write touch writes; each further page gets one more. */
const FIRST_BYTE = 0xa0;

/** Runs a step for a process. */
export type GrantOperation = (world: GrantWorld, step: Step, process: CaseProcess) => Outcome;

export const MEMORY_OPERATIONS: Readonly<Record<string, GrantOperation>> = {
  munmap: (_world, step, { mm }) => outcomeOf(munmap(mm, step.address(), step.length())),
  mprotect: (_world, step, { mm }) => outcomeOf(mprotect(mm, step.address(), step.length(), step.prot())),
  madvise: (_world, step, { mm }) =>
    outcomeOf(madvise(mm, step.address(), step.length(), step.number("advice_number"))),
  mlock: (_world, step, { mm }) => outcomeOf(mlock(mm, step.address(), step.length())),
  munlock: (_world, step, { mm }) => outcomeOf(munlock(mm, step.address(), step.length())),
  msync: (_world, step, { mm }) => outcomeOf(msync(mm, step.address(), step.length(), MS_SYNC)),
  mlockall(_world, step, { mm }) {
    const flags = mclFlags(step);
    const isKnown = (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) === 0;
    if (flags === 0 || !isKnown || flags === MCL_ONFAULT) return { ret: null, errno: "EINVAL" };
    const kind = (flags & MCL_ONFAULT) !== 0 ? MLOCK_ONFAULT : 0;
    if ((flags & MCL_CURRENT) !== 0) {
      for (const vma of [...mm.vmas]) mlock2(mm, vma.start, vma.end - vma.start, kind);
    }
    return { ret: 0, errno: "0" };
  },
  munlockall(_world, _step, { mm }) {
    for (const vma of [...mm.vmas]) munlock(mm, vma.start, vma.end - vma.start);
    return { ret: 0, errno: "0" };
  },
  mincore(_world, step, { mm }) {
    const result = mincore(mm, step.address(), step.length());
    const outcome = outcomeOf(result);
    if (!result.ok) return outcome;
    const shape = step.row.vec;
    return { ...outcome, vec: Array.isArray(shape) ? [...result.value] : result.value.join("") };
  },
  mremap(_world, step, { mm }) {
    const result = mremap(mm, {
      address: step.address(),
      oldLength: step.number("old") * PAGE_SIZE,
      newLength: step.number("new") * PAGE_SIZE,
      flags: step.number("flags"),
      newAddress: WINDOW + step.number("dst", 0) * PAGE_SIZE,
    });
    return outcomeOf(result, (address) => (address - WINDOW) / PAGE_SIZE);
  },
  mmap_anon_fixed: (_world, step, { mm }) =>
    outcomeOf(mmap(mm, {
      address: step.address(),
      length: step.length(),
      prot: step.get("prot") === undefined ? 3 : step.prot(),
      flags: MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
    })),
  mmap(world, step, { mm }) {
    const map = world.map(step.number("map"), step.where);
    return outcomeOf(mmap(mm, {
      address: step.get("at") === undefined ? 0 : step.address(),
      length: step.length(),
      prot: step.prot(),
      flags: mapFlags(step),
      file: world.file(step.text("dev"), step.where).file,
      offset: map.index + step.number("map_offset_pages", 0) * PAGE_SIZE,
    }));
  },
  touch(_world, step, { mm }) {
    const kind = step.text("rw") === "w" ? "w" : "r";
    const res: (number | string)[] = [];
    for (let i = 0; i < step.number("pages"); i++) {
      const address = step.address() + i * PAGE_SIZE;
      const result = userAccess(mm, 0, address, kind, (FIRST_BYTE + i) & 0xff);
      res.push(result.ok ? result.value : `${result.signal}/${result.code}`);
    }
    return { res };
  },
};

const MCL_CURRENT = 1;
const MCL_FUTURE = 2;
const MCL_ONFAULT = 4;

/** A number, or names. */
function mclFlags(step: Step): number {
  const flags = step.get("flags");
  if (typeof flags === "number") return flags;
  const names = Array.isArray(flags) ? flags.join(" ") : String(flags ?? "MCL_CURRENT");
  return (names.includes("CURRENT") ? MCL_CURRENT : 0) | (names.includes("FUTURE") ? MCL_FUTURE : 0) |
    (names.includes("ONFAULT") ? MCL_ONFAULT : 0);
}

/** `shared`, `private`, and MAP_FIXED unless `fixed` is false. */
export function mapFlags(step: Step): number {
  const type = step.text("flags") === "private" ? MAP_PRIVATE : MAP_SHARED;
  return type | (step.get("fixed") === false ? 0 : MAP_FIXED);
}
