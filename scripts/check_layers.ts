/**
 * Holds every import of `lib` to the table in `layers.ts`. Prints each forbidden import with the rule it breaks.
 *
 * ```sh
 * deno run --allow-read --allow-run scripts/check_layers.ts
 * ```
 *
 * @module
 */

import { conclude, type Finding } from "./gate/finding.ts";
import { type Import, importGraph } from "./gate/import_graph.ts";
import { filesBelow } from "./gate/project_files.ts";
import { layerOf, LAYERS, type LayerTable, RECURSIVE } from "./layers.ts";

if (import.meta.main) {
  const files = filesBelow("lib", [".ts"]);
  const { imports, broken } = await importGraph(files);
  conclude(
    [...broken, ...findStrays(files), ...findForbidden(imports), ...findCycles(imports)],
    `${imports.length} imports of ${files.length} files`,
  );
}

/** Files of `lib` that are in no layer, and so under no rule. */
export function findStrays(files: readonly string[], table: LayerTable = LAYERS): Finding[] {
  return files.filter((file) => layerOf(file, table) === undefined).map((file) => ({
    file,
    reason: "in no layer of scripts/layers.ts",
  }));
}

/** Imports that the table does not allow. */
export function findForbidden(imports: readonly Import[], table: LayerTable = LAYERS): Finding[] {
  const findings: Finding[] = [];
  for (const { from, to } of imports) {
    const reason = whyForbidden(from, to, table);
    if (reason !== undefined) findings.push({ file: from, reason: `imports ${to}: ${reason}` });
  }
  return findings;
}

function whyForbidden(from: string, to: string, table: LayerTable): string | undefined {
  const layer = layerOf(from, table);
  if (layer === undefined) return undefined;
  const rule = table[layer]!;
  if (/^(npm|node|jsr|https?|data):/.test(to)) {
    return rule.packages ? undefined : `${layer} may import no package`;
  }
  const target = layerOf(to, table);
  if (target === layer) {
    return to === `lib/${layer}/mod.ts`
      ? "a sibling is imported by its own file, not through mod.ts"
      : undefined;
  }
  if (target === undefined) return `${layer} may import layers only`;
  const allowed = rule.mayImport.includes(target) || rule.mayImport.includes(to.slice("lib/".length));
  return allowed ? undefined : `${layer} may import ${listOf(rule.mayImport)}`;
}

function listOf(names: readonly string[]): string {
  return names.length === 0 ? "nothing" : names.join(", ");
}

/**
 * Cycles: of layers by any import, and of files by imports that are there at run time, except those in `allowed`.
 * Also what is allowed and is no cycle.
 */
export function findCycles(
  imports: readonly Import[],
  table: LayerTable = LAYERS,
  allowed: readonly (readonly string[])[] = RECURSIVE,
): Finding[] {
  const files = new Map<string, Set<string>>();
  const layers = new Map<string, Set<string>>();
  for (const { from, to, typeOnly } of imports) {
    const [a, b] = [layerOf(from, table), layerOf(to, table)];
    if (a === undefined || b === undefined) continue;
    if (a !== b) edge(layers, a, b);
    if (!typeOnly) edge(files, from, to);
  }
  const show = (cycle: readonly string[]) => [...cycle, cycle[0]!].join(" → ");
  const found = new Set(cyclesOf(files).map(show));
  const known = new Set(allowed.map(show));
  return [
    ...[...found].filter((c) => !known.has(c)).map((c) => ({
      file: c.split(" ")[0]!,
      reason: `import cycle: ${c}`,
    })),
    ...[...known].filter((c) => !found.has(c)).map((c) => ({
      file: "scripts/layers.ts",
      reason: `no cycle: ${c}`,
    })),
    ...cyclesOf(layers).map((c) => ({ file: `lib/${c[0]}`, reason: `layer cycle: ${show(c)}` })),
  ];
}

function edge(graph: Map<string, Set<string>>, from: string, to: string): void {
  const targets = graph.get(from) ?? new Set();
  graph.set(from, targets.add(to));
}

/** One cycle for each back edge of a depth-first walk, from its first node in alphabetical order. */
function cyclesOf(graph: ReadonlyMap<string, ReadonlySet<string>>): string[][] {
  const done = new Set<string>();
  const path: string[] = [];
  const cycles: string[][] = [];
  const visit = (node: string) => {
    const at = path.indexOf(node);
    if (at >= 0) cycles.push(fromLeast(path.slice(at)));
    if (at >= 0 || done.has(node)) return;
    path.push(node);
    for (const next of [...graph.get(node) ?? []].sort()) visit(next);
    path.pop();
    done.add(node);
  };
  for (const node of [...graph.keys()].sort()) visit(node);
  return cycles;
}

function fromLeast(cycle: readonly string[]): string[] {
  const at = cycle.indexOf(cycle.toSorted()[0]!);
  return [...cycle.slice(at), ...cycle.slice(0, at)];
}
