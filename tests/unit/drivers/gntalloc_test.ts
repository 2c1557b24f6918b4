import { assertEquals } from "@std/assert";
import { PAGE } from "../../../lib/core/geometry.ts";
import { gntallocIoctlAlloc } from "../../../lib/drivers/gntalloc/alloc_gref.ts";
import { gntallocIoctlDealloc } from "../../../lib/drivers/gntalloc/dealloc_gref.ts";
import { GntallocState } from "../../../lib/drivers/gntalloc/grefs.ts";
import { gntallocOpen } from "../../../lib/drivers/gntalloc/open.ts";
import { gntallocIoctlUnmapNotify } from "../../../lib/drivers/gntalloc/set_unmap_notify.ts";
import { EvtchnFile } from "../../../lib/drivers/evtchn/open.ts";
import { UNMAP_NOTIFY_CLEAR_BYTE, UNMAP_NOTIFY_SEND_EVENT } from "../../../lib/drivers/unmap_notify.ts";
import { world } from "../../../lib/experiments/world.ts";
import { fput } from "../../../lib/linux/mm/file.ts";
import { MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE } from "../../../lib/linux/mm/prot.ts";
import { readGrantEntry } from "../../../lib/xen/grant_access.ts";

function opened() {
  const w = world({ dom0Frames: 2048 });
  const state = new GntallocState(w.kernel);
  const { file, priv } = gntallocOpen(state);
  const alloc = (count: number, flags = 1) => gntallocIoctlAlloc(priv, { domid: 1, flags, count });
  const flagsOf = (ref: number) => readGrantEntry(w.dom0, ref).flags;
  return { w, state, file, priv, alloc, flagsOf };
}

Deno.test("ALLOC_GREF grants pages of zeros at once, at the next offset", () => {
  const { alloc, flagsOf } = opened();
  assertEquals(alloc(2), { ok: true, value: { index: 0, refs: [8, 9] } });
  assertEquals(alloc(1, 0), { ok: true, value: { index: 2 * PAGE, refs: [10] } });
  assertEquals([flagsOf(8), flagsOf(10)], [1, 5]);
  assertEquals(alloc(0), { ok: true, value: { index: 3 * PAGE, refs: [] } });
});

Deno.test("ALLOC_GREF counts all files of the kernel against one limit", () => {
  const { state, alloc } = opened();
  const other = gntallocOpen(state).priv;
  assertEquals(alloc(1023).ok, true);
  assertEquals(gntallocIoctlAlloc(other, { domid: 1, flags: 1, count: 2 }), { ok: false, errno: "ENOSPC" });
  assertEquals(gntallocIoctlAlloc(other, { domid: 1, flags: 1, count: 1 }).ok, true);
});

Deno.test("DEALLOC_GREF wants so many pages in a row from an offset on", () => {
  const table: [index: number, count: number, ok: boolean][] = [
    [0, 3, true],
    [PAGE, 1, true],
    [PAGE, 2, true],
    [0, 0, false],
    [0, 4, false],
    [3 * PAGE, 1, false],
    [1, 1, false],
  ];
  for (const [index, count, isOk] of table) {
    const { alloc, priv, state } = opened();
    alloc(3);
    assertEquals([index, count, gntallocIoctlDealloc(priv, index, count).ok], [index, count, isOk]);
    assertEquals(state.size, isOk ? 3 - count : 3);
  }
});

Deno.test("a mapping keeps its pages after DEALLOC_GREF and after close", () => {
  const { w, state, file, priv, alloc, flagsOf } = opened();
  alloc(2);
  const p = w.process();
  const flags = MAP_SHARED;
  const at = p.mmap({ length: 2 * PAGE, prot: PROT_READ | PROT_WRITE, flags, file, offset: 0 });
  if (!at.ok) throw new Error(at.errno);
  gntallocIoctlDealloc(priv, 0, 2);
  fput(file);
  assertEquals([p.write(at.value, 3), p.read(at.value), state.size], [
    { ok: true, value: 3 },
    { ok: true, value: 3 },
    2,
  ]);
  p.munmap(at.value, PAGE);
  assertEquals([flagsOf(8), state.size], [1, 2]);
  p.munmap(at.value + PAGE, PAGE);
  assertEquals([flagsOf(8), flagsOf(9), state.size], [0, 0, 0]);
});

Deno.test("mmap refuses private mappings, with a message, and what was not allocated", () => {
  const { w, file, alloc } = opened();
  alloc(2);
  const p = w.process();
  const request = { length: 2 * PAGE, prot: PROT_READ, file, offset: 0 };
  assertEquals(p.mmap({ ...request, flags: MAP_PRIVATE }), { ok: false, errno: "EINVAL" });
  assertEquals(w.kernel.system.log.map(({ kind, where }) => [kind, where]), [[
    "driver-message",
    "gntalloc_mmap",
  ]]);
  assertEquals(p.mmap({ ...request, flags: MAP_SHARED, length: 3 * PAGE }), { ok: false, errno: "ENOENT" });
});

Deno.test("SET_UNMAP_NOTIFY clears the byte and sends the event when the page is given up", () => {
  const { w, priv, alloc } = opened();
  alloc(1);
  const evtchn = new EvtchnFile(w.kernel);
  const p1 = evtchn.bindUnboundPort();
  const p2 = evtchn.bindInterdomain(p1);
  if (!p2.ok) throw new Error(p2.errno);
  assertEquals(evtchn.read(4), { ok: true, value: [p2.value] }, "binding notifies");
  const action = UNMAP_NOTIFY_CLEAR_BYTE | UNMAP_NOTIFY_SEND_EVENT;
  const notify = (index: number, what: number, port: number) =>
    gntallocIoctlUnmapNotify(priv, { index, action: what, eventChannelPort: port });
  assertEquals(notify(PAGE, action, p2.value), { ok: false, errno: "ENOENT" });
  assertEquals(notify(5, 4, p2.value), { ok: false, errno: "EINVAL" });
  assertEquals(notify(5, action, 99), { ok: false, errno: "EINVAL" });
  assertEquals(notify(5, action, p2.value), { ok: true, value: 0 });
  const frame = w.kernel.system.frameOf(priv.list[0]!.page);
  w.hv.mem.fillFrame(frame, 0xff);
  gntallocIoctlDealloc(priv, 0, 1);
  assertEquals([4, 5, 6].map((at) => w.hv.mem.read8(frame * PAGE + at as never)), [0xff, 0, 0xff]);
  assertEquals([evtchn.read(8), evtchn.read(8)], [{ ok: true, value: [p1] }, { ok: false, errno: "EAGAIN" }]);
});
