import { assertEquals } from "@std/assert";
import type { Maddr } from "../../../lib/core/frames.ts";
import * as xen from "../../../lib/xen/mod.ts";
import { byteAt, copy, copyOp, setVersion, writeV2 } from "./grant_writers.ts";
import { assertInOrder, grant, type Host, host, type HostOptions, map, REF } from "./two_domains.ts";

const { GNTCOPY_source_gref: SOURCE, GNTCOPY_dest_gref: DEST } = xen;

/** One copy from the guest's first grant to a frame of dom0's; `expect` is its status. */
interface Row {
  rule: string;
  options?: HostOptions;
  given?: (h: Host) => void;
  op?: (h: Host) => Partial<xen.GnttabCopy>;
  expect: number;
}

const from = (h: Host, change: Partial<xen.GnttabCopyPtr>) => ({
  source: { ref: REF, domid: h.guest.domid, offset: 0, ...change },
});
const to = (h: Host, change: Partial<xen.GnttabCopyPtr>) => ({
  dest: { gmfn: h.dom0.mfnOf(10), domid: xen.DOMID_SELF, offset: 0, ...change },
});
const noCopy: Partial<xen.XsmPolicy> = { grantCopy: () => false };

const ROWS: Row[] = [
  { rule: "control", expect: 0 },
  // 0
  { rule: "no bytes", op: () => ({ len: 0 }), expect: 0 },
  {
    rule: "no bytes from nobody, before 2024",
    op: (h) => ({ len: 0, ...from(h, { domid: 999 }) }),
    expect: -2,
  },
  {
    rule: "no bytes from nobody, since 2024",
    options: { flavour: { copyIgnoresEmpty: true } },
    op: (h) => ({ len: 0, ...from(h, { domid: 999 }) }),
    expect: 0,
  },
  { rule: "len is 16 bits wide", op: () => ({ len: 0x10000 + 4096 }), expect: 0 },
  // 1
  { rule: "source by number of another domain", op: () => ({ flags: 0 }), expect: -8 },
  { rule: "dest by number of another domain", op: (h) => to(h, { domid: h.guest.domid }), expect: -8 },
  { rule: "1 before 2 on the same side", op: (h) => ({ flags: 0, ...from(h, { domid: 999 }) }), expect: -8 },
  {
    rule: "source's 2 before dest's 1",
    op: (h) => ({ ...from(h, { domid: 999 }), ...to(h, { domid: h.guest.domid }) }),
    expect: -2,
  },
  // 2
  { rule: "no such source domain", op: (h) => from(h, { domid: 999 }), expect: -2 },
  {
    rule: "no such dest domain",
    op: (h) => ({ flags: SOURCE | DEST, ...to(h, { domid: 999 }) }),
    expect: -2,
  },
  // 3
  { rule: "security module", options: { flavour: { xsm: { ...xen.xsmDummy, ...noCopy } } }, expect: -8 },
  {
    rule: "2 before 3",
    options: { flavour: { xsm: { ...xen.xsmDummy, ...noCopy } } },
    op: (h) => from(h, { domid: 999 }),
    expect: -2,
  },
  {
    rule: "3 before 4",
    options: { flavour: { xsm: { ...xen.xsmDummy, ...noCopy } } },
    op: (h) => from(h, { ref: 512 }),
    expect: -8,
  },
  // 4
  { rule: "last reference, free", op: (h) => from(h, { ref: 511 }), expect: -1 },
  { rule: "first reference beyond the table", op: (h) => from(h, { ref: 512 }), expect: -3 },
  { rule: "entry for another domain", given: (h) => grant(h, 1, { domid: 7 }), expect: -1 },
  {
    rule: "frame of nobody",
    given: (h) => xen.grantAccess(h.guest, REF, { domid: 0, frame: 4000 }),
    expect: -9,
  },
  { rule: "read-only entry as a source", given: (h) => grant(h, 1, { readonly: true }), expect: 0 },
  { rule: "4 before 6", op: (h) => from(h, { ref: 512, offset: 4090 }), expect: -3 },
  // 5
  {
    rule: "read-only entry as a dest",
    given: (h) => grant(h, 1, { readonly: true }),
    op: (h) => ({ flags: DEST, ...swapSides(h) }),
    expect: -1,
  },
  { rule: "dest is a page table", op: (h) => to(h, { gmfn: h.dom0.mfnOf(4) }), expect: -1 },
  { rule: "dest is no frame", op: (h) => to(h, { gmfn: 0xfffffff }), expect: -9 },
  {
    rule: "4 before 5",
    op: (h) => ({ ...from(h, { ref: 512 }), ...to(h, { gmfn: 0xfffffff }) }),
    expect: -3,
  },
  { rule: "5 before 6", op: (h) => to(h, { gmfn: 0xfffffff, offset: 4081 }), expect: -9 },
  // 6
  { rule: "dest ends with the page", op: (h) => to(h, { offset: 4080 }), expect: 0 },
  { rule: "source ends with the page", op: (h) => from(h, { offset: 4080 }), expect: 0 },
  { rule: "source crosses the page", op: (h) => from(h, { offset: 4081 }), expect: -10 },
  { rule: "dest crosses the page", op: (h) => to(h, { offset: 4081 }), expect: -10 },
  { rule: "a whole page", op: () => ({ len: 4096 }), expect: 0 },
  { rule: "more than a page", op: () => ({ len: 4097 }), expect: -10 },
];

function swapSides(h: Host): Pick<xen.GnttabCopy, "source" | "dest"> {
  return {
    source: { gmfn: h.dom0.mfnOf(10), domid: xen.DOMID_SELF, offset: 0 },
    dest: { ref: REF, domid: h.guest.domid, offset: 0 },
  };
}

for (const { rule, options, given, op, expect } of ROWS) {
  Deno.test(`gnttabCopy() ${rule}: ${xen.statusName(expect)}`, () => {
    const h = host(options);
    grant(h, 2);
    h.hv.mem.fillFrame(h.guest.mfnOf(0), 0x5a);
    given?.(h);
    assertEquals(copy(h, op?.(h)), expect);
    assertInOrder(h);
    const entry = h.gtf(REF);
    assertEquals(entry & 0x18, 0, "nothing stays in use");
  });
}

Deno.test("gnttabCopy() copies exactly the bytes, both ways, also within a frame", () => {
  const h = host();
  grant(h, 1);
  for (let i = 0; i < 64; i++) h.hv.mem.write8((h.guest.mfnOf(0) * 4096 + i) as Maddr, i);
  assertEquals(copy(h, { ...from(h, { offset: 3 }), ...to(h, { offset: 9 }), len: 5 }), 0);
  const bytes = Array.from({ length: 7 }, (_, i) => byteAt(h, h.dom0.mfnOf(10), 8 + i));
  assertEquals(bytes, [0, 3, 4, 5, 6, 7, 0]);
  const within = {
    source: { ref: REF, domid: h.guest.domid, offset: 0 },
    dest: { ref: REF, domid: h.guest.domid, offset: 2 },
  };
  assertEquals(copy(h, { ...within, flags: SOURCE | DEST, len: 8 }), 0);
  assertEquals(Array.from({ length: 6 }, (_, i) => byteAt(h, h.guest.mfnOf(0), i)), [0, 1, 0, 1, 2, 3]);
  assertInOrder(h);
});

Deno.test("gnttabCopy() keeps a side's page while the next operation names it", () => {
  const rows: [
    rule: string,
    flavour: Partial<xen.XenFlavour>,
    second: (h: Host) => Partial<xen.GnttabCopy>,
    locks: number,
  ][] = [
    ["same grant, same frame", {}, () => ({}), 2],
    ["same grant, other frame", {}, (h) => to(h, { gmfn: h.dom0.mfnOf(11) }), 2],
    ["other grant", {}, (h) => from(h, { ref: REF + 1 }), 4],
    ["other domain on the other side", {}, (h) => to(h, { domid: 0, ref: 8 }), 4],
    ["the first failed", {}, () => ({}), 4],
    ["a release that keeps nothing", { copyKeepsPages: false }, () => ({}), 4],
  ];
  for (const [rule, flavour, second, locks] of rows) {
    const h = host({ flavour });
    grant(h, 2);
    xen.grantAccess(h.dom0, 8, { domid: 0, frame: h.dom0.mfnOf(12) });
    const isOther = rule.includes("other side");
    const first = copyOp(h, rule === "the first failed" ? { len: 4097 } : {});
    const next = copyOp(h, isOther ? { ...second(h), flags: SOURCE | DEST } : second(h));
    const before = h.trace.count("active_lock");
    xen.grantTableOp(h.hv, h.dom0, xen.GNTTABOP_copy, [first, next]);
    const extra = isOther ? 2 : 0; // dom0's own grant
    assertEquals(h.trace.count("active_lock") - before - extra, locks, rule);
    assertEquals(next.status, 0, rule);
    assertInOrder(h);
  }
});

Deno.test("gnttabCopy() goes on after an element that failed, stops at one that cannot be read", () => {
  const h = host();
  grant(h, 2);
  const ops = [copyOp(h), copyOp(h, from(h, { ref: 512 })), copyOp(h)];
  assertEquals(xen.grantTableOp(h.hv, h.dom0, xen.GNTTABOP_copy, ops), 0);
  assertEquals(ops.map((op) => op.status), [0, -3, 0]);
  const cut = [copyOp(h), null, copyOp(h)];
  assertEquals(xen.grantTableOp(h.hv, h.dom0, xen.GNTTABOP_copy, cut), -14);
  assertEquals([cut[0]!.status, cut[2]!.status], [0, 77]);
  assertInOrder(h);
});

Deno.test("gnttabCopy() lets go of its pages before it is interrupted", () => {
  const h = host();
  grant(h, 1);
  const seen: [number, number][] = [];
  h.hv.preemption = {
    check: ({ done }) => done === 1,
    whileAway: ({ done }) => seen.push([done, h.guest.grantTable.pin[REF]!]),
  };
  const before = h.trace.count("hypercall");
  const ops = [copyOp(h), copyOp(h), copyOp(h)];
  assertEquals(xen.grantTableOp(h.hv, h.dom0, xen.GNTTABOP_copy, ops), 0);
  assertEquals([seen, ops.map((op) => op.status)], [[[1, 0]], [0, 0, 0]]);
  assertEquals(h.trace.count("hypercall") - before, 2, "left and entered again");
  assertInOrder(h);
});

/** A version-2 guest, whose entry REF is written anew. */
function v2(entry: Parameters<typeof writeV2>[2], flavour: Partial<xen.XenFlavour> = {}): Host {
  const h = host({ flavour });
  assertEquals(setVersion(h, h.guest, 2), { rc: 0, version: 2 });
  writeV2(h.guest, REF, entry);
  return h;
}

Deno.test("gnttabCopy() stays inside a sub-page grant, which cannot be mapped", () => {
  const sub = (h: Host) => ({
    flags: xen.GTF_permit_access | xen.GTF_sub_page,
    domid: 0,
    frame: h.guest.mfnOf(0),
    offset: 100,
    length: 50,
  });
  const rows: [offset: number, len: number, expect: number][] = [
    [100, 50, 0],
    [99, 50, -1],
    [100, 51, -1],
    [149, 1, 0],
    [150, 1, -1],
  ];
  for (const [offset, len, expect] of rows) {
    const h = v2({ flags: 0, domid: 0 });
    writeV2(h.guest, REF, sub(h));
    assertEquals(copy(h, { ...from(h, { offset }), len }), expect, `${offset}+${len}`);
    assertEquals(map(h, { flags: xen.GNTMAP_device_map }).status, -1);
    assertInOrder(h);
  }
});

Deno.test("gnttabCopy() follows a grant of a grant, one level deep", () => {
  const rows: [
    rule: string,
    change: (h: Host, third: xen.Domain) => void,
    expect: number,
    flavour?: Partial<xen.XenFlavour>,
  ][] = [
    ["control", () => {}, 0],
    ["transitive grants switched off", () => {}, -1, { transitiveGrants: false }],
    ["of itself", (h) => writeV2(h.guest, REF, { flags: 3, domid: 0, trans: h.guest.domid, gref: 9 }), -1],
    ["of nobody", (h) => writeV2(h.guest, REF, { flags: 3, domid: 0, trans: 999, gref: 8 }), -1],
    [
      "inner reference beyond the table",
      (h, t) => writeV2(h.guest, REF, { flags: 3, domid: 0, trans: t.domid, gref: 600 }),
      -3,
    ],
    [
      "inner entry names the caller",
      (h, t) => xen.grantAccess(t, 8, { domid: h.dom0.domid, frame: t.mfnOf(0) }),
      -1,
    ],
    ["two levels", (h, t) => {
      setVersion(h, t, 2);
      writeV2(t, 8, { flags: 3, domid: h.guest.domid, trans: 0, gref: 8 });
    }, -1],
  ];
  for (const [rule, change, expect, flavour] of rows) {
    const h = v2({ flags: 0, domid: 0 }, flavour ?? {});
    const third = h.hv.createDomain({ frames: 4 });
    xen.grantAccess(third, 8, { domid: h.guest.domid, frame: third.mfnOf(0) });
    h.hv.mem.fillFrame(third.mfnOf(0), 0x77);
    writeV2(h.guest, REF, { flags: xen.GTF_transitive, domid: 0, trans: third.domid, gref: 8 });
    change(h, third);
    assertEquals(copy(h), expect, rule);
    assertEquals(byteAt(h, h.dom0.mfnOf(10)), expect === 0 ? 0x77 : 0, rule);
    assertEquals(map(h, { flags: xen.GNTMAP_device_map }).status, -1, rule);
    assertInOrder(h);
  }
});

Deno.test("setStatus() of version 2 backs out when the granter revokes in between", () => {
  const rows: [rule: string, change: (h: Host) => void, expect: number][] = [
    ["control", () => {}, 0],
    ["entry closed", (h) => h.hv.mem.write16(h.guest.grantTable.entry(REF), 0), -1],
    ["entry given to another", (h) => h.hv.mem.write16((h.guest.grantTable.entry(REF) + 2) as Maddr, 9), -1],
    [
      "made read-only",
      (h) => h.hv.mem.write16(h.guest.grantTable.entry(REF), xen.GTF_permit_access | xen.GTF_readonly),
      -1,
    ],
  ];
  for (const [rule, change, expect] of rows) {
    const h = v2({ flags: 0, domid: 0 });
    writeV2(h.guest, REF, { flags: xen.GTF_permit_access, domid: 0, frame: h.guest.mfnOf(0) });
    h.guest.grantTable.race = () => change(h);
    assertEquals(map(h, { flags: xen.GNTMAP_device_map }).status, expect, rule);
    assertEquals(h.hv.mem.read16(h.guest.grantTable.statusWord(REF)), expect === 0 ? 0x18 : 0, rule);
    assertInOrder(h);
  }
});

Deno.test("acquireGrantForCopy() looks again at a pinned entry that becomes writable, in new releases", () => {
  for (const [flavour, expect] of [[xen.xen4_17, 0], [xen.xen4_23, -1]] as const) {
    const h = host({ flavour });
    grant(h, 2);
    assertEquals(map(h, { flags: xen.GNTMAP_device_map | xen.GNTMAP_readonly }).status, 0);
    h.hv.mem.write32((h.guest.grantTable.entry(REF) + 4) as Maddr, h.guest.mfnOf(5));
    assertEquals(copy(h, { ...swapSides(h), flags: DEST }), expect, flavour.name);
    assertInOrder(h);
  }
});
