import { assertEquals } from "@std/assert";
import { world } from "../../../../lib/experiments/world.ts";
import { readGrantEntry } from "../../../../lib/xen/grant_access.ts";

const GTF_reading = 8;

function refs() {
  const w = world();
  const { grantRefs, domain, work } = w.kernel;
  const flags = (ref: number) => readGrantEntry(domain, ref).flags;
  const use = (ref: number, bits: number) => domain.mem.write16(domain.grantTable.entry(ref), bits);
  return { grantRefs, domain, work, flags, use };
}

Deno.test("grantForeignAccess() hands references out from 8 on and takes freed ones first", () => {
  const { grantRefs, flags } = refs();
  const [a, b] = [grantRefs.grantForeignAccess(1, 77, false), grantRefs.grantForeignAccess(1, 78, true)];
  assertEquals([a, b, flags(8), flags(9)], [8, 9, 1, 5]);
  assertEquals([grantRefs.tryEndForeignAccess(8), flags(8)], [true, 0]);
  assertEquals(grantRefs.grantForeignAccess(2, 79, false), 8);
});

Deno.test("grantForeignAccess() grows the table by a frame when it is full", () => {
  const { grantRefs, domain } = refs();
  for (let i = 8; i < 512; i++) grantRefs.grantForeignAccess(1, 77, false);
  assertEquals(domain.grantTable.nrFrames, 1);
  assertEquals([grantRefs.grantForeignAccess(1, 77, false), domain.grantTable.nrFrames], [512, 2]);
});

Deno.test("endForeignAccess() of a grant in use is tried again every second", () => {
  const { grantRefs, work, use, flags } = refs();
  const ref = grantRefs.grantForeignAccess(1, 77, false);
  use(ref, 1 | GTF_reading);
  let freed = 0;
  grantRefs.endForeignAccess(ref, () => freed++);
  work.advance(1999);
  assertEquals([freed, grantRefs.nrDeferred, flags(ref)], [0, 1, 9]);
  use(ref, 1);
  work.advance(1);
  assertEquals([freed, grantRefs.nrDeferred, flags(ref), work.pending], [1, 0, 0, 0]);
});

Deno.test("endForeignAccess(): one run tries ten", () => {
  const { grantRefs, work, use } = refs();
  let freed = 0;
  for (let i = 0; i < 12; i++) {
    const ref = grantRefs.grantForeignAccess(1, 77, false);
    use(ref, 1 | GTF_reading);
    grantRefs.endForeignAccess(ref, () => freed++);
    use(ref, 1);
  }
  work.advance(1000);
  assertEquals([freed, grantRefs.nrDeferred], [10, 2]);
  work.advance(1000);
  assertEquals([freed, grantRefs.nrDeferred], [12, 0]);
});
