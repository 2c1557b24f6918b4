/**
 * The hypervisor: release and domains.
 *
 * @module
 */

import { tableBlock, type View } from "../../core/view.ts";
import type { Hypervisor } from "../hypervisor.ts";
import { frameRuns } from "./domain_view.ts";

/** Domains, leaks, injected faults. */
export function hypervisorView(hv: Hypervisor): View {
  const { flavour, frames, domains, leaks, injected } = hv;
  const right = (header: string) => ({ header, right: true }) as const;
  const rows = [...domains.values()].map((domain) => [
    String(domain.domid),
    domain.name,
    frameRuns(domain.frames),
    String(domain.maptrack.live),
    domain.crash === null ? "runs" : `crashed: ${domain.crash.message}`,
  ]);
  const more = [
    leaks.length === 0 ? "" : `, ${leaks.length} leaked pins`,
    injected.length === 0 ? "" : `, ${injected.length} injected faults`,
  ].join("");
  return {
    line:
      `hypervisor ${flavour.name}: ${domains.size} domains, ${frames.nrOwned} of ${frames.nrFrames} frames owned, ` +
      `${hv.cpus.length} CPU${hv.cpus.length === 1 ? "" : "s"}${more}`,
    blocks: [tableBlock([right("domain"), "name", "frames", right("maptrack"), "state"], rows)],
  };
}
