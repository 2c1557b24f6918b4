/**
 * Rows of recorded costs: instruction counts of one call, whole (`median`) or by layer (`user`, `kernel`, `xen`).
 *
 * @module
 */

/** One recorded row. */
export interface CostRow {
  readonly machine: string;
  /** Processor model of the emulator; null where the recording does not say. */
  readonly cpu: string | null;
  readonly mode: string;
  readonly tables: string;
  readonly bench: string;
  readonly n: number;
  /** Median of all instructions; null in rows by layer. */
  readonly median: number | null;
  /** Null in rows of totals. */
  readonly layers: CostRowLayers | null;
}

/** What a row by layer says beside the size. */
export interface CostRowLayers {
  readonly user: number;
  readonly kernel: number;
  readonly xen: number;
  readonly events: Readonly<Record<string, number>>;
  /** By number, as seen at Linux's call sites. */
  readonly hypercalls: Readonly<Record<string, number>>;
}

/**
 * Reads a row.
 *
 * @throws {TypeError} if a member is missing or not of its type
 * @throws {RangeError} if a count is negative
 *
 * @example
 * ```ts
 * import { parseCostRow } from "grantlab/import";
 * const row = parseCostRow({ machine: "linux", cpu: "max", mode: "generic", tables: "warm", bench: "getpid", n: 1, median: 317 });
 * if (row.median !== 317 || row.layers !== null) throw new Error();
 * ```
 */
export function parseCostRow(row: Readonly<Record<string, unknown>>): CostRow {
  const isByLayer = row.kernel !== undefined;
  return {
    machine: text(row, "machine"),
    cpu: row.cpu === undefined ? null : text(row, "cpu"),
    mode: text(row, "mode"),
    tables: text(row, "tables"),
    bench: text(row, "bench"),
    n: count(row, "n"),
    median: isByLayer ? null : count(row, "median"),
    layers: isByLayer
      ? {
        user: count(row, "user"),
        kernel: count(row, "kernel"),
        xen: count(row, "xen"),
        events: counts(row, "events"),
        hypercalls: counts(row, "hypercalls"),
      }
      : null,
  };
}

/** Is there a timer interrupt inside? The hypercall that sets the timer again tells. */
export function hasTimerNoise({ layers }: CostRow): boolean {
  return layers !== null && Object.hasOwn(layers.hypercalls, VCPU_OP);
}

/** vcpu_op. @cite xen 4.17 xen/include/public/xen.h __HYPERVISOR_vcpu_op */
const VCPU_OP = "24";

/** Enhanced REP MOVSB/STOSB: all processor models but those that say otherwise, and EPYC of the emulator. */
export function hasErms({ cpu, machine }: CostRow): boolean {
  return machine !== "xenpvh" && cpu !== "EPYC" && !(cpu ?? "").endsWith("-noerms");
}

function text(row: Readonly<Record<string, unknown>>, key: string): string {
  const value = row[key];
  if (typeof value === "string" && value !== "") return value;
  throw new TypeError(
    `Cannot use a row of costs: ${key} is ${value === undefined ? "missing" : "not a text"}`,
  );
}

function count(row: Readonly<Record<string, unknown>>, key: string): number {
  const value = row[key];
  if (typeof value !== "number") {
    throw new TypeError(
      `Cannot use a row of costs: ${key} is ${value === undefined ? "missing" : "not a number"}`,
    );
  }
  if (Number.isFinite(value) && value >= 0) return value;
  throw new RangeError(`Cannot use a row of costs: ${key} is ${value}, it must be a count`);
}

function counts(row: Readonly<Record<string, unknown>>, key: string): Record<string, number> {
  const value = row[key] ?? {};
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TypeError(`Cannot use a row of costs: ${key} is not an object`);
  }
  const members = value as Record<string, unknown>;
  return Object.fromEntries(Object.keys(members).map((name) => [name, count(members, name)]));
}
