/**
 * mprotect, mremap and MADV_DONTNEED on a part of a PV grant mapping answer 0 and drop the grants of that part without a
 * word: gntdev's notifier does not ask why a range is invalidated. The VMA stays, the next access is a SIGBUS, and the
 * granter finds its page given back.
 *
 * @cite recorded grant-cases-pv.jsonl mprotect_split
 * @cite recorded grant-cases-pv.jsonl mremap_partial
 * @cite recorded grant-cases-pv.jsonl madvise
 * @module
 */

import { assertEquals } from "@std/assert";
import { PAGE } from "../../lib/core/geometry.ts";
import type { Process } from "../../lib/experiments/process.ts";
import { world } from "../../lib/experiments/world.ts";
import { MADV, madvise } from "../../lib/linux/mm/madvise.ts";
import { mremap } from "../../lib/linux/mm/mremap.ts";
import { readGrantEntry } from "../../lib/xen/grant_access.ts";

/** Pages 2 and 3 of 6. */
const CALLS: readonly { call: string; run: (p: Process, at: number) => boolean; dropped: boolean }[] = [
  { call: "control: nothing", run: () => true, dropped: false },
  { call: "mprotect to the same rights", run: (p, at) => p.mprotect(at, 2 * PAGE, 3).ok, dropped: false },
  { call: "mprotect to read-only", run: (p, at) => p.mprotect(at, 2 * PAGE, 1).ok, dropped: true },
  { call: "mprotect to nothing", run: (p, at) => p.mprotect(at, 2 * PAGE, 0).ok, dropped: true },
  {
    call: "mremap to another place",
    run: (p, at) =>
      mremap(p.mm, {
        address: at,
        oldLength: 2 * PAGE,
        newLength: 2 * PAGE,
        flags: 3,
        newAddress: 0x1000_0000_0000,
      }).ok,
    dropped: true,
  },
  { call: "MADV_DONTNEED", run: (p, at) => madvise(p.mm, at, 2 * PAGE, MADV.DONTNEED).ok, dropped: true },
];

for (const { call, run, dropped } of CALLS) {
  for (const kernel of ["linux4_0", "linux6_1", "linux7_1"]) {
    Deno.test(`${kernel}: ${call} of a part ${dropped ? "drops its grants silently" : "leaves them"}`, () => {
      const w = world({ kernel });
      const p = w.process("qemu");
      const { start } = p.mmapGrants(w.guest.grant(6));
      assertEquals(run(p, start + 2 * PAGE), true, "the call succeeds");
      const flags = [8, 9, 10, 11, 12, 13].map((ref) => readGrantEntry(w.guest.domain, ref).flags);
      assertEquals(flags, dropped ? [0x19, 0x19, 1, 1, 0x19, 0x19] : [0x19, 0x19, 0x19, 0x19, 0x19, 0x19]);
      assertEquals(p.read(start + PAGE), { ok: true, value: 0x11 });
      assertEquals(p.read(start + 4 * PAGE), { ok: true, value: 0x14 });
      assertEquals(p.read(start + 2 * PAGE).ok, !dropped);
      assertEquals([w.kernel.system.log, w.hv.leaks], [[], []], "nobody reports it");
    });
  }
}
