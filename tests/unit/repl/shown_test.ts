import { assert, assertEquals } from "@std/assert";
import * as grantlab from "../../../mod.ts";
import { htmlView, textView } from "../../../lib/core/views.ts";
import { bundleOf } from "../../../lib/repl/display.ts";
import { textOf } from "../../../lib/repl/print.ts";

const { ASSUMED_CYCLES, chart, compare, explain, PAGE, priceOf, readMaps, world } = grantlab;

/** What a user has after the two minutes of README, by name. */
function roots(): Record<string, unknown> {
  const w = world();
  const qemu = w.process("qemu");
  const vma = qemu.mmapGrants(w.guest.grant(8));
  qemu.munmap(vma.start + 4 * PAGE, PAGE);
  const io = qemu.directRead(vma.start + 5 * PAGE, PAGE);
  const comparison = compare("split_then_pin", ["linux6_1"], { pages: 4 });
  const real = readMaps("00400000-00404000 rw-p 00000000 00:00 0 [heap]\n");
  const walk = qemu.walk(vma.start);
  const why = explain(io);
  const { EVENTS, EXPERIMENTS, KERNEL_FLAVOURS, XEN_FLAVOURS } = grantlab;
  const catalogues = { EVENTS, EXPERIMENTS, KERNEL_FLAVOURS, XEN_FLAVOURS };
  const cost = priceOf({ hypercall: 2, walk_step: 8 }, ASSUMED_CYCLES);
  return {
    ...catalogues,
    cost,
    w,
    qemu,
    vma,
    io,
    walk,
    why,
    comparison,
    figure: chart(comparison),
    real,
    prices: ASSUMED_CYCLES,
  };
}

const DEEPEST = 5;
const STOPS: ReadonlySet<unknown> = new Set([
  Object.prototype,
  Array.prototype,
  Map.prototype,
  Set.prototype,
]);

/** Values that names and dots lead to, as Tab offers them: own properties and getters, no calls. */
function* reachable(): Generator<{ path: string; value: object }> {
  const seen = new Set<unknown>();
  const queue = Object.entries(roots()).map(([path, value]) => ({ path, value, depth: 0 }));
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { path, value, depth } = next;
    if (typeof value !== "object" || value === null || seen.has(value)) continue;
    seen.add(value);
    yield { path, value };
    if (depth === DEEPEST || ArrayBuffer.isView(value)) continue;
    for (const name of namesOf(value)) {
      let inner: unknown;
      try {
        inner = (value as Record<string, unknown>)[name];
      } catch {
        continue; // A getter that refuses is no value.
      }
      queue.push({ path: `${path}.${name}`, value: inner, depth: depth + 1 });
    }
  }
}

function namesOf(value: object): string[] {
  const names = new Set<string>();
  for (let at: object | null = value; at !== null && !STOPS.has(at); at = Object.getPrototypeOf(at)) {
    for (const name of Object.getOwnPropertyNames(at)) names.add(name);
  }
  names.delete("constructor");
  // The elements of a list are alike.
  return [...names].filter((name) => !/^\d+$/.test(name) || Number(name) < 2);
}

Deno.test("everything that a Tab leads to shows itself in text, and what has fields in HTML", async () => {
  const failures: string[] = [];
  let n = 0;
  for (const { path, value } of reachable()) {
    n++;
    const text = textOf(value);
    const { data } = (await bundleOf(value))!;
    const html = String(data["text/html"] ?? data["image/svg+xml"] ?? data["image/png"] ?? "");
    const isPlain = [Object.prototype, Array.prototype, null].includes(Object.getPrototypeOf(value)) ||
      ArrayBuffer.isView(value);
    const hasFields = !Array.isArray(value) && !ArrayBuffer.isView(value);
    if (text.includes("[object ")) failures.push(`${path}: ${text.slice(0, 60)}`);
    if (html.includes("[object ")) failures.push(`${path}: HTML ${html.slice(0, 60)}`);
    if (/^</.test(text)) failures.push(`${path}: ${text.slice(0, 80)}`);
    if (html === "" && hasFields) failures.push(`${path}: no HTML`);
    if (!isPlain && !labelled(value, text)) failures.push(`${path}: unlabelled: ${text.slice(0, 60)}`);
    if (hasFields && text.split("\n").length > 120) {
      failures.push(`${path}: ${text.split("\n").length} lines`);
    }
  }
  assert(n > 250, `only ${n} values were reached`);
  assertEquals(failures, []);
});

/** Its own text says what it is; else its class is named. */
function labelled(value: object, text: string): boolean {
  if (typeof (value as Record<symbol, unknown>)[textView] === "function") return text.trim() !== "";
  return text.includes(String(Object.getPrototypeOf(value).constructor.name));
}

Deno.test("an object of a class without a view is its fields, a line each, once it is large", async () => {
  class Large {
    readonly rows = Array.from({ length: 30 }, (_, i) => ({ address: 0x1000 * i, text: "x".repeat(40) }));
    readonly n = 3;
    get busy(): number {
      throw new Error("looked at");
    }
  }
  const text = textOf(new Large());
  assertEquals([text.split("\n").length < 10, text.startsWith("Large\n"), text.includes("n      3")], [
    true,
    true,
    true,
  ], text);
  const { data } = (await bundleOf(new Large()))!;
  assert(String(data["text/html"]).includes("<p>Large</p>"), String(data["text/html"]));
  assertEquals((await bundleOf([1, 2]))!.data["text/html"], undefined);
  assertEquals(typeof (grantlab.world() as unknown as Record<symbol, unknown>)[htmlView], "function");
});

/** What a name at the prompt shows: a line of it, or how it begins. */
const CATALOGUES: readonly (readonly [value: unknown, lines: RegExp])[] = [
  [grantlab.EVENTS, /^tlb_miss +hw +access +translation not in the TLB/m],
  [grantlab.EXPERIMENTS, /^split_cost +What does .* design, vmas, pages /m],
  [grantlab.KERNEL_FLAVOURS, /^linux4_0 +Linux 4\.0: find_special_page +mm of 2014 +linux 4\.0 mm/m],
  // Many fields of few flavours: a column for each flavour.
  [grantlab.XEN_FLAVOURS, /^mapNoHandle +-7 \(GNTST_/m],
  [ASSUMED_CYCLES, /^prices\n +per +low +high +source\n[─ ]+\ntlb_lookup +0 +0 +0 /m],
  [grantlab.priceOf({ hypercall: 1 }, ASSUMED_CYCLES), /^byEvent\n.*\n.*\n0 +hypercall +xen +1 /m],
];

Deno.test("catalogues of objects that are alike are tables", () => {
  for (const [value, lines] of CATALOGUES) {
    const text = textOf(value, { width: 120 });
    assert(lines.test(text), text);
  }
});
