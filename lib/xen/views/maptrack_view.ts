/**
 * Maptrack: the live handles of a mapper.
 *
 * @module
 */

import { hex } from "../../core/show.ts";
import { tableBlock, type View } from "../../core/view.ts";
import {
  GNTMAP_application_map,
  GNTMAP_contains_pte,
  GNTMAP_device_map,
  GNTMAP_host_map,
  GNTMAP_readonly,
} from "../abi.ts";
import type { Maptrack } from "../maptrack.ts";

const FLAG_NAMES: readonly (readonly [flag: number, name: string])[] = [
  [GNTMAP_device_map, "device"],
  [GNTMAP_host_map, "host"],
  [GNTMAP_readonly, "readonly"],
  [GNTMAP_application_map, "application"],
  [GNTMAP_contains_pte, "contains_pte"],
];

/** `host application contains_pte`, the `GNTMAP_*` of a mapping. */
export function mapFlagNames(flags: number): string {
  return FLAG_NAMES.filter(([flag]) => (flags & flag) !== 0).map(([, name]) => name).join(" ");
}

/**
 * Live handles, each with the grant it maps and the page-table entry it is in.
 *
 * @param words what stands for entry addresses that are none
 */
export function maptrackView(maptrack: Maptrack, words: ReadonlyMap<number, string>): View {
  return {
    line: `maptrack: ${maptrack.live} of ${maptrack.limit} handles live, ${maptrack.nrFrames} of at most ` +
      `${maptrack.maxFrames} pages`,
    blocks: [
      tableBlock(
        [
          { header: "handle", right: true },
          { header: "domain", right: true },
          { header: "ref", right: true },
          "flags",
          "entry at",
        ],
        rowsOf(maptrack, words),
      ),
    ],
  };
}

function* rowsOf(maptrack: Maptrack, words: ReadonlyMap<number, string>): Generator<string[]> {
  for (let handle = 0; handle < maptrack.limit; handle++) {
    const flags = maptrack.flags(handle);
    if (flags === 0) continue;
    const at = maptrack.hostPte(handle);
    yield [
      String(handle),
      String(maptrack.domid(handle)),
      String(maptrack.ref(handle)),
      mapFlagNames(flags),
      words.get(at) ?? hex(at),
    ];
  }
}
