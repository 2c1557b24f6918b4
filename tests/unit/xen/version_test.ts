import { assertEquals } from "@std/assert";
import type { Maddr } from "../../../lib/core/frames.ts";
import * as xen from "../../../lib/xen/mod.ts";
import { setVersion, writeV2 } from "./grant_writers.ts";
import { assertInOrder, grant, type Host, host, map, unmap } from "./two_domains.ts";

const DEVICE = { flags: xen.GNTMAP_device_map };

Deno.test("gnttabSetVersion() refuses what would break a use", () => {
  const rows: [
    rule: string,
    given: (h: Host) => void,
    version: number,
    rc: number,
    flavour?: Partial<xen.XenFlavour>,
  ][] = [
    ["control", () => {}, 2, 0],
    ["version 0", () => {}, 0, -22],
    ["version 3", () => {}, 3, -22],
    ["version 2 forbidden", () => {}, 2, -38, { gnttabMaxVersion: 1 }],
    ["version 1 when 2 is forbidden", () => {}, 1, 0, { gnttabMaxVersion: 1 }],
    ["reference 8 in use", (h) => void map(h, DEVICE), 2, -16],
    ["the same version, in use", (h) => void map(h, DEVICE), 1, 0],
    [
      "last reserved reference in use",
      (h) => {
        xen.grantAccess(h.guest, 7, { domid: 0, frame: h.guest.mfnOf(3) });
        map(h, { ...DEVICE, ref: 7 });
      },
      2,
      0,
    ],
    ["back, nothing reserved", (h) => void setVersion(h, h.guest, 2), 1, 0],
    [
      "back, reserved entry transitive",
      (h) => {
        setVersion(h, h.guest, 2);
        writeV2(h.guest, 0, { flags: 3, domid: 0, trans: 5, gref: 8 });
      },
      1,
      -34,
    ],
    [
      "back, reserved frame of 33 bits",
      (h) => {
        setVersion(h, h.guest, 2);
        writeV2(h.guest, 7, { flags: 1, domid: 0, frame: 2 ** 32 });
      },
      1,
      -34,
    ],
    [
      "back, reserved frame of 32 bits",
      (h) => {
        setVersion(h, h.guest, 2);
        writeV2(h.guest, 7, { flags: 1, domid: 0, frame: 2 ** 32 - 1 });
      },
      1,
      0,
    ],
    [
      "back, frame of 33 bits in an entry that goes",
      (h) => {
        setVersion(h, h.guest, 2);
        writeV2(h.guest, 8, { flags: 1, domid: 0, frame: 2 ** 32 });
      },
      1,
      0,
    ],
    [
      "back, status frame mapped elsewhere",
      (h) => {
        setVersion(h, h.guest, 2);
        h.hv.frames.getPage(h.guest.grantTable.statusFrames[0]!, h.guest.domid);
      },
      1,
      -16,
    ],
    [
      "back, a copy runs, old release",
      (h) => {
        setVersion(h, h.guest, 2);
        h.guest.grantTable.nrV2Ops = 1;
      },
      1,
      0,
    ],
    [
      "back, a copy runs, new release",
      (h) => {
        setVersion(h, h.guest, 2);
        h.guest.grantTable.nrV2Ops = 1;
      },
      1,
      -11,
      { versionWaitsForCopies: true },
    ],
  ];
  for (const [rule, given, version, rc, flavour] of rows) {
    const h = host({ flavour: flavour ?? {} });
    grant(h, 1);
    given(h);
    const before = h.guest.grantTable.version;
    const after = setVersion(h, h.guest, version);
    assertEquals(after, { rc, version: rc === 0 ? version : before }, rule);
  }
});

Deno.test("gnttabSetVersion() wipes all but the reserved entries, and carries their use over", () => {
  const h = host();
  xen.grantAccess(h.guest, 3, { domid: 0, frame: h.guest.mfnOf(5) });
  xen.grantAccess(h.guest, 100, { domid: 0, frame: h.guest.mfnOf(6) });
  const m = map(h, { ...DEVICE, ref: 3 });
  assertEquals(setVersion(h, h.guest, 2).rc, 0);
  const table = h.guest.grantTable;
  assertEquals([table.nrEntries, table.statusFrames.length], [256, 1]);
  assertEquals([h.hv.mem.read16(table.entry(3)), h.hv.mem.read16(table.statusWord(3))], [1, 0x18]);
  assertEquals(h.hv.mem.read32(table.entry(100)), 0);
  assertInOrder(h);
  assertEquals(map(h, { ...DEVICE, ref: 255 }).status, -1, "free");
  assertEquals(map(h, { ...DEVICE, ref: 256 }).status, -3, "beyond");
  assertEquals(setVersion(h, h.guest, 1).rc, 0);
  assertEquals(h.gtf(3), 0x19, "the bits are back in the entry");
  assertEquals(unmap(h, { handle: m.handle, dev_bus_addr: m.dev_bus_addr }).status, 0);
  assertEquals(h.gtf(3), 1);
  assertInOrder(h);
});

Deno.test("gnttabGetStatusFrames() tells what exists, and grows nothing", () => {
  const h = host();
  const get = (nr_frames: number, dom = xen.DOMID_SELF as number, caller = h.guest) => {
    const op = { nr_frames, dom, status: 77, frame_list: [] as number[] };
    assertEquals(xen.grantTableOp(h.hv, caller, xen.GNTTABOP_get_status_frames, [op]), 0);
    return [op.status, op.frame_list.length];
  };
  assertEquals([get(0), get(1)], [[0, 0], [-1, 0]], "none in version 1");
  setVersion(h, h.guest, 2);
  assertEquals([get(1), get(2), get(1, 999), get(1, 0)], [[0, 1], [-1, 0], [-2, 0], [-8, 0]]);
  assertEquals(get(1, h.guest.domid, h.dom0), [0, 1]);
});

Deno.test("GrantTable grows its status frames with it: one for eight", () => {
  const h = host();
  const big = h.hv.createDomain({ frames: 1, maxGrantFrames: 20 });
  setVersion(h, big, 2);
  for (const [nr_frames, status] of [[8, 1], [9, 2], [16, 2], [17, 3]] as const) {
    const op = { dom: xen.DOMID_SELF, nr_frames, status: 77, frame_list: [] };
    xen.grantTableOp(h.hv, big, xen.GNTTABOP_setup_table, [op]);
    assertEquals(big.grantTable.statusFrames.length, status, `${nr_frames}`);
  }
  assertEquals(big.grantTable.nrEntries, 17 * 256);
  const last = big.grantTable.nrEntries - 1;
  writeV2(big, last, { flags: 1, domid: 0, frame: big.mfnOf(0) });
  assertEquals(map(h, { ...DEVICE, ref: last, dom: big.domid }).status, 0);
  assertEquals(h.hv.mem.read16(big.grantTable.statusWord(last)), 0x18);
  assertInOrder(h);
});

Deno.test("gnttabSwapGrantRef() exchanges free entries only", () => {
  const rows: [rule: string, a: number, b: number, given: (h: Host) => void, expect: number][] = [
    ["control", 8, 9, () => {}, 0],
    ["the same, in use", 8, 8, (h) => void map(h, DEVICE), 0],
    ["first in use", 8, 9, (h) => void map(h, DEVICE), -12],
    ["second in use", 9, 8, (h) => void map(h, DEVICE), -12],
    ["last entry", 8, 511, () => {}, 0],
    ["beyond the table", 8, 512, () => {}, -3],
    ["beyond the table, the same", 512, 512, () => {}, -3],
  ];
  for (const [rule, ref_a, ref_b, given, expect] of rows) {
    const h = host();
    grant(h, 1);
    given(h);
    const op = { ref_a, ref_b, status: 77 };
    assertEquals(xen.grantTableOp(h.hv, h.guest, xen.GNTTABOP_swap_grant_ref, [op]), 0);
    assertEquals(op.status, expect, rule);
    if (expect === 0 && ref_a !== ref_b) assertEquals([h.gtf(8), h.gtf(ref_b)], [0, 1], rule);
    assertInOrder(h);
  }
  const h = host();
  setVersion(h, h.guest, 2);
  writeV2(h.guest, 20, { flags: 3, domid: 4, trans: 5, gref: 6 });
  xen.grantTableOp(h.hv, h.guest, xen.GNTTABOP_swap_grant_ref, [{ ref_a: 20, ref_b: 30, status: 0 }]);
  const words = [0, 4, 8].map((at) => h.hv.mem.read32((h.guest.grantTable.entry(30) + at) as Maddr));
  assertEquals(words, [4 << 16 | 3, 5, 6], "all sixteen bytes");
});

Deno.test("gnttabTransfer() gives a frame away for good", () => {
  /** Hosts whose security module forbids transfers. */
  const closed = new Set<xen.Hypervisor>();
  const rows: [
    rule: string,
    given: (h: Host, to: xen.Domain) => void,
    change: Partial<xen.GnttabTransfer>,
    expect: number,
    isLost: boolean,
  ][] = [
    ["control", () => {}, {}, 0, false],
    ["no such frame", () => {}, { mfn: 2 ** 30 }, -9, false],
    ["a frame of nobody", () => {}, { mfn: 4000 }, -1, false],
    ["a frame in use", (h) => void h.hv.frames.getPage(h.guest.mfnOf(9), h.guest.domid), {}, -9, false],
    ["no such domain", () => {}, { domid: 999 }, -2, true],
    ["receiver is full", (h, to) => h.hv.frames.assign(4000 as never, to.domid, 0, false), {}, -1, true],
    ["entry of another kind", (_, to) => xen.grantAccess(to, 8, { domid: 1, frame: 0 }), {}, -1, true],
    [
      "entry for another domain",
      (h, to) => h.hv.mem.write16((to.grantTable.entry(8) + 2) as Maddr, 0),
      {},
      -1,
      true,
    ],
    ["entry with a stray flag", (h, to) => h.hv.mem.write16(to.grantTable.entry(8), 2 | 32), {}, -1, true],
    ["reference beyond the table", () => {}, { ref: 512 }, -1, true],
    ["last reference, free", () => {}, { ref: 511 }, -1, true],
    [
      "receiver is dying",
      (h, to) => {
        // A frame that is still mapped keeps the receiver known.
        xen.grantAccess(to, 9, { domid: 0, frame: to.mfnOf(0) });
        assertEquals(map(h, { ...DEVICE, dom: to.domid, ref: 9 }).status, 0);
        xen.domainKill(h.hv, to);
        assertEquals(h.hv.domainById(to.domid), to);
      },
      {},
      -1,
      true,
    ],
    ["security module", (h) => void closed.add(h.hv), {}, -8, true],
    ["no such domain before the security module", (h) => void closed.add(h.hv), { domid: 999 }, -2, true],
    [
      "the security module before a full receiver",
      (h, to) => {
        closed.add(h.hv);
        h.hv.frames.assign(4000 as never, to.domid, 0, false);
      },
      {},
      -8,
      true,
    ],
    [
      "entry taken back between look and commitment",
      (h, to) => {
        to.grantTable.race = () => h.hv.mem.write16(to.grantTable.entry(8), 0);
      },
      {},
      -1,
      true,
    ],
  ];
  for (const [rule, given, change, expect, isLost] of rows) {
    const h: Host = host({ flavour: { xsm: { ...xen.xsmDummy, grantTransfer: () => !closed.has(h.hv) } } });
    const to = h.hv.createDomain({ frames: 3, maxPages: 4 });
    h.hv.mem.write32(to.grantTable.entry(8), (h.guest.domid << 16 | xen.GTF_accept_transfer) >>> 0);
    given(h, to);
    const mfn = h.guest.mfnOf(9);
    const op = { mfn, domid: to.domid, ref: 8, status: 77, ...change };
    assertEquals(xen.grantTableOp(h.hv, h.guest, xen.GNTTABOP_transfer, [op]), 0, rule);
    assertEquals(op.status, expect, rule);
    const owner = expect === 0 ? to.domid : isLost ? xen.NO_OWNER : h.guest.domid;
    assertEquals(h.hv.frames.owner(mfn), owner, rule);
    if (expect === 0) {
      assertEquals([h.hv.mem.read16(to.grantTable.entry(8)), xen.readGrantEntry(to, 8).frame], [
        2 | 4 | 8,
        mfn,
      ]);
      assertInOrder(h);
    }
  }
  const h = host({ flavour: { gnttabTransfer: false } });
  assertEquals(xen.grantTableOp(h.hv, h.guest, xen.GNTTABOP_transfer, []), -95);
  const pvh = h.hv.createDomain({ frames: 1, kind: "pvh" });
  const on = host();
  assertEquals(xen.grantTableOp(on.hv, pvh, xen.GNTTABOP_transfer, []), -95);
});
