/**
 * Debug and release builds differ in one thing that matters here: a debug build tags the page-table entries of grants
 * (bit 62) and so notices when a guest destroys one without the grant operations. A release build notices nothing:
 * the reference goes, the maptrack entry and the pin stay: a *leaked pin*.
 *
 * @cite xen 4.17 xen/arch/x86/mm.c put_page_from_l1e
 * @module
 */

import { DomainCrash } from "../core/crash.ts";
import { _PAGE_GNTTAB } from "../x86/pte.ts";
import type { Hypervisor } from "./hypervisor.ts";

/** A grant mapping that its mapper destroyed behind Xen's back. */
export interface LeakedPin {
  /** Domid of the mapper. */
  readonly mapper: number;
  /** The handle that is still live. */
  readonly handle: number;
  /** Domid of the granter. */
  readonly granter: number;
  readonly ref: number;
  readonly mfn: number;
  /** Machine address of the page-table entry that is gone. */
  readonly pte: number;
}

/** What a build does. */
export interface BuildKind {
  readonly name: "release" | "debug" | "debug_until_2022";
  /** Packed flag that marks the entries of grants; 0 if there is none. */
  readonly grantPteTag: number;
  /** Called for each leak, after it was recorded. */
  implicitUnmap(hv: Hypervisor, leak: LeakedPin): void;
}

/** Nothing is noticed. */
export const releaseBuild: BuildKind = Object.freeze({
  name: "release",
  grantPteTag: 0,
  implicitUnmap: () => {},
});

/** Since July 2022 a general-protection fault is injected into the vCPU that did it. @cite commit f61c54967f implicit unmaps inject a fault */
export const debugBuild: BuildKind = Object.freeze({
  name: "debug",
  grantPteTag: _PAGE_GNTTAB,
  implicitUnmap: (hv: Hypervisor, leak: LeakedPin) => {
    hv.injected.push({ domid: leak.mapper, trap: 13, errorCode: 0 });
  },
});

/** From 2005 to July 2022 the domain that did it was killed. @cite commit f61c54967f implicit unmaps inject a fault */
export const debugBuildUntil2022: BuildKind = Object.freeze({
  name: "debug_until_2022",
  grantPteTag: _PAGE_GNTTAB,
  implicitUnmap: (hv: Hypervisor, leak: LeakedPin) => {
    const domain = hv.domainById(leak.mapper);
    if (domain === undefined || domain.isDying) return;
    domain.crash ??= new DomainCrash(
      leak.mapper,
      "put_page_from_l1e",
      `the entry at machine address ${leak.pte} went without an unmap of handle ${leak.handle}`,
    );
  },
});
