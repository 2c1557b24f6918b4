/**
 * A host as data: what is in the JSON part of a saved host.
 *
 * @module
 */

import type { LeakedPin } from "../build.ts";
import type { DomainKind, Vcpu } from "../domain.ts";
import type { InjectedFault } from "../hypervisor.ts";

/** Columns as JSON arrays. */
export type JsonColumns<T> = { readonly [K in keyof T]: readonly number[] };

/** A domain. */
export interface DomainState {
  readonly domid: number;
  readonly name: string;
  readonly kind: DomainKind;
  readonly privileged: boolean;
  readonly mayMapIomem: boolean;
  readonly maxPages: number;
  readonly frames: readonly number[];
  /** Triples: guest frame, machine frame, type; null for a paravirtual domain. */
  readonly p2m: readonly number[] | null;
  readonly vcpus: readonly Vcpu[];
  readonly currentVcpu: number;
  readonly dirtyCpus: readonly number[];
  readonly isDying: boolean;
  readonly crash: { readonly where: string; readonly why: string } | null;
  readonly grantTable: {
    readonly version: 1 | 2;
    readonly maxFrames: number;
    readonly sharedFrames: readonly number[];
    readonly statusFrames: readonly number[];
    /** Quadruples of the references in use: reference, pin, user, frame. */
    readonly active: readonly number[];
  };
  readonly maptrack: {
    readonly maxFrames: number;
    readonly columns: Readonly<Record<string, readonly number[]>>;
  };
}

/** The host. */
export interface HostState {
  /** Name of the release. */
  readonly flavour: string;
  /** Every choice of the flavour, so that a variant of a release is not taken for it: a plan by its name, a rule itself. */
  readonly seams: Readonly<Record<string, string | number | boolean>>;
  readonly nrFrames: number;
  readonly nrCpus: number;
  readonly frameTable: Readonly<Record<string, readonly number[]>>;
  readonly tlbTimes: readonly number[];
  readonly leaks: readonly LeakedPin[];
  readonly injected: readonly InjectedFault[];
  readonly domains: readonly DomainState[];
  /** Frames with content, ascending; their bytes follow the state. */
  readonly content: readonly number[];
}
