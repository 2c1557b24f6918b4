/**
 * The glossary: what kinds of frame numbers and addresses there are. Say the words once, here.
 *
 * - **mfn**: machine frame number, `machine address / 4096`. What the hardware walks; on Xen PV also what a guest's
 *   own page tables hold.
 * - **gfn**: guest frame number, what a guest hands to Xen. For a PV guest gfn == mfn, for a translated guest
 *   (HVM, PVH) gfn == pfn. The `frame` of a grant entry is a gfn.
 * - **pfn**: pseudo-physical frame number, the guest kernel's own contiguous numbering; it indexes `struct page`.
 *   On native Linux pfn == mfn.
 * - **vpn**: virtual page number, `linear address / 4096` as an unsigned 52-bit number. Exact for every address,
 *   five-level ones included, where a 57-bit byte address would not fit a JavaScript number.
 * - **maddr**: machine address in bytes; at most 52 bits, so always exact as a number.
 * - **vaddr**: linear (virtual) address in bytes, a bigint: the form that people type and read.
 *
 * Constructors follow rust `x86_64`: `vaddr` throws, `tryVaddr` answers, `truncateVaddr` repairs. Inside the model
 * the hot paths take a linear address as two signed 32-bit halves `(hi, lo)`, see {@linkcode splitVaddr}.
 *
 * @module
 */

import type { Nominal } from "./nominal.ts";
import { outOfRange, wholeNumber, wrongType } from "./misuse.ts";
import { PAGE_SIZE } from "./geometry.ts";
import { show } from "./show.ts";

/** Machine frame number. */
export type Mfn = Nominal<number, "Mfn">;
/** Guest frame number. */
export type Gfn = Nominal<number, "Gfn">;
/** Pseudo-physical frame number; also stands for the `struct page` of that frame. */
export type Pfn = Nominal<number, "Pfn">;
/** Virtual page number, 52 bits unsigned. */
export type Vpn = Nominal<number, "Vpn">;
/** Machine address in bytes. */
export type Maddr = Nominal<number, "Maddr">;
/** Canonical linear address in bytes, 0 … 2^64-1. */
export type Vaddr = Nominal<bigint, "Vaddr">;

/** Frame numbers have at most 40 bits: 52-bit physical addresses, 4096-byte frames. */
export const MAX_FRAME = 2 ** 40 - 1;

const MASK64 = (1n << 64n) - 1n;

/**
 * A machine frame number.
 *
 * @throws {RangeError} if `n` is not a whole number of at most 40 bits
 *
 * @example
 * ```ts
 * import { mfn } from "grantlab/core";
 * if (mfn(0x1f) !== 0x1f) throw new Error();
 * ```
 */
export function mfn(n: number): Mfn {
  return wholeNumber("make a machine frame number of", n, 0, MAX_FRAME) as Mfn;
}

/** A guest frame number; errors as {@linkcode mfn}. */
export function gfn(n: number): Gfn {
  return wholeNumber("make a guest frame number of", n, 0, MAX_FRAME) as Gfn;
}

/** A pseudo-physical frame number; errors as {@linkcode mfn}. */
export function pfn(n: number): Pfn {
  return wholeNumber("make a pseudo-physical frame number of", n, 0, MAX_FRAME) as Pfn;
}

/** A machine address in bytes; errors as {@linkcode mfn}, limit 52 bits. */
export function maddr(n: number): Maddr {
  return wholeNumber("make a machine address of", n, 0, 2 ** 52 - 1) as Maddr;
}

/** The machine address of byte `offset` in a frame. */
export function maddrOf(frame: Mfn, offset = 0): Maddr {
  return (frame * PAGE_SIZE + offset) as Maddr;
}

/** The frame a machine address lies in. */
export function mfnOf(address: Maddr): Mfn {
  return Math.floor(address / PAGE_SIZE) as Mfn;
}

/**
 * True if bits 63 … `width`-1 of the 64-bit value are all equal.
 *
 * @cite sdm 3A 3.3.7.1 canonical addressing
 */
export function isCanonical(value: bigint, width: 48 | 57 = 48): boolean {
  const top = BigInt.asIntN(64, value) >> BigInt(width - 1);
  return top === 0n || top === -1n;
}

function toBits64(action: string, value: number | bigint): bigint {
  if (typeof value === "bigint") {
    if (value < 0n || value > MASK64) {
      throw outOfRange(action, value, "it must have at most 64 bits, unsigned");
    }
    return value;
  }
  if (typeof value !== "number") throw wrongType(action, value, "it must be a number or a bigint");
  if (!Number.isInteger(value) || value < 0 || value > 2 ** 64 - 1) {
    throw outOfRange(action, value, "it must be a whole number of at most 64 bits, unsigned");
  }
  if (value > Number.MAX_SAFE_INTEGER && value % PAGE_SIZE !== 0) {
    throw outOfRange(action, value, "a number this large is not exact; write it as a bigint (0x…n)");
  }
  return BigInt(value);
}

/**
 * A canonical linear address.
 *
 * @param width 48 for four-level paging, 57 for five-level paging
 * @throws {RangeError} if it is not canonical, not whole, or too large to be exact as a number
 *
 * @example
 * ```ts
 * import { vaddr } from "grantlab/core";
 * if (vaddr(0x1000) !== 0x1000n) throw new Error();
 * try {
 *   vaddr(0x0000_8000_0000_0000n);
 * } catch (e) {
 *   if (!(e instanceof RangeError)) throw e;
 * }
 * ```
 */
export function vaddr(value: number | bigint, width: 48 | 57 = 48): Vaddr {
  const bits = toBits64("make a linear address of", value);
  if (!isCanonical(bits, width)) {
    throw outOfRange(
      "make a linear address of",
      bits,
      `it is not canonical: bits 63 to ${width - 1} must be equal (${width}-bit addresses)`,
    );
  }
  return bits as Vaddr;
}

/** As {@linkcode vaddr}, but answers `undefined` where that one throws. */
export function tryVaddr(value: number | bigint, width: 48 | 57 = 48): Vaddr | undefined {
  try {
    return vaddr(value, width);
  } catch (e) {
    if (e instanceof RangeError || e instanceof TypeError) return undefined;
    throw e;
  }
}

/** As {@linkcode vaddr}, but makes the address canonical by copying bit `width`-1 upwards. */
export function truncateVaddr(value: number | bigint, width: 48 | 57 = 48): Vaddr {
  const bits = typeof value === "bigint" ? value : toBits64("make a linear address of", value);
  return BigInt.asUintN(64, BigInt.asIntN(width, bits)) as Vaddr;
}

/** The virtual page number of a linear address. */
export function vpnOf(address: Vaddr): Vpn {
  return Number(address >> 12n) as Vpn;
}

/**
 * The signed 32-bit halves of a 64-bit value, high half first: the form that hot paths take.
 *
 * @example
 * ```ts
 * import { joinHalves, splitVaddr } from "grantlab/core";
 * const [hi, lo] = splitVaddr(0xffff_8880_0000_1000n);
 * if (hi !== -30592 || lo !== 0x1000 || joinHalves(hi, lo) !== 0xffff_8880_0000_1000n) throw new Error();
 * ```
 */
export function splitVaddr(value: number | bigint): [hi: number, lo: number] {
  if (typeof value === "number") {
    if (!Number.isInteger(value)) throw outOfRange("split", value, `${show(value)} is not a whole number`);
    return [Math.floor(value / 2 ** 32) | 0, value | 0];
  }
  return [Number(BigInt.asIntN(32, value >> 32n)), Number(BigInt.asIntN(32, value))];
}

/** The unsigned 64-bit value of two signed 32-bit halves. */
export function joinHalves(hi: number, lo: number): bigint {
  return (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
}
