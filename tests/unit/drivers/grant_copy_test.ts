import { assertEquals } from "@std/assert";
import { PAGE } from "../../../lib/core/geometry.ts";
import { gntdevIoctlGrantCopy, type GrantCopySegment } from "../../../lib/drivers/gntdev/grant_copy.ts";
import { world } from "../../../lib/experiments/world.ts";
import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE } from "../../../lib/linux/mm/prot.ts";
import { GNTCOPY_dest_gref, GNTCOPY_source_gref } from "../../../lib/xen/abi.ts";

function setUp(count: number) {
  const w = world();
  const p = w.process();
  const prot = PROT_READ | PROT_WRITE;
  const at = p.mmap({ length: 4 * PAGE, prot, flags: MAP_PRIVATE | MAP_ANONYMOUS });
  if (!at.ok) throw new Error(at.errno);
  for (let i = 0; i < 3; i++) p.write(at.value + i * PAGE, 1 + i);
  const grants = w.guest.grant(count);
  const remote = (i: number, offset = 0) => ({ domid: grants.domid, ref: grants.refs[i] ?? 400, offset });
  const local = (offset: number) => ({ address: at.value + offset });
  const copy = (segments: GrantCopySegment[]) => gntdevIoctlGrantCopy(w.kernel, p.mm, segments);
  return { w, p, at: at.value, grants, remote, local, copy };
}

const segment = (
  source: GrantCopySegment["source"],
  dest: GrantCopySegment["dest"],
  len: number,
): GrantCopySegment => ({
  source,
  dest,
  len,
  flags: ("ref" in source ? GNTCOPY_source_gref : 0) | ("ref" in dest ? GNTCOPY_dest_gref : 0),
  status: 77,
});

Deno.test("GRANT_COPY copies both ways and across pages of the program", () => {
  const { w, p, at, grants, remote, local, copy } = setUp(2);
  const segments = [
    segment(remote(0), local(PAGE - 2), 4),
    segment(local(2 * PAGE), remote(1, 100), 1),
    segment(remote(1, 100), remote(0, 5), 1),
  ];
  assertEquals(copy(segments), { ok: true, value: 0 });
  assertEquals(segments.map(({ status }) => status), [0, 0, 0]);
  assertEquals(
    [PAGE - 3, PAGE - 2, PAGE + 1, PAGE + 2].map((i) => p.read(at + i)).map((r) => r.ok && r.value),
    [
      0,
      0x10,
      0x10,
      0,
    ],
  );
  assertEquals([w.guest.read(grants, 1, 100), w.guest.read(grants, 0, 5)], [3, 3]);
});

Deno.test("GRANT_COPY issues 16 operations a hypercall", () => {
  for (const [n, hypercalls] of [[1, 1], [16, 1], [17, 2], [33, 3]] as const) {
    const { w, remote, local, copy } = setUp(1);
    const before = w.trace.mark();
    copy(Array.from({ length: n }, () => segment(remote(0), local(0), 8)));
    const counted = w.trace.since(before).hypercall;
    assertEquals([n, counted], [n, hypercalls]);
  }
});

Deno.test("GRANT_COPY: a bad reference is its segment's status, a bad segment an error that leaves the rest undone", () => {
  const { w, grants, remote, local, copy } = setUp(2);
  const segments = [segment(remote(0), local(0), 8), segment(remote(99), local(0), 8)];
  assertEquals([copy(segments), segments.map(({ status }) => status)], [{ ok: true, value: 0 }, [0, -1]]);
  const table: [GrantCopySegment, string][] = [
    [segment(local(0), local(PAGE), 8), "EINVAL"],
    [segment(remote(0, PAGE - 4), local(0), 8), "EINVAL"],
    [segment(local(0), remote(0, PAGE - 4), 8), "EINVAL"],
    [segment(remote(0), { address: 4096 }, 8), "EFAULT"],
  ];
  for (const [bad, errno] of table) {
    const first = segment(local(2 * PAGE), remote(1, 7), 1);
    const last = segment(remote(0), local(0), 8);
    assertEquals([copy([first, bad, last]), last.status], [{ ok: false, errno }, 77]);
    assertEquals([first.status, w.guest.read(grants, 1, 7)], [0, 0x11], "okay, but never copied");
  }
});

Deno.test("GRANT_COPY gives its pins back", () => {
  const { w, p, at, remote, local, copy } = setUp(1);
  const { refcount } = w.kernel.system.memMap;
  const total = () => refcount.reduce((sum, n) => sum + n, 0);
  p.read(at + 3 * PAGE);
  const before = total();
  copy([segment(local(0), remote(0), 8), segment(remote(0), { address: 4096 }, 8)]);
  assertEquals(total(), before);
});
