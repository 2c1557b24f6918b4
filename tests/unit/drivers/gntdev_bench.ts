/**
 * What the tests of gntdev share: a host with grants, an open device, and short forms of its calls. References of the
 * guest start at 8; flags of an entry that is granted and mapped writable are 0x19, granted only 1.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { SysResult } from "../../../lib/core/errno.ts";
import { PAGE } from "../../../lib/core/geometry.ts";
import { gntdevIoctlMapGrantRef } from "../../../lib/drivers/gntdev/map_grant_ref.ts";
import { type GntdevFile, gntdevOpen } from "../../../lib/drivers/gntdev/open.ts";
import type { Process } from "../../../lib/experiments/process.ts";
import { type World, world } from "../../../lib/experiments/world.ts";
import { MAP_SHARED, PROT_READ, PROT_WRITE } from "../../../lib/linux/mm/prot.ts";
import { validateMm } from "../../../lib/linux/mm/validate.ts";
import { readGrantEntry } from "../../../lib/xen/grant_access.ts";
import { validateXen } from "../../../lib/xen/validate.ts";

export const RW = PROT_READ | PROT_WRITE;

export interface Bench {
  readonly w: World;
  readonly p: Process;
  readonly dev: GntdevFile;
  /** MAP_GRANT_REF of n grants from reference `first` on. */
  ioctl(n: number, first?: number): SysResult<number>;
  mmap(n: number, offset: number, how?: { prot?: number; flags?: number; by?: Process }): SysResult<number>;
  /** Flags of the entries of n references from 8 on. */
  flags(n: number): number[];
}

export function bench(options: { n?: number; readonly?: boolean; ballooned?: number } = {}): Bench {
  const w = world({ ballooned: options.ballooned ?? 1024 });
  w.guest.grant(options.n ?? 8, { readonly: options.readonly === true });
  const p = w.process();
  const dev = gntdevOpen(w.kernel);
  const domid = w.guest.domain.domid;
  return {
    w,
    p,
    dev,
    ioctl: (n, first = 8) =>
      gntdevIoctlMapGrantRef(dev.priv, Array.from({ length: n }, (_, i) => ({ domid, ref: first + i }))),
    mmap: (n, offset, { prot = RW, flags = MAP_SHARED, by = p } = {}) =>
      by.mmap({ length: n * PAGE, prot, flags, file: dev.file, offset }),
    flags: (n) => Array.from({ length: n }, (_, i) => readGrantEntry(w.guest.domain, 8 + i).flags),
  };
}

export function assertInOrder(b: Bench): void {
  assertEquals([validateXen(b.w.hv), validateMm(b.p.mm), b.w.kernel.system.log, b.w.hv.leaks], [
    [],
    [],
    [],
    [],
  ]);
}

/** The value of a result that must be one. */
export function value<T>(result: SysResult<T>): T {
  if (!result.ok) throw new Error(`unexpected ${result.errno}`);
  return result.value;
}

export const err = (errno: string) => ({ ok: false, errno });
