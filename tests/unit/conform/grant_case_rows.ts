/**
 * Rows of grant cases as the recordings spell them, for tests of the replayer.
 *
 * @module
 */

import { grantCases } from "../../../lib/conform/grant_cases.ts";
import type { ReplayOptions } from "../../../lib/conform/format.ts";
import { replay, textInput } from "./text_input.ts";

type Fields = Readonly<Record<string, unknown>>;

const DOMAIN = { do: "create_domain", pages: 600, max_grant_frames: 8, grant_table_frames_present: 2 };
const DEVICES = [
  { do: "open", path: "/dev/xen/gntdev", file: "gntdev0" },
  { do: "open", path: "/dev/xen/gntalloc", file: "gntalloc0" },
];

/** A case that grows row by row. */
export class CaseRows {
  readonly rows: Fields[] = [];

  /** Starts with a grant of `count` pages by a domain of its own. */
  constructor(readonly machine: "xenpv" | "xenpvh", count: number, flags = 1) {
    const entries = { first_ref: 16, count, domid: 0, flags };
    this.step("grant", { setup: [DOMAIN, ...DEVICES], grant: 0, entries, view: "of the same frames" }, {
      view: true,
    });
  }

  /** A step with its inputs and recorded outputs. */
  step(op: string, input: Fields, outputs: Fields = {}): this {
    const { machine } = this;
    const i = this.rows.length;
    this.rows.push({
      machine,
      case: "c",
      mode: "foreign",
      i,
      op,
      ...outputs,
      in: { proc: "parent", ...input },
    });
    return this;
  }

  /** MAP_GRANT_REF of pages of grant 0 and mmap of the map. */
  map(pages: readonly number[], at: number, prot = "rw-", number = 0): this {
    const entries = pages.map((page) => ({ domid: "granter", grant: 0, page }));
    return this.step("MAP_GRANT_REF", { dev: "gntdev0", count: pages.length, map: number, entries }, OK)
      .step("mmap", {
        dev: "gntdev0",
        map: number,
        map_offset_pages: 0,
        at,
        pages: pages.length,
        prot,
        flags: "shared",
      }, OK);
  }

  /** `[passed, failed, advisory]` and the differences. */
  replay(options: ReplayOptions = {}): Promise<{ counts: number[]; differences: string[] }> {
    return replay(grantCases, textInput(this.rows.map((row) => JSON.stringify(row))), options);
  }
}

/** A call that succeeds with 0. */
export const OK: Fields = { ret: 0, errno: "0" };

/** A call that fails. */
export function failed(errno: string): Fields {
  return { ret: null, errno };
}
