import { assertEquals } from "@std/assert";
import { reduceStatus, setStatus } from "../../../lib/xen/set_status.ts";
import * as xen from "../../../lib/xen/mod.ts";
import { setVersion, writeV2 } from "./grant_writers.ts";
import { grant, host, REF } from "./two_domains.ts";

const {
  GTF_permit_access: PERMIT,
  GTF_readonly: READONLY,
  GTF_sub_page: SUB_PAGE,
  GTF_transitive: TRANSITIVE,
} = xen;
const { GTF_reading: READING, GTF_writing: WRITING } = xen;
const FAILED = xen.GNTST_general_error;

/** An entry as the guest left it: flags, and who may use it. */
type Entry = readonly [flags: number, domid: number];

interface Row {
  readonly rule: string;
  readonly entry: Entry;
  /** What the guest makes of the entry between Xen's first and second look. */
  readonly then?: Entry;
  readonly readonly?: boolean;
  readonly isMap?: boolean;
  /** The grant is in use already. */
  readonly pinned?: boolean;
  readonly status: number;
  /** The bits in use afterwards. */
  readonly bits: number;
}

/** Dom0 uses a grant of version 2: the first row is the control, each other one breaks a rule or stops just short of it. */
const ROWS: readonly Row[] = [
  { rule: "a map", entry: [PERMIT, 0], status: 0, bits: READING | WRITING },
  { rule: "a read-only map", entry: [PERMIT, 0], readonly: true, status: 0, bits: READING },
  { rule: "read-only of read-only", entry: [PERMIT | READONLY, 0], readonly: true, status: 0, bits: READING },
  { rule: "writable of read-only", entry: [PERMIT | READONLY, 0], status: FAILED, bits: 0 },
  {
    rule: "writable of read-only, pinned",
    entry: [PERMIT | READONLY, 0],
    pinned: true,
    status: FAILED,
    bits: 0,
  },
  { rule: "not granted", entry: [0, 0], status: FAILED, bits: 0 },
  { rule: "not granted any more, pinned", entry: [0, 0], pinned: true, status: 0, bits: READING | WRITING },
  { rule: "granted to another", entry: [PERMIT, 7], status: FAILED, bits: 0 },
  {
    rule: "granted to another, pinned",
    entry: [PERMIT, 7],
    pinned: true,
    status: 0,
    bits: READING | WRITING,
  },
  { rule: "map of a byte range", entry: [PERMIT | SUB_PAGE, 0], status: FAILED, bits: 0 },
  {
    rule: "copy of a byte range",
    entry: [PERMIT | SUB_PAGE, 0],
    isMap: false,
    status: 0,
    bits: READING | WRITING,
  },
  { rule: "map of a transitive grant", entry: [TRANSITIVE, 0], status: FAILED, bits: 0 },
  {
    rule: "copy of a transitive grant",
    entry: [TRANSITIVE, 0],
    isMap: false,
    status: 0,
    bits: READING | WRITING,
  },
  {
    rule: "copy of a transitive grant to another",
    entry: [TRANSITIVE, 7],
    isMap: false,
    status: FAILED,
    bits: 0,
  },
  {
    rule: "copy of an offer to take a page",
    entry: [xen.GTF_accept_transfer, 0],
    isMap: false,
    status: FAILED,
    bits: 0,
  },
  // The second look.
  { rule: "the same again", entry: [PERMIT, 0], then: [PERMIT, 0], status: 0, bits: READING | WRITING },
  { rule: "revoked meanwhile", entry: [PERMIT, 0], then: [0, 0], status: FAILED, bits: 0 },
  { rule: "given to another meanwhile", entry: [PERMIT, 0], then: [PERMIT, 7], status: FAILED, bits: 0 },
  {
    rule: "made read-only meanwhile",
    entry: [PERMIT, 0],
    then: [PERMIT | READONLY, 0],
    status: FAILED,
    bits: 0,
  },
  {
    rule: "made read-only meanwhile, read-only use",
    entry: [PERMIT, 0],
    then: [PERMIT | READONLY, 0],
    readonly: true,
    status: 0,
    bits: READING,
  },
  {
    rule: "revoked meanwhile, pinned",
    entry: [PERMIT, 0],
    then: [0, 0],
    pinned: true,
    status: 0,
    bits: READING | WRITING,
  },
  {
    rule: "made read-only meanwhile, pinned: reading stays",
    entry: [PERMIT, 0],
    then: [PERMIT | READONLY, 0],
    pinned: true,
    status: FAILED,
    bits: READING,
  },
];

for (const { rule, entry, then, readonly = false, isMap = true, pinned = false, status, bits } of ROWS) {
  Deno.test(`setStatus() of version 2: ${rule}`, () => {
    const h = host();
    assertEquals(setVersion(h, h.guest, 2).rc, 0);
    const table = h.guest.grantTable;
    const write = ([flags, domid]: Entry) => writeV2(h.guest, REF, { flags, domid, frame: h.guest.mfnOf(0) });
    write(entry);
    if (pinned) table.pin[REF] = 1;
    let looks = 0;
    if (then !== undefined) {
      table.race = (ref) => {
        assertEquals([ref, looks++], [REF, 0]);
        write(then);
      };
    }
    assertEquals(setStatus(h.hv, { granter: h.guest, ref: REF, user: 0, readonly, isMap }), status);
    const word = h.hv.mem.words[table.statusIndex(h.hv.mem, REF)]!;
    assertEquals(word >>> table.statusShift(REF) & (READING | WRITING), bits);
  });
}

for (
  const [given, pin, status, bits] of [["unpinned", 0, FAILED, 0], [
    "pinned",
    1,
    0,
    READING | WRITING,
  ]] as const
) {
  Deno.test(`setStatus() of version 1: granted to another, ${given}`, () => {
    const h = host();
    grant(h, 1, { domid: 7 });
    h.guest.grantTable.pin[REF] = pin;
    const request = { granter: h.guest, ref: REF, user: 0, readonly: false, isMap: true };
    assertEquals(setStatus(h.hv, request), status);
    assertEquals(h.gtf(REF) & (READING | WRITING), bits);
  });
}

Deno.test("setStatus() of version 2 never shows an entry in use that it refuses at first sight", () => {
  const h = host();
  setVersion(h, h.guest, 2);
  writeV2(h.guest, REF, { flags: PERMIT, domid: 7, frame: h.guest.mfnOf(0) });
  h.guest.grantTable.race = () => {
    throw new Error("looked at a second time");
  };
  const before = h.trace.count("entry_cmpxchg");
  assertEquals(
    setStatus(h.hv, { granter: h.guest, ref: REF, user: 0, readonly: false, isMap: true }),
    FAILED,
  );
  assertEquals(h.trace.count("entry_cmpxchg"), before);
});

for (
  const [given, pin, wasReadonly, writes] of [
    ["the last use ends", 0, true, 1],
    ["a reader ends, another reads", 1, true, 0],
  ] as const
) {
  Deno.test(`reduceStatus() writes the entry only where a bit goes: ${given}`, () => {
    const h = host();
    grant(h, 1);
    h.guest.grantTable.pin[REF] = pin;
    const before = h.trace.count("entry_cmpxchg");
    reduceStatus(h.hv, h.guest, REF, wasReadonly);
    assertEquals(h.trace.count("entry_cmpxchg") - before, writes);
  });
}
