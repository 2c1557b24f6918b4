/**
 * Benches that transfer between a buffer of 256 pages, anonymous or of grants, and a disk, a pipe, a file or the
 * program itself.
 *
 * @module
 */

import { PAGE_SIZE } from "../../core/geometry.ts";
import { directIo } from "../../drivers/direct_io.ts";
import { Pipe, PIPE_DEF_BUFFERS } from "../../drivers/pipe.ts";
import { processVmReadv } from "../../drivers/process_vm.ts";
import { RamDisk } from "../../drivers/ram_disk.ts";
import { munmap } from "../../linux/mm/munmap.ts";
import { EV } from "../../trace/events.ts";
import type { Bench } from "./bench.ts";
import { WORDS_PER_PAGE } from "./calls.ts";
import { mapGrants } from "./gntdev.ts";
import { type BenchHost, BUF, BUF_PAGES, done } from "./machine.ts";

/** A transfer in both kinds of buffer. */
function both(
  name: string,
  prepare: (host: BenchHost, n: number) => () => void,
  sizes?: Bench["sizes"],
): Bench[] {
  return (["anon", "grant"] as const).map((kind) => ({
    name: `${name}_${kind}`,
    modes: kind === "anon" ? ["generic"] as const : ["self", "foreign"] as const,
    ...(sizes === undefined ? {} : { sizes }),
    round(host, n) {
      const close = kind === "anon" ? anonBuffer(host) : mapGrants(host, BUF, BUF_PAGES);
      host.access(BUF, BUF_PAGES, "w");
      const run = prepare(host, n);
      return { run, end: close };
    },
  }));
}

function anonBuffer(host: BenchHost): () => void {
  host.mapAnon(BUF, BUF_PAGES);
  return () => void done(munmap(host.mm, BUF, BUF_PAGES * PAGE_SIZE));
}

function direct(direction: "read" | "write"): (host: BenchHost, n: number) => () => void {
  return (host, n) => {
    const disk = new RamDisk(2 ** 20, (sector) => sector);
    return () => {
      done(directIo(host.mm, disk, { direction, address: BUF, length: n * PAGE_SIZE, diskOffset: 0 }));
      host.op("file_call");
      host.op("file_io");
      host.op("block_io");
      host.op("block_segment", n);
      host.op("page_slot", n);
      host.op("page_cache_find", n);
      host.op("bulk_copy", n);
      host.op("words_copied", n * WORDS_PER_PAGE);
    };
  };
}

/** `pieces` remote ranges from BUF on, a page apart. */
function readv(host: BenchHost, pieces: number, length: number, nrPages: number): void {
  host.syscall(2); // the program asks for its own pid first
  for (let i = 0; i < pieces; i++) done(processVmReadv(host.mm, BUF + i * PAGE_SIZE, length));
  host.op("remote_mm");
  host.op("user_copy", 2); // both lists of ranges
  host.op("iov_segment", 2 * pieces);
  host.op("page_slot", nrPages);
  host.op("bulk_copy", nrPages);
  host.op("bytes_copied", pieces * length);
}

function splice(host: BenchHost, n: number): () => void {
  const pipe = new Pipe(host.system);
  return () => {
    host.syscall();
    done(pipe.vmsplice(host.mm, BUF, n * PAGE_SIZE));
    host.op("file_call");
    host.op("user_copy");
    host.op("iov_segment");
    host.op("page_slot", n);
  };
}

function writeTmpfs(host: BenchHost, n: number): () => void {
  return () => {
    host.syscall();
    host.op("file_call");
    host.op("file_io");
    // Each page: the program's is touched, the file's looked up, held, filled and let go.
    host.op("user_copy", n);
    host.op("page_cache_find", n);
    host.trace.add(EV.refcount, 2 * n);
    host.op("bulk_copy", n);
    host.op("bytes_copied", n * PAGE_SIZE);
  };
}

export const TRANSFER_BENCHES: readonly Bench[] = [
  ...both("odirect_read", direct("read")),
  ...both("odirect_write", direct("write")),
  ...both("process_vm_readv_1byte_per_page", (host, n) => () => readv(host, n, 1, n)),
  ...both("process_vm_readv_whole", (host, n) => () => readv(host, 1, n * PAGE_SIZE, n)),
  ...both("vmsplice", splice, { least: 1, most: PIPE_DEF_BUFFERS }),
  ...both("user_memcpy", (host, n) => () => host.op("user_rep_iteration", n * WORDS_PER_PAGE)),
  ...both("write_tmpfs", writeTmpfs),
];
