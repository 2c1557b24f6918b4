/**
 * A domain in a few lines.
 *
 * @module
 */

import { hex } from "../../core/show.ts";
import { tableBlock, type View } from "../../core/view.ts";
import type { Domain } from "../domain.ts";
import { usedGrantEntries } from "./grant_entry_view.ts";

/** Frames as runs: `0x700–0x8ff`. */
export function frameRuns(frames: ArrayLike<number>, most = 4): string {
  const runs: string[] = [];
  for (let i = 0; i < frames.length;) {
    const first = frames[i]!;
    let n = 1;
    while (i + n < frames.length && frames[i + n] === first + n) n++;
    if (runs.length === most) return `${runs.join(" ")} …`;
    runs.push(n === 1 ? hex(first) : `${hex(first)}–${hex(first + n - 1)}`);
    i += n;
  }
  return runs.length === 0 ? "none" : runs.join(" ");
}

/** What a domain has. */
export function domainView(domain: Domain): View {
  const { domid, name, frames, grantTable, maptrack } = domain;
  let used = 0;
  for (const _ of usedGrantEntries(domain)) used++;
  const runs = frameRuns(frames);
  const crash = domain.crash === null ? "" : `; crashed: ${domain.crash.message}`;
  return {
    line: `domain ${domid} (${name}): ${frames.length} frames ${runs}, ${used} grants, ` +
      `${maptrack.live} maptrack handles${crash}`,
    title: `domain ${domid} (${name})${crash}`,
    blocks: [
      tableBlock(["", ""], [
        ["frames", `${frames.length}: ${runs}`],
        [
          "rights",
          `${domain.privileged ? "privileged" : "unprivileged"}${
            domain.mayMapIomem ? ", may map I/O memory" : ""
          }`,
        ],
        [
          "grant table",
          `${used} of ${grantTable.nrEntries} entries used, ${grantTable.nrFrames} of at most ${grantTable.maxFrames} frames`,
        ],
        ["maptrack", `${maptrack.live} of ${maptrack.limit} handles live`],
        ...domain.vcpus.map((vcpu) => [
          `vCPU ${vcpu.id}`,
          `on CPU ${vcpu.cpu}, kernel tables at frame ${hex(vcpu.kernelBase)}, user tables at ${
            hex(vcpu.userBase)
          }`,
        ]),
      ]),
    ],
  };
}
