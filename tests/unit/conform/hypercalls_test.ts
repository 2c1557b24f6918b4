import { assert, assertEquals } from "@std/assert";
import {
  type HypercallHost,
  isHypercallStep,
  replayHypercallStep,
  writeEntry,
} from "../../../lib/conform/hypercalls/mod.ts";
import type { Row } from "../../../lib/conform/format.ts";
import { Trace } from "../../../lib/trace/trace.ts";
import { PhysMem } from "../../../lib/x86/phys_mem.ts";
import * as xen from "../../../lib/xen/mod.ts";

const CPU = { flushAll() {}, invlpg() {} };

/** The rows of a recorded case, by mode. */
async function rowsOf(name: string, wanted: string): Promise<Row[][]> {
  const file = await Deno.open(new URL(`../../golden/${name}`, import.meta.url));
  const text = await new Response(file.readable.pipeThrough(new DecompressionStream("gzip"))).text();
  const rows = text.trim().split("\n").map((line) => JSON.parse(line) as Row).filter((row) =>
    row.case === wanted
  );
  return [...Map.groupBy(rows, (row) => row.mode).values()];
}

/** dom0 and, in foreign mode, the domain that the case makes: 600 frames, two frames of grant table, never runs. */
function hostOf(rows: readonly Row[], flavour = xen.xen4_17): HypercallHost {
  const kind = rows[0]!.machine === "xenpvh" ? "pvh" : "pv";
  const hv = new xen.Hypervisor({ mem: new PhysMem(8192), trace: new Trace(), flavour, cpus: [CPU] });
  const caller = hv.createDomain({ privileged: true, frames: 1024, kind });
  let granter = caller;
  if (rows[0]!.mode === "foreign") {
    granter = hv.createDomain({ frames: 600, maxGrantFrames: 8, maxMaptrackFrames: 64 });
    granter.grantTable.grow(2);
  }
  const grants: { first: number; pages: number }[] = [];
  const host: HypercallHost = {
    hv,
    caller,
    granter,
    refOf: (grant, page) => grants[grant] === undefined ? undefined : grants[grant].first + page,
    pagesOf: (grant) => grants[grant]?.pages ?? 0,
    returned: new Map(),
  };
  let next = 16;
  for (const row of rows) {
    if (row.op !== "grant") continue;
    const pages = Number(row.n);
    grants.push({ first: next, pages });
    for (let page = 0; page < pages; page++, next++) {
      writeEntry(host, next, { flags: row.writable === 1 ? 1 : 5, domid: caller.domid, frame: next % 600 });
    }
  }
  return host;
}

for (const name of ["grant-cases-pv.jsonl.gz", "grant-cases-pvh.jsonl.gz"]) {
  Deno.test(`replayHypercallStep() agrees with the recorded hypercalls of ${name}`, async () => {
    let steps = 0;
    for (const rows of await rowsOf(name, "rawhyp")) {
      const host = hostOf(rows);
      for (const row of rows.filter(isHypercallStep)) {
        steps++;
        const where = `${row.mode} step ${row.i}: ${row.op} ${row.note ?? ""}`;
        assertEquals(replayHypercallStep(host, row), [], where);
        assertEquals(xen.validateXen(host.hv), [], where);
      }
    }
    assertEquals(steps, name.includes("pvh") ? 38 : 78);
  });
}

Deno.test("replayHypercallStep() sees a release whose status differs", async () => {
  const [rows] = await rowsOf("grant-cases-pv.jsonl.gz", "rawhyp");
  const host = hostOf(rows!, xen.xen4_14);
  const differing = rows!.filter(isHypercallStep).filter((row) => replayHypercallStep(host, row).length > 0);
  assertEquals(differing.map((row) => row.note), ["good, bad handle, wrong bus address"]);
});

Deno.test("replayHypercallStep() reports every field that differs", async () => {
  const [rows] = await rowsOf("grant-cases-pv.jsonl.gz", "rawhyp");
  const first = rows!.find(isHypercallStep)!;
  const changed = { ...first, rc: -1, status: -3, bus_nonzero: 0, gt: "1 1" };
  const fields = replayHypercallStep(hostOf(rows!), changed).map((d) => d.field);
  assertEquals(fields, ["rc", "status", "bus_nonzero", "gt"]);
});

Deno.test("replayHypercallStep() writes entries first, maps and unmaps in one step", async () => {
  const [rows] = await rowsOf("grant-cases-pv.jsonl.gz", "rawhyp");
  const foreign = (await rowsOf("grant-cases-pv.jsonl.gz", "rawhyp")).find((r) => r[0]!.mode === "foreign")!;
  assert(rows !== undefined);
  const op = { host_addr: 0, flags: 5, domid: "granter", grant: 0, page: 0, status_before: 77 };
  const row: Row = {
    i: 900,
    op: "hc_map_grant_ref",
    in: {
      cmd: 0,
      count: 1,
      op: [op],
      gt_grant: 0,
      entry_before: { flags: "0x11", domid: 0 },
      then_if_ok: { unmap: 1 },
    },
    rc: 0,
    status: 0,
    flags_while_mapped: "19",
    flags_after_unmap: "11",
    gt: "11 1",
  };
  assertEquals(replayHypercallStep(hostOf(foreign), row), []);
});
