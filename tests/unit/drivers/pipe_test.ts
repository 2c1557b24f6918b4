import { assertEquals } from "@std/assert";
import { PAGE } from "../../../lib/core/geometry.ts";
import { Pipe } from "../../../lib/drivers/pipe.ts";
import { world } from "../../../lib/experiments/world.ts";
import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE } from "../../../lib/linux/mm/prot.ts";

function setUp(slots = 16) {
  const w = world();
  const p = w.process();
  const prot = PROT_READ | PROT_WRITE;
  const at = p.mmap({ length: 4 * PAGE, prot, flags: MAP_PRIVATE | MAP_ANONYMOUS });
  if (!at.ok) throw new Error(at.errno);
  for (let i = 0; i < 3; i++) p.write(at.value + i * PAGE, 1 + i);
  return { w, p, at: at.value, pipe: new Pipe(w.kernel.system, slots) };
}

Deno.test("Pipe.write() copies: later stores are not seen", () => {
  const { p, at, pipe } = setUp();
  assertEquals(pipe.write(p.mm, at, PAGE), { ok: true, value: PAGE });
  p.write(at, 99);
  const bytes = pipe.readBytes(PAGE);
  assertEquals(bytes.ok && [bytes.value.length, bytes.value[0]], [PAGE, 1]);
  assertEquals(pipe.readBytes(1), { ok: false, errno: "EAGAIN" });
});

Deno.test("Pipe.vmsplice() puts the page itself in: later stores are seen, its reference is kept", () => {
  const { w, p, at, pipe } = setUp();
  const free = w.kernel.system.memMap.nrFree;
  assertEquals(pipe.vmsplice(p.mm, at + 4000, PAGE), { ok: true, value: PAGE });
  assertEquals(pipe.nrBuffers, 2);
  p.write(at + PAGE, 99);
  const bytes = pipe.readBytes(2 * PAGE);
  assertEquals(bytes.ok && [bytes.value.length, bytes.value[0], bytes.value[96]], [PAGE, 0, 99]);
  assertEquals(w.kernel.system.memMap.nrFree, free);
});

Deno.test("Pipe: a full pipe takes no more, a part of a page can be read", () => {
  const { p, at, pipe } = setUp(2);
  assertEquals(pipe.vmsplice(p.mm, at, 3 * PAGE), { ok: true, value: 2 * PAGE });
  assertEquals(pipe.vmsplice(p.mm, at, PAGE), { ok: false, errno: "EAGAIN" });
  assertEquals(pipe.write(p.mm, at, PAGE), { ok: false, errno: "EAGAIN" });
  assertEquals(pipe.readBytes(10).ok && pipe.nrBuffers, 2);
  assertEquals(pipe.read(p.mm, at + 3 * PAGE, PAGE), { ok: true, value: PAGE });
  assertEquals([p.read(at + 3 * PAGE + PAGE - 10), pipe.nrBuffers], [{ ok: true, value: 2 }, 1]);
  pipe.release();
  assertEquals(pipe.nrBuffers, 0);
});

Deno.test("Pipe: memory that is not there is EFAULT, what comes before it counts", () => {
  const { p, at, pipe } = setUp();
  assertEquals(pipe.write(p.mm, at + 64 * PAGE, 1), { ok: false, errno: "EFAULT" });
  assertEquals(pipe.vmsplice(p.mm, at + 64 * PAGE, 1), { ok: false, errno: "EFAULT" });
  assertEquals(pipe.write(p.mm, at + 3 * PAGE, 2 * PAGE), { ok: true, value: PAGE });
});

Deno.test("Pipe: a grant whose kernel mapping is gone cannot be read any more", () => {
  const { w, p, pipe } = setUp();
  const vma = p.mmapGrants(w.guest.grant(1));
  const { start } = vma;
  pipe.vmsplice(p.mm, start, PAGE);
  p.munmap(start, PAGE);
  assertEquals(pipe.readBytes(PAGE), { ok: false, errno: "EFAULT" });
  assertEquals(w.kernel.system.log.map(({ kind }) => kind), ["bad-page-map", "warning"]);
});
