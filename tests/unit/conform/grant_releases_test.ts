/**
 * What the recorded releases do otherwise with grants, and what the replayer leaves to chance.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { CaseRows, failed, OK } from "./grant_case_rows.ts";

type Build = () => CaseRows;

const pv = () => new CaseRows("xenpv", 2);
const pvh = () => new CaseRows("xenpvh", 2);
const GNTDEV = "rd wr sh mr mw me ms dc de dd sd mm";
const RW2 = [0, 2, "rw-s", 0, "gntdev", GNTDEV, 2, "ff"];
const WARNED = { kmsg_kinds: ["warning"] };

const buffers = (outputs: Record<string, unknown>) =>
  pv().map([0, 1], 0).step("io_uring_register_buffers", { at: 0, len: 8192 }, {
    vmas: [RW2],
    gt: "19 19",
    ...outputs,
  });
const unmap = (rows: CaseRows, outputs: Record<string, unknown>) =>
  rows.step("munmap", { at: 0, pages: 2 }, { ...OK, vmas: [], ...outputs });
const piped = () =>
  pv().map([0, 1], 0).step("vmsplice", {
    setup: [{ do: "pipe", file: "pipe", capacity_pages: 16 }],
    file: "pipe",
    iovec: [{ at: 0, len: 4096 }],
    flags: 0,
  }, { ret: 4096, errno: "0" });

/** Cases that come out so on the releases named, and not so on the others. */
const CASES: readonly [title: string, kernels: readonly string[], build: Build][] = [
  [
    "fixed buffers of io_uring are refused",
    ["linux5_10", "linux6_1"],
    () => unmap(buffers(failed("EOPNOTSUPP")), { gt: "1 1" }).step("end", {}, { exit: 0, tainted: 0 }),
  ],
  [
    "fixed buffers of io_uring are taken, and gone when the ring is closed",
    ["linux6_12", "linux7_2"],
    () => unmap(buffers(OK), { gt: "1 1" }).step("end", {}, { exit: 0, tainted: 0 }),
  ],
  [
    "fixed buffers of io_uring may outlive the ring: the grants leak",
    ["linux6_12"],
    () => unmap(buffers(OK), { gt: "19 19", ...WARNED }).step("end", {}, { exit: 0, tainted: 512 }),
  ],
  [
    "an oops at the end kills the process only",
    ["linux5_10"],
    () =>
      pv()
        .step("MAP_GRANT_REF", {
          dev: "gntdev0",
          count: 2,
          map: 0,
          entries: [{ grant: 0, page: 0 }, { grant: 0, page: 1 }],
        }, { ...OK, index_pages: 0 })
        .step("SET_UNMAP_NOTIFY", { dev: "gntdev0", map: 0, index_bytes_into_map: 3, action: 1 }, OK)
        .step("mmap", { dev: "gntdev0", map: 0, at: 8, pages: 2, prot: "r--", flags: "shared" }, OK)
        .step("end", {}, { signal: 9, tainted: 128 }),
  ],
  [
    "MADV_DOFORK is refused",
    ["linux7_2"],
    () =>
      pv().map([0, 1], 0).step("madvise", { at: 0, pages: 2, advice_number: 11 }, {
        ...failed("EINVAL"),
        vmas: [RW2],
      }),
  ],
  [
    "move_pages tells nodes",
    ["linux5_10"],
    () =>
      pv().map([0, 1], 0).step("move_pages", { pages: [{ at: 0 }, { at: 1 }] }, { ...OK, status: [0, 0] }),
  ],
  [
    "move_pages tells nodes on PVH",
    ["linux5_10", "linux6_12"],
    () =>
      pvh().map([0, 1], 0).step("move_pages", { pages: [{ at: 0 }, { at: 1 }] }, { ...OK, status: [0, 0] }),
  ],
  [
    "a private mapping of grants cannot become writable",
    ["linux6_12"],
    () =>
      pv()
        .step("MAP_GRANT_REF", {
          dev: "gntdev0",
          count: 2,
          map: 0,
          entries: [{ grant: 0, page: 0 }, { grant: 0, page: 1 }],
        }, { ...OK, index_pages: 0 })
        .step("mmap", { dev: "gntdev0", map: 0, at: 0, pages: 2, prot: "r--", flags: "private" }, OK)
        .step("mprotect", { at: 0, pages: 2, prot: "rw-" }, { ...failed("EACCES"), gt: "9 9" }),
  ],
  [
    "pages in a pipe at munmap are a bad page map, and the page that was not is unmapped",
    ["linux5_10", "linux6_1"],
    () =>
      unmap(piped(), { gt: "19 1", kmsg_kinds: ["bad-page-map", "warning"] }).step("end", {}, {
        exit: 0,
        tainted: 544,
      }),
  ],
  [
    "pages in a pipe at munmap: no bad page map, every grant leaks",
    ["linux6_12", "linux7_2"],
    () => unmap(piped(), { gt: "19 19", ...WARNED }).step("end", {}, { exit: 0, tainted: 512 }),
  ],
];

const RELEASES = ["linux5_10", "linux6_1", "linux6_12", "linux7_2"];

for (const [title, kernels, build] of CASES) {
  for (const kernel of RELEASES) {
    Deno.test(`${kernel}: ${kernels.includes(kernel) ? "" : "not so: "}${title}`, async () => {
      const { counts, differences } = await build().replay({ kernel });
      assertEquals(counts[1] === 0, kernels.includes(kernel), differences.join("\n"));
    });
  }
}

Deno.test("a warning of a worker counts by being there, not by its step", async () => {
  const seen = (at: number | null) => {
    const rows = unmap(piped(), { gt: "19 19", ...(at === 4 && WARNED) });
    rows.step("mlock", { at: 0, pages: 0 }, { ...OK, ...(at === 5 && WARNED) });
    return rows.step("mlock", { at: 0, pages: 0 }, { ...OK, ...(at === 6 && WARNED) }).replay({
      kernel: "linux7_2",
    });
  };
  for (const [at, nrFailed] of [[4, 0], [5, 0], [6, 0], [null, 1]] as const) {
    assertEquals((await seen(at)).counts[1], nrFailed, `at ${at}`);
  }
});

Deno.test("XSAVE sizes of Xen 4.20 taint a translated kernel as it boots, and no other", async () => {
  for (
    const [rows, xen, tainted] of [[pvh, "xen4_20", 512], [pvh, "xen4_17", 0], [pv, "xen4_20", 0]] as const
  ) {
    assertEquals((await rows().step("end", {}, { exit: 0, tainted }).replay({ xen })).differences, []);
  }
});
