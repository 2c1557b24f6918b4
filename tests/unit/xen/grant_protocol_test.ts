import { assertEquals, assertThrows } from "@std/assert";
import * as xen from "../../../lib/xen/mod.ts";
import { setVersion } from "./grant_writers.ts";
import { assertInOrder, type Host, host, map, REF, unmap } from "./two_domains.ts";

const DEVICE = { flags: xen.GNTMAP_device_map };
const READ = { flags: xen.GNTMAP_device_map | xen.GNTMAP_readonly };

function published(version: number, readonly = false): Host {
  const h = host();
  if (version === 2) setVersion(h, h.guest, 2);
  xen.publishGrant(h.guest, REF, { domid: 0, frame: h.guest.mfnOf(0), readonly });
  return h;
}

/** `use` begins before the step, or in its middle; `after` is whether dom0 can still map afterwards. */
interface Row {
  step: "revoke" | "readonly";
  version: 1 | 2;
  use: "none" | "before" | "during";
  readonly?: boolean;
  skip?: boolean;
  outcome: xen.ProtocolOutcome;
  /** Statuses of a new writable and a new read-only map, after the use ended. */
  after: [number, number];
  /** dom0 still holds a pin although the guest believes that it is done. */
  lost?: boolean;
}

const ROWS: Row[] = [
  { step: "revoke", version: 1, use: "none", outcome: "done", after: [-1, -1] },
  { step: "revoke", version: 2, use: "none", outcome: "done", after: [-1, -1] },
  { step: "revoke", version: 1, use: "before", outcome: "in-use", after: [0, 0] },
  { step: "revoke", version: 2, use: "before", outcome: "in-use-closed", after: [-1, -1] },
  { step: "revoke", version: 1, use: "during", outcome: "in-use", after: [0, 0] },
  { step: "revoke", version: 2, use: "during", outcome: "done", after: [-1, -1] },
  { step: "revoke", version: 1, use: "during", skip: true, outcome: "done", after: [-1, -1], lost: true },
  { step: "revoke", version: 2, use: "during", skip: true, outcome: "done", after: [-1, -1], lost: true },
  { step: "readonly", version: 1, use: "none", outcome: "done", after: [-1, 0] },
  { step: "readonly", version: 2, use: "none", outcome: "done", after: [-1, 0] },
  { step: "readonly", version: 1, use: "before", outcome: "in-use", after: [0, 0] },
  { step: "readonly", version: 2, use: "before", outcome: "in-use-closed", after: [-1, 0] },
  { step: "readonly", version: 1, use: "before", readonly: true, outcome: "done", after: [-1, 0] },
  { step: "readonly", version: 2, use: "before", readonly: true, outcome: "done", after: [-1, 0] },
  { step: "readonly", version: 1, use: "during", outcome: "in-use", after: [0, 0] },
  { step: "readonly", version: 1, use: "during", readonly: true, outcome: "done", after: [-1, 0] },
  { step: "readonly", version: 1, use: "during", skip: true, outcome: "done", after: [-1, 0], lost: true },
  { step: "readonly", version: 2, use: "during", skip: true, outcome: "done", after: [-1, 0], lost: true },
];

for (const { step, version, use, readonly, skip, outcome, after, lost } of ROWS) {
  const name = `${step} v${version}, ${readonly ? "read-only " : ""}use ${use}${
    skip ? ", guard left out" : ""
  }: ${outcome}`;
  Deno.test(`the granter's protocol: ${name}`, () => {
    const h = published(version);
    const uses: xen.GnttabMapGrantRef[] = [];
    const begin = () => void uses.push(map(h, readonly === true ? READ : DEVICE));
    if (use === "before") begin();
    const options = { ...(use === "during" ? { race: begin } : {}), skip: skip ?? false };
    const got = step === "revoke"
      ? xen.revokeGrant(h.guest, REF, options)
      : xen.makeGrantReadonly(h.guest, REF, options);
    assertEquals(got, outcome);
    const held = h.guest.grantTable.pin[REF]! !== 0 && uses[0]?.status === 0 && readonly !== true;
    assertEquals(held && outcome === "done", lost ?? false, "the guest is told the truth");
    for (const one of uses) {
      if (one.status === 0) unmap(h, { handle: one.handle, dev_bus_addr: one.dev_bus_addr });
    }
    const again = [DEVICE, READ].map((flags) => {
      const m = map(h, flags);
      if (m.status === 0) unmap(h, { handle: m.handle, dev_bus_addr: m.dev_bus_addr });
      return m.status;
    });
    assertEquals(again, after);
    assertInOrder(h, { guestsBehave: lost !== true });
  });
}

Deno.test("publishGrant() without its barrier lets Xen see the flags of one grant with the frame of another", () => {
  for (const version of [1, 2]) {
    for (const [skip, seen] of [[false, -1], [true, 0]] as const) {
      const h = published(version);
      assertEquals(xen.revokeGrant(h.guest, REF), "done");
      let early = 77;
      const race = () => {
        const m = map(h, DEVICE);
        early = m.status;
        if (m.status === 0) assertEquals(m.dev_bus_addr, h.guest.mfnOf(0) * 4096, "the old frame");
      };
      xen.publishGrant(h.guest, REF, { domid: 0, frame: h.guest.mfnOf(5) }, { race, skip });
      assertEquals(early, seen, `version ${version}`);
    }
  }
});

Deno.test("makeGrantWritable() keeps the bits that Xen sets meanwhile, unless it stores instead", () => {
  for (const [skip, bits] of [[false, 0x9], [true, 0x1]] as const) {
    const h = published(1, true);
    xen.makeGrantWritable(h.guest, REF, { race: () => void map(h, READ), skip });
    assertEquals(h.gtf(REF), bits);
  }
  const h = published(2, true);
  xen.makeGrantWritable(h.guest, REF);
  assertEquals(map(h, DEVICE).status, 0);
  assertInOrder(h);
});

Deno.test("the granter's protocol refuses a reference that the table has not", () => {
  const h = host();
  assertThrows(() => xen.revokeGrant(h.guest, 512), RangeError, "has 512 entries");
  assertThrows(() => xen.publishGrant(h.guest, -1, { domid: 0, frame: 0 }), RangeError);
});
