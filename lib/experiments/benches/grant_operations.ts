/**
 * Benches on grant operations without a mapping in the process: copies, raw hypercalls, granting itself.
 *
 * @module
 */

import { PAGE_SIZE } from "../../core/geometry.ts";
import { GNTALLOC_FLAG_WRITABLE, gntallocIoctlAlloc } from "../../drivers/gntalloc/alloc_gref.ts";
import { gntallocIoctlDealloc } from "../../drivers/gntalloc/dealloc_gref.ts";
import { gntallocOpen } from "../../drivers/gntalloc/open.ts";
import { gntdevIoctlGrantCopy, type GrantCopySegment } from "../../drivers/gntdev/grant_copy.ts";
import { EV } from "../../trace/events.ts";
import {
  DOMID_SELF,
  GNTCOPY_dest_gref,
  GNTCOPY_source_gref,
  GNTMAP_device_map,
  type GnttabMapGrantRef,
  GNTTABOP_map_grant_ref,
  GNTTABOP_query_size,
  GNTTABOP_unmap_grant_ref,
} from "../../xen/abi.ts";
import { grantTableOp } from "../../xen/hypercall.ts";
import type { Bench, Round } from "./bench.ts";
import { ioctl } from "./gntdev.ts";
import { type BenchHost, BUF, BUF_PAGES, done } from "./machine.ts";

const GRANT_MODES = ["self", "foreign"] as const;

function grantCopy(direction: "from" | "to", len: number): Bench {
  return {
    name: `grant_copy_${direction}_grant_${len}`,
    modes: GRANT_MODES,
    round(host, n) {
      host.touch(BUF, BUF_PAGES);
      const { domid, refs } = host.grants;
      const segments = refs.slice(0, n).map((ref, i): GrantCopySegment => {
        const grant = { domid, ref, offset: 0 };
        const local = { address: BUF + i * PAGE_SIZE };
        return direction === "from"
          ? { source: grant, dest: local, len, flags: GNTCOPY_source_gref, status: 0 }
          : { source: local, dest: grant, len, flags: GNTCOPY_dest_gref, status: 0 };
      });
      return {
        run() {
          ioctl(host);
          done(gntdevIoctlGrantCopy(host.kernel!, host.mm, segments));
          host.op("user_copy", 2 * n); // the segment in, its status out
          host.op("page_slot", n);
        },
      };
    },
  };
}

function gntalloc(name: string, which: "alloc" | "dealloc"): Bench {
  return {
    name,
    modes: ["self"],
    round(host, n): Round {
      const state = host.gntalloc!;
      const { priv } = gntallocOpen(state);
      void host.grants; // are there before, and stay in the driver's list
      let index = 0;
      // Both calls look through all grants of the driver for some to give up.
      const alloc = () => {
        ioctl(host);
        host.op("list_link", state.grefs.size + n);
        index = done(gntallocIoctlAlloc(priv, { domid: 0, flags: GNTALLOC_FLAG_WRITABLE, count: n })).index;
        host.op("user_copy");
        host.op("bytes_cleared", n * PAGE_SIZE);
        host.op("slab_object", n);
        host.op("grant_ref_change", n);
      };
      const dealloc = () => {
        ioctl(host);
        host.op("list_link", state.grefs.size);
        done(gntallocIoctlDealloc(priv, index, n));
        host.op("slab_object", n);
        host.op("grant_ref_change", n);
      };
      if (which === "alloc") return { run: alloc, end: dealloc };
      alloc();
      return { run: dealloc };
    },
  };
}

/** A hypercall through privcmd. */
function privcmd(name: string, call: (host: BenchHost) => void): Bench {
  return {
    name,
    modes: GRANT_MODES,
    sizes: { least: 1, most: 1 },
    round: (host) => ({
      run() {
        ioctl(host);
        call(host);
      },
    }),
  };
}

function rawMap(name: string, which: "map" | "unmap"): Bench {
  return {
    name,
    modes: GRANT_MODES,
    round(host, n): Round {
      const { hv, domain } = host.kernel!;
      const { domid, refs } = host.grants;
      const ops = refs.slice(0, n).map((ref): GnttabMapGrantRef => ({
        host_addr: 0,
        flags: GNTMAP_device_map,
        ref,
        dom: domid,
        status: 0,
        handle: 0,
        dev_bus_addr: 0,
      }));
      const map = () => {
        ioctl(host);
        grantTableOp(hv, domain, GNTTABOP_map_grant_ref, ops);
      };
      const unmap = () => {
        ioctl(host);
        const undo = ops.map(({ handle, dev_bus_addr }) => ({
          host_addr: 0,
          dev_bus_addr,
          handle,
          status: 0,
        }));
        grantTableOp(hv, domain, GNTTABOP_unmap_grant_ref, undo);
      };
      if (which === "map") return { run: map, end: unmap };
      map();
      return { run: unmap };
    },
  };
}

export const GRANT_OPERATION_BENCHES: readonly Bench[] = [
  grantCopy("from", 64),
  grantCopy("to", 64),
  grantCopy("from", 4096),
  grantCopy("to", 4096),
  gntalloc("gntalloc_alloc", "alloc"),
  gntalloc("gntalloc_dealloc", "dealloc"),
  privcmd("privcmd_hypercall_query_size", (host) => {
    const { hv, domain } = host.kernel!;
    grantTableOp(hv, domain, GNTTABOP_query_size, [{
      dom: DOMID_SELF,
      nr_frames: 0,
      max_nr_frames: 0,
      status: 0,
    }]);
  }),
  privcmd("privcmd_hypercall_xen_version", (host) => host.trace.add(EV.hypercall)),
  rawMap("raw_hypercall_map_device", "map"),
  rawMap("raw_hypercall_unmap_device", "unmap"),
];
