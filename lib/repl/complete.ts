/**
 * Names that may come next: those of the session, or the properties of the object before the last dot. The object is
 * found without side effects: V8 refuses to evaluate what might have any.
 *
 * @module
 */

import type { EvaluateAnswer, InspectorClient } from "./inspector_client.ts";

/** The last word, and the path before it: names and whole numbers in brackets. Calls are not followed. */
const TAIL = /(?:((?:[\p{ID_Start}$_][\p{ID_Continue}$]*(?:\[\d+\])*\??\.)+))?([\p{ID_Continue}$]*)$/u;

/** What a help line asks about. */
const HELP_LINE = /^\s*\?\s*/;

/** Words that end in a name but are none. */
const OWN_NAMES = `(function () {
  "use strict"; // or nothing would be the global object
  if (this === undefined || this === null) return [];
  const names = new Set();
  for (let at = Object(this); at !== null; at = Object.getPrototypeOf(at)) {
    // What every object has is not what somebody looks for.
    if (at === Object.prototype && this !== globalThis) break;
    for (const name of Object.getOwnPropertyNames(at)) {
      if (name !== "constructor") names.add(name);
    }
  }
  return [...names];
})`;

/** See `Evaluator.complete`. */
export async function completions(
  client: InspectorClient,
  prefix: string,
): Promise<{ readonly from: number; readonly names: readonly string[] }> {
  const isHelp = HELP_LINE.test(prefix);
  const [, path, word] = TAIL.exec(prefix)!;
  const from = prefix.length - word!.length;
  if (path === undefined && word === "" && !isHelp || path === undefined && prefix[from - 1] === ".") {
    return { from, names: [] };
  }
  const found = path === undefined
    ? await namesOfSession(client)
    : await namesOf(client, path.replaceAll("?.", ".").replace(/\.$/, ""));
  const names = found.filter((name) =>
    name.startsWith(word!) && /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name)
  );
  return { from, names: names.sort() };
}

async function namesOfSession(client: InspectorClient): Promise<string[]> {
  const lexical = await client.request<{ names: string[] }>("Runtime.globalLexicalScopeNames");
  return [...new Set([...lexical.names, ...await namesOf(client, "globalThis")])];
}

/** Names declared by the lines of the session. */
export async function declaredNames(client: InspectorClient): Promise<string[]> {
  return (await client.request<{ names: string[] }>("Runtime.globalLexicalScopeNames")).names;
}

const CLASS_NAME = `(function () {
  "use strict";
  if (typeof this === "function") return this.name;
  return Object(this) === this ? Object.getPrototypeOf(this)?.constructor?.name ?? "" : "";
})`;

/** See `Evaluator.classOf`. */
export async function classAt(client: InspectorClient, path: string): Promise<string | undefined> {
  const { result, exceptionDetails } = await client.request<EvaluateAnswer>("Runtime.evaluate", {
    expression: `${CLASS_NAME}.call(${path})`,
    throwOnSideEffect: true,
    returnByValue: true,
    timeout: 200,
  });
  const isFound = exceptionDetails === undefined && typeof result.value === "string" && result.value !== "";
  return isFound ? result.value as string : undefined;
}

async function namesOf(client: InspectorClient, expression: string): Promise<string[]> {
  const { result, exceptionDetails } = await client.request<EvaluateAnswer>("Runtime.evaluate", {
    expression: `${OWN_NAMES}.call(${expression})`,
    throwOnSideEffect: true,
    returnByValue: true,
    timeout: 200,
  });
  return exceptionDetails === undefined && Array.isArray(result.value) ? result.value : [];
}
