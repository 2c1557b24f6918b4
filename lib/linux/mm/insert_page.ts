/**
 * A driver puts a page of its own into a mapping, at once and for good: the entry is an ordinary one, with reference
 * and map count.
 *
 * @module
 */

import type { Errno } from "../../core/errno.ts";
import { ptePresent } from "./memory.ts";
import { pageProtOf } from "./page_prot.ts";
import { allocSlot, rawFlags } from "./pgtable.ts";
import type { Vma } from "./vma.ts";
import { VM_MIXEDMAP } from "./vm_flags.ts";

/**
 * Maps a page at an address of the VMA, which becomes a MIXEDMAP one; null or the errno: EFAULT outside the VMA,
 * EBUSY where there is an entry, ENOMEM without a page for a table.
 *
 * @cite linux 6.1 mm/memory.c vm_insert_page
 */
export function vmInsertPage(vma: Vma, address: number, page: number): Errno | null {
  const { system } = vma.mm;
  if (!vma.contains(address)) return "EFAULT";
  vma.flags |= VM_MIXEDMAP;
  const slot = allocSlot(vma.mm, address);
  if (slot < 0) return "ENOMEM";
  if (ptePresent(rawFlags(system, slot))) return "EBUSY";
  system.memMap.getPage(page);
  system.memMap.addRmap(page);
  system.pv.setPte(slot, page, pageProtOf(vma));
  return null;
}
