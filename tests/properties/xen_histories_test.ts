import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { ReferenceGrants, type ReferenceMapping } from "../../lib/reference/mod.ts";
import * as xen from "../../lib/xen/mod.ts";
import { holds } from "../support/property.ts";
import { assertInOrder, host } from "../unit/xen/two_domains.ts";

/** Domains: dom0 (PV, with page tables), the PV guest, a PVH one. References 8 … 11 and frames 5 … 8 of each. */
type Command =
  | { do: "publish"; granter: number; ref: number; user: number; pfn: number; readonly: boolean }
  | { do: "revoke"; granter: number; ref: number }
  | {
    do: "map";
    mapper: number;
    granter: number;
    ref: number;
    readonly: boolean;
    host: boolean;
    device: boolean;
    slot: number;
  }
  | { do: "unmap"; nth: number; host: boolean; device: boolean }
  | { do: "copy"; granter: number; ref: number; into: number }
  | { do: "table"; owner: number; pfn: number; on: boolean }
  | { do: "kill"; who: number };

const who = fc.nat({ max: 2 });
const ref = fc.integer({ min: 8, max: 11 });
const pfn = fc.integer({ min: 5, max: 8 });
const flag = fc.boolean();

const COMMANDS = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant("publish"),
        granter: who,
        ref,
        user: who,
        pfn,
        readonly: flag,
      }) as fc.Arbitrary<Command>,
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant("revoke"), granter: who, ref }) as fc.Arbitrary<Command>,
    },
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constant("map"),
        mapper: who,
        granter: who,
        ref,
        readonly: flag,
        host: flag,
        device: flag,
        slot: fc.nat({ max: 400 }),
      }) as fc.Arbitrary<Command>,
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant("unmap"),
        nth: fc.nat(20),
        host: flag,
        device: flag,
      }) as fc.Arbitrary<Command>,
    },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant("copy"), granter: who, ref, into: pfn }) as fc.Arbitrary<
        Command
      >,
    },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant("table"), owner: who, pfn, on: flag }) as fc.Arbitrary<Command>,
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("kill"), who }) as fc.Arbitrary<Command> },
  ),
  { minLength: 10, maxLength: 40 },
);

interface Live {
  mapper: number;
  handle: number;
  host_addr: number;
  dev_bus_addr: number;
  mapping: ReferenceMapping;
}

/** Runs a history on the model and on the sets; `order` is the order of the deaths at its end. */
function run(commands: readonly Command[], order: readonly number[]): void {
  const h = host();
  const domains = [h.dom0, h.guest, h.hv.createDomain({ kind: "pvh", frames: 16 })];
  const sets = new ReferenceGrants();
  for (const d of domains) sets.addDomain(d.domid, [...d.frames], d.external);
  // dom0 runs on page tables of its own: its frames 1 … 4
  const bootTables = [1, 2, 3, 4].map((p) => h.dom0.mfnOf(p));
  const live: Live[] = [];
  const used = new Set<number>();
  const dead = new Set<number>();

  const step = (c: Command): void => {
    switch (c.do) {
      case "publish": {
        const granter = domains[c.granter]!;
        if (dead.has(c.granter)) return;
        if (sets.usesOf(granter.domid, c.ref).length > 0) return; // a guest that behaves
        const frame = granter.external ? c.pfn : granter.mfnOf(c.pfn);
        const user = domains[c.user]!.domid;
        xen.grantAccess(granter, c.ref, { domid: user, frame, readonly: c.readonly });
        sets.publish(granter.domid, c.ref, { user, frame: granter.mfnOf(c.pfn), readonly: c.readonly });
        return;
      }
      case "revoke": {
        const granter = domains[c.granter]!;
        if (dead.has(c.granter)) return;
        assertEquals(xen.endAccess(granter, c.ref), sets.revoke(granter.domid, c.ref), "revoke");
        return;
      }
      case "map": {
        const [mapper, granter] = [domains[c.mapper]!, domains[c.granter]!];
        if (dead.has(c.mapper)) return;
        const isHost = c.host && !used.has(c.slot) && (mapper === h.dom0 || mapper.external);
        const isDevice = c.device && !mapper.external;
        if (!isHost && !isDevice) return;
        const flags = (isHost ? xen.GNTMAP_host_map | (mapper.external ? 0 : xen.GNTMAP_contains_pte) : 0) |
          (isDevice ? xen.GNTMAP_device_map : 0) | (c.readonly ? xen.GNTMAP_readonly : 0);
        const host_addr = mapper.external ? (100 + c.slot) * 4096 : h.pte(c.slot);
        const op = {
          host_addr,
          flags,
          ref: c.ref,
          dom: granter.domid,
          status: 77,
          handle: 0,
          dev_bus_addr: 0,
        };
        const wish = {
          mapper: mapper.domid,
          granter: granter.domid,
          ref: c.ref,
          readonly: c.readonly,
          host: isHost,
          device: isDevice,
        };
        const wanted = h.hv.domainById(granter.domid) === granter && sets.canMap(wish);
        assertEquals(xen.grantTableOp(h.hv, mapper, xen.GNTTABOP_map_grant_ref, [op]), 0);
        assertEquals(op.status === 0, wanted, `map: ${xen.statusName(op.status)}`);
        if (op.status !== 0) return;
        if (isHost) used.add(c.slot);
        const mapping = sets.map(wish);
        assertEquals(op.dev_bus_addr, mapping.frame * 4096);
        live.push({ mapper: c.mapper, handle: op.handle, host_addr, dev_bus_addr: op.dev_bus_addr, mapping });
        return;
      }
      case "unmap": {
        const one = live[c.nth % Math.max(live.length, 1)];
        if (one === undefined) return;
        const op = {
          handle: one.handle,
          host_addr: c.host ? one.host_addr : 0,
          dev_bus_addr: c.device ? one.dev_bus_addr : 0,
          status: 77,
        };
        xen.grantTableOp(h.hv, domains[one.mapper]!, xen.GNTTABOP_unmap_grant_ref, [op]);
        assertEquals(op.status, 0, "unmap");
        sets.unmap(one.mapping, { host: c.host, device: c.device });
        if (!sets.mappings.has(one.mapping)) live.splice(live.indexOf(one), 1);
        return;
      }
      case "copy": {
        const [granter, caller] = [domains[c.granter]!, h.dom0];
        if (dead.has(0)) return;
        const into = caller.mfnOf(c.into);
        const wish = {
          mapper: 0,
          granter: granter.domid,
          ref: c.ref,
          readonly: true,
          host: true,
          device: false,
        };
        const canRead = h.hv.domainById(granter.domid) === granter && sets.canMap(wish);
        const op: xen.GnttabCopy = {
          source: { ref: c.ref, domid: granter.domid, offset: 0 },
          dest: { gmfn: into, domid: xen.DOMID_SELF, offset: 0 },
          len: 8,
          flags: xen.GNTCOPY_source_gref,
          status: 77,
        };
        xen.grantTableOp(h.hv, caller, xen.GNTTABOP_copy, [op]);
        assertEquals(op.status === 0, canRead && !sets.isTable(into), `copy: ${xen.statusName(op.status)}`);
        return;
      }
      case "table": {
        const owner = domains[c.owner]!;
        if (dead.has(c.owner) || owner.external) return;
        const mfn = owner.mfnOf(c.pfn);
        // a frame with bytes in it is no table worth testing
        if (c.on && h.hv.mem.slotOf(mfn) >= 0) return;
        const wanted = c.on ? sets.canBeTable(mfn) : sets.isTable(mfn);
        const cmd = c.on ? xen.MMUEXT_PIN_L1_TABLE : xen.MMUEXT_UNPIN_TABLE;
        assertEquals(xen.mmuextOp(h.hv, owner, [{ cmd, mfn }]).rc === 0, wanted, "table");
        if (wanted) sets.setTable(mfn, c.on);
        return;
      }
      case "kill":
        kill(c.who);
    }
  };
  const kill = (i: number): void => {
    if (dead.has(i)) return;
    dead.add(i);
    xen.domainKill(h.hv, domains[i]!);
    sets.kill(domains[i]!.domid);
    live.splice(0, live.length, ...live.filter((one) => one.mapper !== i));
  };
  const compare = (): void => {
    assertInOrder(h);
    for (const [i, domain] of domains.entries()) {
      if (h.hv.domainById(domain.domid) !== domain) {
        assertEquals(
          [dead.has(i), sets.framesOf(domain.domid)],
          [true, 0],
          "nobody goes while a frame is held",
        );
        continue;
      }
      assertEquals(h.hv.frames.ownedBy(domain.domid), sets.framesOf(domain.domid));
      for (let r = 8; r < 12; r++) {
        const pins = xen.describePin(domain.grantTable.pin[r]!);
        assertEquals(pins, sets.pins(domain.domid, r));
        const bits = xen.readGrantEntry(domain, r).flags & 0x18;
        const writers = pins.hstw + pins.devw;
        assertEquals(bits, (writers + pins.hstr + pins.devr > 0 ? 8 : 0) | (writers > 0 ? 16 : 0));
      }
      for (const mfn of domain.frames) {
        if (bootTables.includes(mfn as never)) continue;
        const type = h.hv.frames.type(mfn);
        if (h.hv.frames.typeCount(mfn) === 0) continue;
        assertEquals(type === xen.PGT_l1_page_table, sets.isTable(mfn));
        assertEquals(type === xen.PGT_writable_page, sets.isWritten(mfn));
      }
    }
  };

  for (const command of commands) {
    step(command);
    compare();
  }
  for (const i of order) {
    kill(i);
    compare();
  }
  assertEquals(
    [h.hv.domains.size, h.hv.frames.nrOwned, h.hv.mem.framesWithContent],
    [0, 0, 0],
    "nothing is left",
  );
}

Deno.test("random histories of three domains agree with the grants as sets", () => {
  const order = fc.constantFrom([0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]);
  holds([COMMANDS, order], run, 200);
});
