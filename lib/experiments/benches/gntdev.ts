/**
 * Benches on mapping grants through gntdev, call by call.
 *
 * @module
 */

import { PAGE_SIZE } from "../../core/geometry.ts";
import { gntdevIoctlMapGrantRef } from "../../drivers/gntdev/map_grant_ref.ts";
import { type GntdevFile, gntdevOpen } from "../../drivers/gntdev/open.ts";
import { gntdevIoctlUnmapGrantRef } from "../../drivers/gntdev/unmap_grant_ref.ts";
import { fput } from "../../linux/mm/file.ts";
import { mmap } from "../../linux/mm/mmap.ts";
import { munmap } from "../../linux/mm/munmap.ts";
import { MAP_FIXED, MAP_SHARED, PROT_READ, PROT_WRITE } from "../../linux/mm/prot.ts";
import type { Bench } from "./bench.ts";
import { type BenchHost, done, P } from "./machine.ts";

/** Bytes of the driver's lists per grant: the grant, both operations for process and kernel, page, mark. */
const BYTES_PER_GRANT = 8 + 2 * 32 + 2 * 24 + 8 + 1;

/** The map itself and its lists. @cite linux 6.1 drivers/xen/gntdev.c gntdev_alloc_map */
const LISTS_OF_A_MAP = 9;

/** A mapping of the first n grants as it comes to be and goes again. */
class GrantMapping {
  readonly #file: GntdevFile;
  #index = 0;

  constructor(
    readonly host: BenchHost,
    readonly address: number,
    readonly n: number,
    readonly isReadonly: boolean,
  ) {
    this.#file = gntdevOpen(host.kernel!);
  }

  mapIoctl(): void {
    const { host, n } = this;
    const { domid, refs } = host.grants;
    ioctl(host);
    const grants = refs.slice(0, n).map((ref) => ({ domid, ref }));
    this.#index = done(gntdevIoctlMapGrantRef(this.#file.priv, grants));
    host.op("user_copy", n);
    host.op("list_link", n);
    host.op("bytes_cleared", n * BYTES_PER_GRANT);
    host.op("slab_object", LISTS_OF_A_MAP);
  }

  mmap(): void {
    const { host, n, address } = this;
    const prot = this.isReadonly ? PROT_READ : PROT_READ | PROT_WRITE;
    const { file } = this.#file;
    const flags = MAP_SHARED | MAP_FIXED;
    done(mmap(host.mm, { address, length: n * PAGE_SIZE, prot, flags, file, offset: this.#index }));
    host.op("file_call");
  }

  touch(): void {
    this.host.op("user_loop");
    this.host.access(this.address, this.n, "r");
  }

  munmap(): void {
    done(munmap(this.host.mm, this.address, this.n * PAGE_SIZE));
  }

  unmapIoctl(): void {
    ioctl(this.host);
    done(gntdevIoctlUnmapGrantRef(this.#file.priv, this.#index, this.n));
    this.host.op("list_link", this.n);
    this.host.op("slab_object", LISTS_OF_A_MAP);
  }

  close(): void {
    fput(this.#file.file);
  }
}

/** An ioctl of a driver: a call on a file with one structure. */
export function ioctl(host: BenchHost): void {
  host.syscall();
  host.op("file_call");
  host.op("user_copy");
}

/** Maps the first n grants writable; answers what undoes it. */
export function mapGrants(host: BenchHost, address: number, n: number): () => void {
  const mapping = new GrantMapping(host, address, n, false);
  mapping.mapIoctl();
  mapping.mmap();
  return () => {
    mapping.munmap();
    mapping.unmapIoctl();
    mapping.close();
  };
}

const STEPS = ["mapIoctl", "mmap", "touch", "munmap", "unmapIoctl"] as const;
type Step = typeof STEPS[number];

/** The bench of one step of the five: those before it are set-up, those after it clean-up. */
function step(name: string, which: Step, isReadonly: boolean): Bench {
  return {
    name,
    modes: ["self", "foreign"],
    round(host, n) {
      const mapping = new GrantMapping(host, P, n, isReadonly);
      const at = STEPS.indexOf(which);
      for (const before of STEPS.slice(0, at)) mapping[before]();
      return {
        run: () => mapping[which](),
        end() {
          for (const after of STEPS.slice(at + 1)) mapping[after]();
          mapping.close();
        },
      };
    },
  };
}

export const GNTDEV_BENCHES: readonly Bench[] = [
  step("gntdev_map_ioctl", "mapIoctl", false),
  step("gntdev_mmap_rw", "mmap", false),
  step("gntdev_first_touch", "touch", false),
  step("gntdev_munmap_rw", "munmap", false),
  step("gntdev_unmap_ioctl", "unmapIoctl", false),
  step("gntdev_map_ioctl_ro", "mapIoctl", true),
  step("gntdev_mmap_ro", "mmap", true),
  step("gntdev_first_touch_ro", "touch", true),
  step("gntdev_munmap_ro", "munmap", true),
  step("gntdev_unmap_ioctl_ro", "unmapIoctl", true),
];
