/**
 * Xen's own view of a gntdev mapping: three writable grants, mapped writable by a process of a paravirtual dom0 through
 * gntdev; then the middle page is unmapped, then the rest. The recorded rows are compared on what is not allocation
 * history: how many there are, which page is missing, pins, entry flags, who is granted access, and that Xen's frame is
 * the entry's.
 *
 * The model's granter is another domain, also where the recorded one was dom0 itself: nothing compared depends on it.
 *
 * @module
 */

import { PAGE_SIZE } from "../core/geometry.ts";
import { world } from "../experiments/world.ts";
import { grantDump } from "../xen/grant_dump.ts";
import { type Releases, releasesFor } from "./machine.ts";
import { type Format, type Head, numberedRows, type Row } from "./format.ts";

/** Pages of the mapping. */
const PAGES = 3;

/** The comparable part of a row. */
interface ComparableRow {
  readonly page: number;
  readonly pin: number;
  readonly flags: number;
  readonly isUsersGrant: boolean;
  readonly isEntrysFrame: boolean;
}

/** The rows of the dumps: after mapping, after the middle page went, after all went. */
function modelledSnapshots(releases: Releases): ComparableRow[][] {
  const w = world({ ...releases });
  const grants = w.guest.grant(PAGES);
  const process = w.process();
  const vma = process.mmapGrants(grants);
  const snapshot = (): ComparableRow[] =>
    grantDump(w.hv).map((row) => ({
      page: grants.refs.indexOf(row.ref),
      pin: row.pin,
      flags: row.flags,
      isUsersGrant: row.grantedTo === row.mapper,
      isEntrysFrame: row.mfn === row.gmfn,
    }));
  const snapshots = [snapshot()];
  const { start } = vma;
  process.munmap(start + PAGE_SIZE, PAGE_SIZE);
  snapshots.push(snapshot());
  process.munmap(start, PAGES * PAGE_SIZE);
  snapshots.push(snapshot());
  return snapshots;
}

/** True if the model's row is what the recorded one says. */
function agrees(row: Row, ours: ComparableRow): boolean {
  const pages = Array.isArray(row.page) ? row.page : [row.page];
  return pages.includes(ours.page) && Number(row.pin) === ours.pin && Number(row.flags) === ours.flags &&
    (row.granted_to === row.mapper) === ours.isUsersGrant &&
    (Number(row.mfn) === Number(row.gmfn)) === ours.isEntrysFrame;
}

/** The format. */
export const grantDumpRows: Format = {
  name: "grant-dump",
  detect: (head: Head) =>
    head.rows.length > 0 &&
    head.rows.every((row) => Object.hasOwn(row, "snapshot") && Object.hasOwn(row, "pin")),
  async replay(input, report, options) {
    const left = modelledSnapshots(releasesFor(input.path, options));
    for await (const { row, where } of numberedRows(input)) {
      const snapshot = left[Number(row.snapshot)] ?? [];
      const at = snapshot.findIndex((ours) => agrees(row, ours));
      if (at < 0) report.fail(where, JSON.stringify(row), JSON.stringify(snapshot));
      else {
        snapshot.splice(at, 1);
        report.pass();
      }
    }
    left.forEach((rows, snapshot) => {
      if (rows.length > 0) {
        report.fail(`snapshot ${snapshot}`, "no further row", JSON.stringify(rows), rows.length);
      }
    });
  },
};
