/**
 * The walk of a user address of dom0 as a drawing, and what stands behind the frame that it reaches: owner, grant,
 * and the page under which dom0 knows it. Looks only.
 *
 * @module
 */

import type { Mfn } from "../core/frames.ts";
import { splitVaddr, vaddr } from "../core/frames.ts";
import { hex } from "../core/show.ts";
import type { MmStruct } from "../linux/mm/mm_struct.ts";
import { unobserved } from "../trace/unobserved.ts";
import { Trace } from "../trace/trace.ts";
import { ACCESS_OF, ACCESS_PEEK, type AccessKind, AccessResult, OUTCOME_OK } from "../x86/access.ts";
import { Cpu } from "../x86/cpu.ts";
import { explainWalk } from "../x86/explain.ts";
import { entryAt } from "../x86/leaves.ts";
import { WalkDrawing } from "../x86/views/walk_drawing.ts";
import { walk } from "../x86/walk.ts";
import { FrameInfo } from "../xen/views/frame_view.ts";
import type { World } from "./world.ts";

/** Draws the walk that a program of `mm` would make now, whatever its processor has loaded. */
export function userWalk(
  world: World,
  mm: MmStruct,
  address: number | bigint,
  kind: AccessKind,
): WalkDrawing {
  const cpu = processorOf(mm);
  const { mem } = world.hv;
  const lines = explainWalk(cpu, mem, address, kind);
  const [hi, lo] = splitVaddr(address);
  const out = new AccessResult();
  if (walk(cpu, mem, hi, lo, ACCESS_OF[kind] | ACCESS_PEEK, out) === OUTCOME_OK) {
    const leaf = entryAt(mem, mm.pgdFrame, 4, vaddr(address))!;
    lines.push(...behind(world, out.frame, leaf.at));
  }
  return new WalkDrawing(lines);
}

/** A processor in user mode with the tables of `mm` loaded and an empty TLB. */
function processorOf(mm: MmStruct): Cpu {
  const { cr0, cr4, efer, maxPhyAddr, reservedInLeaf } = mm.system.cpus[0]!;
  return new Cpu({
    trace: new Trace(),
    maxPhyAddr,
    has1GiBPages: (reservedInLeaf[3]! & 0x80) === 0,
    tlb: { sets: 1, ways: 1 },
    registers: { cr0, cr4, efer, cpl: 3, pkru: mm.pkru, root: mm.pgdFrame as Mfn },
  });
}

function behind(world: World, frame: number, entry: number): string[] {
  const { hv, dom0, kernel, trace } = world;
  const { owner, ownerName, m2p } = new FrameInfo(hv, frame);
  const lines = [`  frame ${hex(frame)} is owned by ${ownerName}${m2p < 0 ? "" : `, pfn ${hex(m2p)} there`}`];
  const handle = dom0.maptrack.findHostPte(entry);
  if (handle >= 0) {
    const granter = dom0.maptrack.domid(handle);
    lines.push(`  mapped through grant ${dom0.maptrack.ref(handle)} of domain ${granter}, handle ${handle}`);
  } else if (owner !== dom0.domid) {
    lines.push("  foreign, and no live grant mapping of dom0 is through this entry");
  }
  const pfn = unobserved(trace, () => kernel.mfnToPfn(frame));
  lines.push(`  mfn_to_pfn in dom0: ${pfn < 0 ? "none" : hex(pfn)}`);
  return lines;
}
