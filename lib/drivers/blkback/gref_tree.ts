/**
 * A balanced search tree keyed by grant reference, in which every node looked at is counted.
 *
 * Linux uses a red-black tree. This is the AA tree, the red-black tree in which only right children may be red: the same
 * bound on the depth, half the cases.
 *
 * @cite linux 6.1 drivers/block/xen-blkback/blkback.c get_persistent_gnt
 * @module
 */

import { EV } from "../../trace/events.ts";
import type { Trace } from "../../trace/trace.ts";

interface Node<T> {
  readonly gref: number;
  readonly value: T;
  level: number;
  left: Node<T> | null;
  right: Node<T> | null;
}

/**
 * A map from grant reference to value, in order of reference.
 *
 * @example
 * ```ts
 * import { GrefTree } from "grantlab/drivers";
 * import { Trace } from "grantlab/trace";
 * const trace = new Trace();
 * const tree = new GrefTree<string>(trace);
 * for (const gref of [9, 8, 10]) tree.insert(gref, `ref ${gref}`);
 * if (tree.find(8) !== "ref 8" || trace.count("pgrant_probe") === 0) throw new Error();
 * ```
 */
export class GrefTree<T> {
  #root: Node<T> | null = null;
  #size = 0;

  constructor(readonly trace: Trace) {}

  /** References in the tree. */
  get size(): number {
    return this.#size;
  }

  /** The value of a reference, or undefined. */
  find(gref: number): T | undefined {
    let node = this.#root;
    let probes = 0;
    while (node !== null && node.gref !== gref) {
      probes++;
      node = gref < node.gref ? node.left : node.right;
    }
    if (node !== null) probes++;
    if (probes > 0) this.trace.add(EV.pgrant_probe, probes);
    return node?.value;
  }

  /** Puts a reference in; false if it is there already. */
  insert(gref: number, value: T): boolean {
    const before = this.#size;
    this.#root = this.#insert(this.#root, gref, value);
    return this.#size > before;
  }

  /** Takes a reference out; false if it is not there. */
  delete(gref: number): boolean {
    const before = this.#size;
    this.#root = this.#delete(this.#root, gref);
    return this.#size < before;
  }

  /** Values in order of reference, as they are now. */
  values(): T[] {
    const values: T[] = [];
    const path: Node<T>[] = [];
    for (let node = this.#root; node !== null || path.length > 0;) {
      while (node !== null) {
        path.push(node);
        node = node.left;
      }
      node = path.pop()!;
      values.push(node.value);
      node = node.right;
    }
    return values;
  }

  /** Nodes on the longest way down. */
  get depth(): number {
    const depthOf = (node: Node<T> | null): number =>
      node === null ? 0 : 1 + Math.max(depthOf(node.left), depthOf(node.right));
    return depthOf(this.#root);
  }

  #insert(node: Node<T> | null, gref: number, value: T): Node<T> {
    if (node === null) {
      this.#size++;
      return { gref, value, level: 1, left: null, right: null };
    }
    this.trace.add(EV.pgrant_probe);
    if (gref < node.gref) node.left = this.#insert(node.left, gref, value);
    else if (gref > node.gref) node.right = this.#insert(node.right, gref, value);
    return split(skew(node)!)!;
  }

  #delete(node: Node<T> | null, gref: number): Node<T> | null {
    if (node === null) return null;
    if (gref < node.gref) node.left = this.#delete(node.left, gref);
    else if (gref > node.gref) node.right = this.#delete(node.right, gref);
    else {
      if (node.left === null && node.right === null) {
        this.#size--;
        return null;
      }
      // The neighbour in order takes the place: the next one, or the one before where there is no next.
      const next = node.right !== null;
      let neighbour = next ? node.right! : node.left!;
      for (let down = neighbour; down !== null; down = (next ? down.left : down.right)!) neighbour = down;
      const { level, left, right } = node;
      const taken: Node<T> = { gref: neighbour.gref, value: neighbour.value, level, left, right };
      if (next) taken.right = this.#delete(right, neighbour.gref);
      else taken.left = this.#delete(left, neighbour.gref);
      return rebalance(taken);
    }
    return rebalance(node);
  }
}

/** A left child of the same level becomes the parent. */
function skew<T>(node: Node<T> | null): Node<T> | null {
  const left = node?.left;
  if (!node || !left || left.level !== node.level) return node;
  node.left = left.right;
  left.right = node;
  return left;
}

/** Two right children of the same level in a row: the middle one rises. */
function split<T>(node: Node<T> | null): Node<T> | null {
  const right = node?.right;
  if (!node || !right?.right || right.right.level !== node.level) return node;
  node.right = right.left;
  right.left = node;
  right.level++;
  return right;
}

/** After a deletion below: the level falls with that of the children, and links are straightened. */
function rebalance<T>(node: Node<T>): Node<T> {
  const level = Math.min(node.left?.level ?? 0, node.right?.level ?? 0) + 1;
  if (level < node.level) {
    node.level = level;
    if (node.right !== null && level < node.right.level) node.right.level = level;
  }
  let top = skew(node)!;
  top.right = skew(top.right);
  if (top.right !== null) top.right.right = skew(top.right.right);
  top = split(top)!;
  top.right = split(top.right);
  return top;
}
