/**
 * Grants as sets: what was published, and which mappings exist. Pins, in-use bits and "may this frame become a page
 * table" are questions about the set, not state. Small enough to be obviously right.
 *
 * Knows nothing of handles, status codes, tables of entries or TLBs; answers only whether an operation must succeed.
 *
 * @module
 */

/** A grant as its domain wrote it last. */
export interface ReferenceGrant {
  /** Who may use the frame. */
  readonly user: number;
  /** Machine frame. */
  readonly frame: number;
  readonly readonly: boolean;
}

/** A mapping, or what is left of one. */
export interface ReferenceMapping {
  readonly mapper: number;
  readonly granter: number;
  readonly ref: number;
  /** The frame that counts since the grant came into use. */
  readonly frame: number;
  readonly readonly: boolean;
  /** Reached by CPUs. */
  host: boolean;
  /** Reached by devices. */
  device: boolean;
}

/** At most this many mappings of one kind of one grant. */
const MAX_PINS = 128;

/**
 * Which grants exist and who maps them.
 *
 * @example
 * ```ts
 * import { ReferenceGrants } from "grantlab/reference";
 * const grants = new ReferenceGrants();
 * grants.addDomain(1, [16, 17], false);
 * grants.publish(1, 8, { user: 0, frame: 16, readonly: true });
 * const mapping = { mapper: 0, granter: 1, ref: 8, readonly: false, host: true, device: false };
 * if (grants.canMap(mapping) || !grants.canMap({ ...mapping, readonly: true })) throw new Error();
 * ```
 */
export class ReferenceGrants {
  readonly mappings: Set<ReferenceMapping> = new Set();
  readonly #domains = new Map<number, { frames: ReadonlySet<number>; external: boolean; isDying: boolean }>();
  readonly #grants = new Map<string, ReferenceGrant>();
  readonly #tables = new Set<number>();

  /** A domain that owns these frames; `external` if it is translated. */
  addDomain(domid: number, frames: readonly number[], external: boolean): void {
    this.#domains.set(domid, { frames: new Set(frames), external, isDying: false });
  }

  /** A grant is written. While it is in use this changes nothing but the right to write. */
  publish(granter: number, ref: number, grant: ReferenceGrant): void {
    this.#grants.set(`${granter}/${ref}`, grant);
  }

  /** A grant is taken back, if nobody uses it: was it free? */
  revoke(granter: number, ref: number): boolean {
    if (this.usesOf(granter, ref).length > 0) return false;
    this.#grants.delete(`${granter}/${ref}`);
    return true;
  }

  /** Must this mapping come into being? */
  canMap(wish: Omit<ReferenceMapping, "frame">): boolean {
    const uses = this.usesOf(wish.granter, wish.ref);
    const grant = this.#grants.get(`${wish.granter}/${wish.ref}`);
    const [first] = uses;
    if (first === undefined) {
      if (grant === undefined || grant.user !== wish.mapper || !this.#isThere(wish.granter, grant.frame)) {
        return false;
      }
    } else if (first.mapper !== wish.mapper) return false;
    const isFirstWriter = !wish.readonly && !uses.some((use) => !use.readonly);
    if (isFirstWriter && (grant === undefined || grant.readonly)) return false;
    for (const kind of ["host", "device"] as const) {
      const same = uses.filter((use) => use[kind] && use.readonly === wish.readonly);
      if (wish[kind] && same.length >= MAX_PINS) return false;
    }
    const frame = first?.frame ?? grant!.frame;
    return !(this.#tables.has(frame) && this.#writes(wish));
  }

  /** The mapping comes into being. */
  map(wish: Omit<ReferenceMapping, "frame">): ReferenceMapping {
    const [first] = this.usesOf(wish.granter, wish.ref);
    const frame = first?.frame ?? this.#grants.get(`${wish.granter}/${wish.ref}`)!.frame;
    const mapping = { ...wish, frame };
    this.mappings.add(mapping);
    return mapping;
  }

  /** Halves of a mapping go; with the second one it is gone. */
  unmap(mapping: ReferenceMapping, halves: { readonly host: boolean; readonly device: boolean }): void {
    if (halves.host) mapping.host = false;
    if (halves.device) mapping.device = false;
    if (!mapping.host && !mapping.device) this.mappings.delete(mapping);
  }

  /** Uses of a grant. */
  usesOf(granter: number, ref: number): ReferenceMapping[] {
    return [...this.mappings].filter((use) => use.granter === granter && use.ref === ref);
  }

  /** The four counters. */
  pins(granter: number, ref: number): { hstw: number; hstr: number; devw: number; devr: number } {
    const uses = this.usesOf(granter, ref);
    const count = (kind: "host" | "device", readonly: boolean) =>
      uses.filter((use) => use[kind] && use.readonly === readonly).length;
    return {
      hstw: count("host", false),
      hstr: count("host", true),
      devw: count("device", false),
      devr: count("device", true),
    };
  }

  /** Is the frame reached for writing through a mapping that counts? */
  isWritten(frame: number): boolean {
    return [...this.mappings].some((use) => use.frame === frame && this.#writes(use));
  }

  /** Must the frame become a page table, or cease to be one? */
  canBeTable(frame: number): boolean {
    return !this.isWritten(frame) && !this.#tables.has(frame);
  }

  /** It does. */
  setTable(frame: number, on: boolean): void {
    if (on) this.#tables.add(frame);
    else this.#tables.delete(frame);
  }

  isTable(frame: number): boolean {
    return this.#tables.has(frame);
  }

  /** A domain dies: what it mapped goes; what others map of it stays as long as they do. */
  kill(domid: number): void {
    for (const use of [...this.mappings]) if (use.mapper === domid) this.mappings.delete(use);
    const domain = this.#domains.get(domid)!;
    domain.isDying = true;
    for (const frame of domain.frames) this.#tables.delete(frame);
  }

  /** Frames of a domain that must still exist. */
  framesOf(domid: number): number {
    const domain = this.#domains.get(domid)!;
    return [...domain.frames].filter((frame) => this.#isThere(domid, frame)).length;
  }

  #isThere(domid: number, frame: number): boolean {
    const domain = this.#domains.get(domid);
    if (domain === undefined || !domain.frames.has(frame)) return false;
    return !domain.isDying || [...this.mappings].some((use) => use.frame === frame);
  }

  /** A use that holds the frame as a writable page: a CPU's writes to a translated domain's page do not count. */
  #writes(use: Omit<ReferenceMapping, "frame">): boolean {
    if (use.readonly) return false;
    return use.device ||
      use.host && (use.mapper === use.granter || this.#domains.get(use.granter)?.external !== true);
  }
}
