import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { DomainCrash } from "../../lib/core/crash.ts";
import type { Maddr } from "../../lib/core/frames.ts";
import * as xen from "../../lib/xen/mod.ts";
import { holds } from "../support/property.ts";
import { assertInOrder, type Host, host } from "../unit/xen/two_domains.ts";

/** Words that a guest may pass: near limits, odd, enormous, and no words at all. */
const WORD = fc.oneof(
  fc.nat(20),
  fc.constantFrom(
    -1,
    0.5,
    NaN,
    Infinity,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
    2 ** 53,
    2 ** 63,
    0x7ff0,
    0x7ff1,
    511,
    512,
    4096,
  ),
  fc.integer(),
  fc.double(),
);
const RECORD = fc.record({
  host_addr: fc.oneof(WORD, fc.integer({ min: 0x200, max: 0x210 }).map((n) => n * 4096)),
  new_addr: WORD,
  dev_bus_addr: WORD,
  flags: fc.oneof(fc.nat(0x1f), WORD),
  ref: fc.oneof(fc.integer({ min: 7, max: 10 }), WORD),
  ref_a: WORD,
  ref_b: WORD,
  dom: fc.oneof(fc.nat(3), WORD),
  domid: fc.oneof(fc.nat(3), WORD),
  handle: WORD,
  version: WORD,
  nr_frames: WORD,
  mfn: fc.oneof(fc.integer({ min: 60, max: 90 }), WORD),
  len: WORD,
  source: fc.record({ ref: WORD, domid: fc.oneof(fc.nat(3), WORD), offset: WORD }),
  dest: fc.record({ gmfn: WORD, domid: fc.oneof(fc.nat(3), WORD), offset: WORD }),
}, { noNullPrototype: true });

/** Linear addresses that dom0's tables map, others, and words that are none. */
const ADDRESS = fc.oneof(fc.integer({ min: 0x1fe, max: 0x212 }).map((n) => n * 4096 + 8), WORD);
const UPDATE = fc.record({
  ptr: fc.oneof(
    WORD,
    fc.nat(4095).map((n) => 5 * 4096 + n),
  ),
  frame: fc.oneof(fc.nat(90), WORD),
  flags: fc.oneof(fc.constantFrom(1, 3, 7, 0x27, 0x67), WORD),
});
const VA_UPDATE = fc.record({
  va: ADDRESS,
  frame: fc.oneof(fc.nat(90), WORD),
  flags: fc.oneof(fc.constantFrom(0, 1, 3, 7, 0x27, 0x67), WORD),
  uvmf: fc.oneof(fc.nat(7), WORD),
  domid: fc.oneof(fc.nat(3), WORD),
});
const GRANT_OPS = fc.record({
  cmd: fc.oneof(fc.nat(12), WORD),
  ops: fc.option(fc.array(fc.option(RECORD, { freq: 20 }), { maxLength: 4 }), { freq: 20 }),
});
const EXT_OP = fc.record({
  cmd: fc.oneof(fc.nat(16), WORD),
  mfn: fc.oneof(fc.nat(90), WORD),
  linear: ADDRESS,
  vcpumask: WORD,
});

/** One entry of a multicall: a kind of call, known or not, and what it needs. */
const ENTRY = fc.oneof(
  GRANT_OPS.map((call) => ({ op: "grant_table_op", ...call })),
  fc.record({
    op: fc.constant("mmu_update"),
    updates: fc.array(fc.option(UPDATE, { freq: 20 }), { maxLength: 3 }),
    foreigndom: WORD,
  }),
  VA_UPDATE.map((call) => ({ op: "update_va_mapping", ...call })),
  VA_UPDATE.map((call) => ({ op: "update_va_mapping_otherdomain", ...call })),
  fc.record({
    op: fc.constant("mmuext_op"),
    ops: fc.array(fc.option(EXT_OP, { freq: 20 }), { maxLength: 3 }),
  }),
  fc.record({ op: fc.string() }),
);

const CALL = fc.oneof(
  GRANT_OPS.chain((call) =>
    fc.record({ kind: fc.constant("grant" as const), who: fc.nat(2), call: fc.constant(call) })
  ),
  fc.record({
    kind: fc.constant("mmu" as const),
    who: fc.nat(2),
    list: fc.array(fc.option(UPDATE, { freq: 20 }), { maxLength: 3 }),
    foreign: fc.oneof(fc.nat(3), WORD),
  }),
  fc.record({ kind: fc.constant("va" as const), who: fc.nat(2), update: VA_UPDATE }),
  fc.record({
    kind: fc.constant("multi" as const),
    who: fc.nat(2),
    calls: fc.array(ENTRY, { maxLength: 4 }),
  }),
  fc.record({
    kind: fc.constant("ext" as const),
    who: fc.nat(2),
    ops: fc.array(fc.option(EXT_OP, { freq: 20 }), { maxLength: 3 }),
  }),
  fc.record({ kind: fc.constant("remove" as const), who: fc.nat(2), gpfn: WORD }),
  fc.record({
    kind: fc.constant("physmap" as const),
    who: fc.nat(2),
    space: fc.oneof(fc.constantFrom(1, 4), WORD),
    idx: fc.oneof(fc.nat(9), WORD),
    gpfn: WORD,
    dom: fc.oneof(fc.nat(3), WORD),
  }),
  fc.record({
    kind: fc.constant("entry" as const),
    who: fc.nat(2),
    ref: fc.nat(511),
    words: fc.array(fc.integer(), { minLength: 4, maxLength: 4 }),
  }),
);
type Call = typeof CALL extends fc.Arbitrary<infer T> ? T : never;

/** Fresh records: the calls write to them. */
function grantOps(ops: readonly (object | null)[] | null): object[] | null {
  return ops?.map((op) => op === null ? null : { ...op, status: 77, frame_list: [] }) as object[] | null ??
    null;
}

function assertErrno(rc: number): void {
  assert(Number.isInteger(rc) && rc <= 0 && rc > -4096, `${rc} is no errno`);
}

function call(h: Host, domains: readonly xen.Domain[], c: Call): void {
  const caller = domains[c.who]!;
  switch (c.kind) {
    case "grant": {
      xen.grantTableOp(h.hv, caller, c.call.cmd, grantOps(c.call.ops) as never);
      return;
    }
    case "mmu":
      xen.mmuUpdate(h.hv, caller, c.list, c.foreign);
      return;
    case "ext":
      xen.mmuextOp(h.hv, caller, c.ops);
      return;
    case "va": {
      const { va, frame, flags, uvmf } = c.update;
      assertErrno(xen.updateVaMapping(h.hv, caller, va, frame, flags, uvmf));
      assertErrno(xen.updateVaMappingOtherdomain(h.hv, caller, c.update));
      return;
    }
    case "multi": {
      const calls = c.calls.map((call) => "cmd" in call ? { ...call, ops: grantOps(call.ops) } : call);
      const results = xen.multicall(h.hv, caller, calls as unknown as xen.MulticallEntry[]);
      assertEquals(results.length, calls.length, "every entry runs");
      for (const { rc } of results) assertErrno(rc);
      return;
    }
    case "remove":
      assertErrno(xen.removeFromPhysmap(h.hv, caller, c.gpfn));
      return;
    case "physmap":
      xen.addToPhysmap(h.hv, caller, { space: c.space, idx: c.idx, gpfn: c.gpfn, foreign_domid: c.dom });
      return;
    case "entry": {
      if (c.ref >= caller.grantTable.nrEntries || caller.isDying) return;
      const at = caller.grantTable.entry(c.ref);
      const size = caller.grantTable.version === 1 ? 2 : 4;
      for (let i = 0; i < size; i++) h.hv.mem.write32((at + 4 * i) as Maddr, c.words[i]!);
    }
  }
}

Deno.test("whatever a guest passes ends in a status, an errno or a modelled crash", () => {
  holds([fc.array(CALL, { minLength: 5, maxLength: 30 })], (calls) => {
    const h = host();
    const domains = [h.dom0, h.guest, h.hv.createDomain({ kind: "pvh", frames: 16, maxGrantFrames: 3 })];
    for (const domain of domains) {
      for (let ref = 8; ref < 12; ref++) {
        const frame = domain.external ? ref : domain.mfnOf(ref);
        xen.grantAccess(domain, ref, { domid: domains[ref % 3]!.domid, frame, readonly: ref === 11 });
      }
    }
    for (const c of calls) {
      const caller = domains[c.who]!;
      if (caller.crash !== null) continue;
      try {
        call(h, domains, c);
      } catch (e) {
        if (!(e instanceof DomainCrash)) throw e;
      }
      assertInOrder(h, { guestsBehave: false });
    }
    for (const domain of domains) xen.domainKill(h.hv, domain);
    assertInOrder(h, { guestsBehave: false });
    assertEquals(h.hv.frames.nrOwned, 0, "nothing is left");
  }, 200);
});
