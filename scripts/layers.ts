/**
 * The layers and what each may import: the table that `check_layers.ts` and the lint rules of `lint/house.ts` hold
 * the code to. The picture is in `lib/README.md`.
 *
 * @module
 */

/** The rule of one layer. */
export interface LayerRule {
  /**
   * What its files may import, besides files of their own layer: a layer (`core`) or, if only one file of it is
   * allowed, that file (`xen/abi.ts`).
   */
  readonly mayImport: readonly string[];
  /** May it import packages (npm, jsr, node)? */
  readonly packages?: boolean;
  /**
   * May it touch the outside: files, clock, console, network, timers, randomness of its own? Either all of its
   * files or those named.
   */
  readonly outside?: true | readonly string[];
}

/** Rules by layer; a layer is a folder of `lib`. */
export type LayerTable = Readonly<Record<string, LayerRule>>;

const HARDWARE = ["core", "trace", "x86"] as const;
const MODEL = [...HARDWARE, "xen", "linux/mm", "linux/xen", "linux", "drivers", "reference", "cost"] as const;

/** The table. `linux` is the files directly in that folder, which assemble a kernel. */
export const LAYERS = {
  "core": { mayImport: [] },
  "trace": { mayImport: ["core"] },
  "x86": { mayImport: ["core", "trace"] },
  "xen": { mayImport: HARDWARE },
  // Not xen: foreign pages are served without the common mm knowing of Xen, or the design intrudes.
  "linux/mm": { mayImport: HARDWARE },
  "linux/xen": { mayImport: [...HARDWARE, "xen", "linux/mm"] },
  "linux": { mayImport: [...HARDWARE, "xen", "linux/mm", "linux/xen"] },
  // Of Xen only what its public headers say: operations and their statuses.
  "drivers": { mayImport: [...HARDWARE, "xen/abi.ts", "xen/status.ts", "linux/mm", "linux/xen", "linux"] },
  "reference": { mayImport: ["core"] },
  "cost": { mayImport: ["core", "trace/events.ts"] },
  "import": { mayImport: ["core", "x86", "linux/mm", "cost", "std"], outside: true },
  "experiments": { mayImport: [...MODEL, "import"] },
  "plots": { mayImport: ["core", "std"], packages: true, outside: ["save.ts", "renderer.ts"] },
  "sweep": {
    mayImport: ["core", "trace", "cost", "experiments", "plots"],
    packages: true,
    outside: ["point_key.ts", "results_folder.ts", "run_points.ts", "sweep.ts", "worker.ts"],
  },
  "conform": { mayImport: [...MODEL, "import", "experiments", "plots", "std"], outside: ["read.ts"] },
  "jupyter": { mayImport: ["std"], packages: true, outside: true },
  "repl": {
    mayImport: [...MODEL, "import", "experiments", "plots", "sweep", "conform", "jupyter", "std"],
    packages: true,
    outside: true,
  },
  "cli": {
    mayImport: [...MODEL, "import", "experiments", "plots", "sweep", "conform", "jupyter", "repl", "std"],
    packages: true,
    outside: true,
  },
  "std": { mayImport: [], packages: true },
} as const satisfies LayerTable;

/**
 * Cycles of files that may stay, each because the thing modelled is recursive: first file in alphabetical order, and
 * the others in the order of import.
 */
export const RECURSIVE: readonly (readonly string[])[] = [
  // The type of a table holds a type of each frame it maps, and that one may be a table again.
  ["lib/xen/mmu/l1e.ts", "lib/xen/mmu/page_type.ts"],
];

/**
 * The layer of a file given by its path from the project's root, or `undefined` if it is in none. The longest
 * folder wins: `lib/linux/mm/gup.ts` is of `linux/mm`, `lib/linux/kernel.ts` of `linux`.
 */
export function layerOf(path: string, table: LayerTable = LAYERS): string | undefined {
  const folders = path.split("/").slice(0, -1);
  if (folders.shift() !== "lib") return undefined;
  for (let n = folders.length; n > 0; n--) {
    const name = folders.slice(0, n).join("/");
    if (Object.hasOwn(table, name)) return name;
  }
  return undefined;
}

/** May this file touch the outside? Files in no layer (scripts, tests) may. */
export function mayTouchOutside(path: string, table: LayerTable = LAYERS): boolean {
  const layer = layerOf(path, table);
  if (layer === undefined) return true;
  const { outside } = table[layer]!;
  return outside === true || (outside?.includes(path.slice(`lib/${layer}/`.length)) ?? false);
}
