import { assertEquals } from "@std/assert";
import house from "../../scripts/lint/house.ts";

/** Ids of the rules that the source breaks when it stands in that file. */
function broken(file: string, source: string): string[] {
  return Deno.lint.runPlugin(house, file, source).map(({ id }) => id);
}

Deno.test("house/pure keeps the model away from the outside", () => {
  const cases: [source: string, count: number][] = [
    // control
    ["export const f = (n: number) => Math.imul(n, 3);", 0],
    ["export const kind = { fetch: 1, console: 2 }.fetch;", 0],
    ["export const f = (fetch: boolean) => fetch ? 1 : 0;", 0],
    ["export const f = (process: { pid: number }) => process.pid;", 0],
    ["export function f(w: { process: string[] }) { const { process } = w; return process.length; }", 0],
    ["// Deno.readFile, Date.now() and console.log are only words here", 0],
    ['export const s = "Deno.readFile";', 0],
    // one reach per row
    ["export const f = () => Deno.pid;", 1],
    ["export const f = () => Date.now();", 1],
    ["export const f = () => new Date();", 1],
    ["export const f = () => performance.now();", 1],
    ["export const f = () => Math.random();", 1],
    ["export const f = () => Math.floor(1.5);", 0],
    ['export const f = () => console.log("x");', 1],
    ['export const f = () => fetch("x");', 1],
    ["export const f = () => setTimeout(() => {}, 1);", 1],
    ["export const f = () => { const { now } = Date; return now; };", 1],
    ["export const f = () => globalThis.name;", 1],
    ["export const f = () => process.pid;", 1],
  ];
  for (const [source, count] of cases) {
    assertEquals(broken("/p/lib/x86/a.ts", source), Array(count).fill("house/pure"), source);
    assertEquals(broken("/p/lib/repl/a.ts", source), [], `in repl: ${source}`);
    assertEquals(broken("/p/scripts/a.ts", source), [], `in scripts: ${source}`);
  }
});

Deno.test("house/no-module-state lets nothing at the top of a module change", () => {
  const cases: [source: string, count: number][] = [
    // control
    ["export const n = 1;", 0],
    ["export const list: readonly number[] = [1, 2];", 0],
    ["export const list: ReadonlyArray<number> = [1, 2];", 0],
    ["export const list = [1, 2] as const;", 0],
    ["export const list = Object.freeze([1, 2]);", 0],
    ["export const known: ReadonlySet<string> = new Set();", 0],
    ["export const order = new Uint8Array([1, 2]);", 0],
    ["export function f() { let n = 0; n++; const m = new Map(); return m; }", 0],
    ["class A { static readonly limit = 1; count = 0; }", 0],
    ["declare let x: number;", 0],
    // one kind of state per row
    ["let n = 0;", 1],
    ["export let n = 0;", 1],
    ["var n = 0;", 1],
    ["const list = [1, 2];", 1],
    ["export const cache = new Map();", 1],
    ["const known = new Set<string>();", 1],
    ["const buffer = new Int32Array(16);", 1],
    ["const buffer: Int32Array = new Int32Array(16);", 1],
    ["class A { static count = 0; }", 1],
  ];
  for (const [source, count] of cases) {
    assertEquals(broken("/p/lib/plots/a.ts", source), Array(count).fill("house/no-module-state"), source);
    assertEquals(broken("/p/scripts/a.ts", source), [], `in scripts: ${source}`);
  }
});
