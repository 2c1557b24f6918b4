/**
 * The address space that the benchmarks of the VMA index share with `bench/c/vma.c`: touching mappings of eight pages,
 * the same pages asked for in the same order. The checksums say whether both still do the same.
 *
 * @module
 */

import { PAGE_SIZE } from "../lib/core/geometry.ts";
import type { MmStruct } from "../lib/linux/mm/mm_struct.ts";
import { nativeLinux } from "../lib/linux/mm/native.ts";
import { dupVma, Vma } from "../lib/linux/mm/vma.ts";
import { VmaTree } from "../lib/linux/mm/vma_tree.ts";
import type { BenchRun, NativeSubject } from "./bench_case.ts";

const PAGES = 8;
const BASE = 0x1000_0000_0000;

function filled(vmas: number): VmaTree {
  const mm: MmStruct = nativeLinux({ frames: 64 }).process();
  const tree = new VmaTree();
  for (let i = 0; i < vmas; i++) {
    const start = BASE + i * PAGES * PAGE_SIZE;
    tree.insert(new Vma(mm, start, start + PAGES * PAGE_SIZE, 0, 0, null, null));
  }
  return tree;
}

/** Pseudo-random pages, the same as in C. */
class Pages {
  #x = 1;

  constructor(readonly nrPages: number) {}

  next(): number {
    this.#x = Math.imul(this.#x, 1664525) + 1013904223 | 0;
    return BASE + (this.#x >>> 8) % this.nrPages * PAGE_SIZE;
  }
}

/**
 * A run in slices of a function that is called often: a loop entered once is compiled while it runs, and then boxes the
 * sum in every turn.
 */
function inSlices(nrPages: number, some: (pages: Pages, n: number) => number): BenchRun {
  return (n) => {
    const pages = new Pages(nrPages);
    let sum = 0;
    for (let done = 0; done < n; done += 1000) sum += some(pages, 1000);
    return sum;
  };
}

/** Finds the VMA of `n` addresses, a multiple of 1000. */
export function finding(vmas: number): BenchRun {
  const tree = filled(vmas);
  return inSlices(vmas * PAGES, (pages, n) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += (tree.find(pages.next())!.start - BASE) / PAGE_SIZE;
    return sum;
  });
}

/** Finds, cuts in two, finds the new half again, joins it with the first half, `n` times, a multiple of 1000. */
export function cutting(vmas: number): BenchRun {
  const tree = filled(vmas);
  return inSlices(vmas * PAGES, (pages, n) => {
    let sum = 0;
    for (let i = 0; i < n; i++) {
      let address = pages.next();
      const vma = tree.find(address)!;
      if (address === vma.start) address += PAGE_SIZE;
      const copy = dupVma(vma);
      copy.start = address;
      copy.pgoff += (address - vma.start) / PAGE_SIZE;
      tree.setBounds(vma, vma.start, address);
      tree.insert(copy);
      const high = tree.find(address)!;
      sum += high.pgoff;
      const { end } = high;
      tree.remove(high);
      tree.setBounds(vma, vma.start, end);
    }
    return sum;
  });
}

/** The C program's case of that name. */
export function vmaInC(name: "find" | "cut", vmas: number): NativeSubject {
  return { source: "bench/c/vma.c", args: [name, String(vmas)] };
}
