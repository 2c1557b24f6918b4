import { assertEquals, assertStringIncludes } from "@std/assert";
import { CaseRows, failed, OK } from "./grant_case_rows.ts";

type Build = () => CaseRows;

const pv = (count: number, flags = 1) => new CaseRows("xenpv", count, flags);
const pvh = (count: number, flags = 1) => new CaseRows("xenpvh", count, flags);
const GNTDEV = "rd wr sh mr mw me ms dc de dd sd mm";
const RW2 = [0, 2, "rw-s", 0, "gntdev", GNTDEV, 2, "ff"];

/** What is said of the real machine about steps that the recordings at hand do not show. */
const CASES: readonly [title: string, build: Build][] = [
  [
    "a byte to clear behind a mapping that became read-only is an oops at munmap",
    () =>
      pv(2)
        .step("MAP_GRANT_REF", {
          dev: "gntdev0",
          count: 2,
          map: 0,
          entries: [{ grant: 0, page: 0 }, { grant: 0, page: 1 }],
        }, { ...OK, index_pages: 0 })
        .step("SET_UNMAP_NOTIFY", { dev: "gntdev0", map: 0, index_bytes_into_map: 3, action: 1 }, OK)
        .step("mmap", { dev: "gntdev0", map: 0, at: 8, pages: 2, prot: "r--", flags: "shared" }, OK)
        .step("hang", { step: { op: "munmap", at: 8, pages: 2 } }, { cause: "oops" }),
  ],
  [
    "a fork after MADV_DOFORK is lost in a warning",
    () =>
      pv(2).map([0, 1], 0)
        .step("madvise", { at: 0, pages: 2, advice_number: 11 }, OK)
        .step("hang", { step: "fork" }, { cause: "warning" }),
  ],
  [
    "what does not change a grant mapping",
    () =>
      pv(2).map([0, 1], 0)
        .step("mlock", { at: 0, pages: 2 }, { ...OK, vmas: [RW2], gt: "19 19" })
        .step("mlockall", { flags: 1 }, { ...OK, vmas: [RW2] })
        .step("munlock", { at: 0, pages: 2 }, { ...OK, vmas: [RW2] })
        .step("munlockall", {}, { ...OK, vmas: [RW2] })
        .step("msync", { at: 0, pages: 2 }, failed("EINVAL"))
        .step("mincore", { at: 0, pages: 2 }, { ...OK, vec: "11" }),
  ],
  [
    "frames mapped by number cannot be pinned",
    () =>
      pv(2)
        .step("odirect_read", { target: "granter view", disk_offset: 0, len: 4096 }, failed("EFAULT"))
        .step("odirect_write", { target: "granter view", disk_offset: 65536, len: 4096 }, failed("EFAULT"))
        .step("proc_mem_read", { target: "granter view", len: 16 }, failed("EIO"))
        .step("ptrace_peek", { target: "granter view" }, failed("EIO")),
  ],
  [
    "debuggers and other processes reach grants",
    () =>
      pv(2).map([0, 1], 0)
        .step("proc_mem_read", { at: 0, len: 16 }, { ret: 16, errno: "0" })
        .step("proc_mem_write", { at: 1, len: 16, written: "the 16 bytes read before" }, {
          ret: 16,
          errno: "0",
        })
        .step("granter_view", { grant: 0, pages: 2 }, { bytes: [0x10, 0x10] })
        .step("ptrace_peek", { at: 1 }, { ...OK, low_byte: 0x10 })
        .step("ptrace_poke", { at: 1, value: 0x77 }, OK)
        .step("process_vm_writev", {
          pid: "self",
          remote: [{ at: 0, byte: 0, len: 4 }],
          local: { len: 4, fill: "0x5a" },
        }, { ret: 4, errno: "0" })
        .step("process_vm_readv", { pid: "self", remote: [{ at: 0, byte: 0, len: 4 }] }, { ret: 4, b0: 0x5a })
        .step("granter_byte", { grant: 0, page: 1, byte_in_page: 0 }, { val: 0x77 }),
  ],
  [
    "long-term pins are refused",
    () =>
      pv(1).map([0], 0).step("io_uring_register_buffers", { at: 0, len: 4096 }, failed("EOPNOTSUPP"))
        .step("mmap_anon_fixed", { at: 4, pages: 1 }, OK)
        .step("io_uring_register_buffers", { at: 4, len: 4096 }, OK)
        .step("io_uring_register_buffers", { at: 9, len: 4096 }, failed("EFAULT"))
        .step("userfaultfd", { flags: 0 }, { ret: 5, errno: "0", compare: { ret: ">=0" } }),
  ],
  [
    "a map is put into a hole only if that is larger",
    () =>
      pv(1).map([0], 0).map([0, 0, 0], 1, "rw-", 1).map([0], 4, "rw-", 2)
        .step("UNMAP_GRANT_REF", { dev: "gntdev0", map: 1, count: 3 }, OK)
        .step(
          "MAP_GRANT_REF",
          { dev: "gntdev0", count: 3, map: 3, entries: [{ grant: 0, page: 0, repeat: 3 }] },
          {
            ...OK,
            index_pages: 5,
          },
        )
        .step(
          "MAP_GRANT_REF",
          { dev: "gntdev0", count: 2, map: 4, entries: [{ grant: 0, page: 0, repeat: 2 }] },
          {
            ...OK,
            index_pages: 1,
          },
        ),
  ],
  [
    "a child that is killed gives nothing of its parent's back",
    () =>
      pv(2).map([0, 1], 0)
        .step("touch", {
          proc: "child",
          setup: [{ do: "fork", process: "child" }],
          rw: "r",
          at: 0,
          pages: 1,
        }, {
          res: ["SIGSEGV/1"],
        })
        .step("wait", {
          setup: [{ do: "raise", process: "child", signal: "SIGKILL" }],
          waits_for: "child",
        }, {
          signal: "SIGKILL",
          gt: "19 19",
        })
        .step("end", {}, { exit: 0, tainted: 0 }),
  ],
  [
    "PVH: a write through a read-only grant is dropped without a fault",
    () =>
      pvh(1, 5).map([0], 0, "r--").step("mprotect", { at: 0, pages: 1, prot: "rw-" }, { ...OK, gt: "d" })
        .step("touch", { rw: "w", at: 0, pages: 1 }, { res: [0xa0] })
        .step("touch", { rw: "r", at: 0, pages: 1 }, { res: [0x10] })
        .step("granter_view", { grant: 0, pages: 1 }, { bytes: [0x10] }),
  ],
  [
    "PVH: munmap keeps the grants, the end of the map gives them back",
    () =>
      pvh(2).map([0, 1], 0).step("munmap", { at: 0, pages: 2 }, { ...OK, vmas: [], gt: "19 19" })
        .step("UNMAP_GRANT_REF", { dev: "gntdev0", map: 0, count: 2 }, { ...OK, gt: "1 1" }),
  ],
];

for (const [title, build] of CASES) {
  Deno.test(`grantCases: ${title}`, async () => {
    const rows = build();
    const { counts, differences } = await rows.replay();
    assertEquals([counts, differences], [[rows.rows.length, 0, 0], []]);
  });
}

const SEGMENTS = [
  {
    source: { kind: "grant", grant: 0, page: 0, offset: 0 },
    dest: { kind: "local", at: 40, byte: 100 },
    len: 64,
    flags: 1,
  },
  {
    source: { kind: "local", at: 41, byte: 4090 },
    dest: { kind: "grant", grant: 0, page: 1, offset: 0 },
    len: 64,
    flags: 2,
  },
  {
    source: { kind: "grant", domid: "granter", ref: 3000, offset: 0 },
    dest: { kind: "local", at: 40, byte: 0 },
    len: 8,
    flags: 1,
  },
];
const LOCAL = [{ do: "mmap_anon", at: 40, pages: 4, fill: "0x55" }];

Deno.test("grantCases replays grant copies, a status per segment", async () => {
  const local = { kind: "local", at: 40, byte: 0 };
  const rows = pv(2)
    .step("GRANT_COPY", { dev: "gntdev0", setup: LOCAL, segments: SEGMENTS }, {
      ...OK,
      status: [0, 0, -3],
      gt: "1 1",
    })
    .step("local_bytes", { byte_offsets: [99, 100, 163, 164] }, { b: [0x55, 0x10, 0x10, 0x55] })
    .step("granter_view", { grant: 0, pages: 2 }, { bytes: [0x10, 0x55] })
    .step("GRANT_COPY", {
      dev: "gntdev0",
      segments: [SEGMENTS[0], { source: local, dest: local, len: 8, flags: 0 }],
    }, { ...failed("EINVAL"), status: [0, 77] })
    .step("GRANT_COPY", { dev: "gntdev0", argp: 8 }, failed("EFAULT"));
  const { counts, differences } = await rows.replay();
  assertEquals([counts, differences], [[6, 0, 0], []]);
});

Deno.test("grantCases compares every output, and only outputs", async () => {
  const table: [rule: string, outputs: Record<string, unknown>, passed: number][] = [
    ["control", { ret: 0, errno: "0", vmas: [], gt: "1 1" }, 1],
    ["note is no output", { ret: 0, errno: "0", note: "something" }, 1],
    ["ret", { ret: 1, errno: "0" }, 0],
    ["errno", { ret: 0, errno: "EINVAL" }, 0],
    ["vmas", { ret: 0, errno: "0", vmas: [RW2] }, 0],
    ["gt", { ret: 0, errno: "0", gt: "19 1" }, 0],
    ["message", { ret: 0, errno: "0", kmsg_kinds: ["warning"] }, 0],
    ["bound", { ret: 7, errno: "0", compare: { ret: ">=0" } }, 1],
    ["bound not met", { ret: 7, errno: "0", compare: { ret: ">=1" } }, 0],
    ["ignored", { ret: 7, errno: "0", compare: { ret: "ignore" } }, 1],
  ];
  for (const [rule, outputs, passed] of table) {
    const { counts } = await pv(2).step("munmap", { at: 0, pages: 2 }, outputs).replay();
    assertEquals(counts, [1 + passed, 1 - passed, 0], rule);
  }
});

Deno.test("grantCases fails a step that it has no model of, and goes on", async () => {
  const { counts, differences } = await pv(1).step("teleport", {}).step("munmap", { at: 0, pages: 1 }, OK)
    .step("munmap", { pages: 1 }, OK).step("touch", { setup: [{ do: "levitate" }], rw: "r", at: 0, pages: 1 })
    .replay();
  assertEquals(counts, [2, 3, 0]);
  assertStringIncludes(differences[0]!, "operation teleport has no model");
  assertStringIncludes(differences[1]!, 'the field "at" is undefined, not a number');
  assertStringIncludes(differences[2]!, 'no model of the set-up "levitate"');
});

Deno.test("grantCases fails a machine that should be lost and goes on", async () => {
  const { differences } = await pv(1).map([0], 0).step("hang", { step: { op: "munmap", at: 0, pages: 1 } }, {
    cause: "oops",
  }).replay();
  assertEquals(differences, [
    "xenpv c foreign step 3: hang: expected the machine is lost: oops, got the machine goes on",
  ]);
});
