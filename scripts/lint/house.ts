/**
 * House rules that need the syntax tree, as a plugin of `deno lint`.
 *
 * - `house/pure`: the model touches nothing outside: no `Deno`, clock, timers, console, network, `Math.random`.
 * - `house/no-module-state`: nothing at the top of a module of `lib` can change, so that two machines run side by
 *   side: no `let` or `var`, no `Map`, `Set` or buffer, no array that is not read-only, no assignable static.
 *
 * What a layer may touch stands in `../layers.ts`.
 *
 * @module
 */

import { layerOf, mayTouchOutside } from "../layers.ts";

/** Names that reach the outside as soon as something is read from them, called or made. */
const OUTSIDE = new Set([
  "Deno",
  "Date",
  "Temporal",
  "performance",
  "console",
  "process",
  "crypto",
  "localStorage",
  "sessionStorage",
  "globalThis",
  "WebSocket",
  "Worker",
  "XMLHttpRequest",
]);

/** Functions that reach the outside when called; as plain words they are common names (an x86 access is a `fetch`). */
const OUTSIDE_CALLS = new Set([
  "fetch",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "queueMicrotask",
  "alert",
  "prompt",
  "confirm",
]);

const COLLECTIONS = new Set(["Map", "Set", "WeakMap", "WeakSet"]);

const plugin: Deno.lint.Plugin = {
  name: "house",
  rules: {
    "pure": {
      create(context) {
        const path = pathInProject(context.filename);
        if (mayTouchOutside(path)) return {};
        const layer = layerOf(path)!;
        const reached: { node: Deno.lint.Node; name: string }[] = [];
        // A kernel model has processes: names that the file declares are its own.
        const declared = new Set<string>();
        const look = (node: Deno.lint.Node, names: ReadonlySet<string>) => {
          if (node.type === "Identifier" && names.has(node.name)) reached.push({ node, name: node.name });
        };
        return {
          Identifier(node) {
            if (isDeclaration(node)) declared.add(node.name);
          },
          MemberExpression(node) {
            look(node.object, OUTSIDE);
            const { object, property } = node;
            const isRandom = object.type === "Identifier" && object.name === "Math" &&
              property.type === "Identifier" && property.name === "random";
            if (isRandom) reached.push({ node, name: "Math.random" });
          },
          CallExpression(node) {
            look(node.callee, OUTSIDE);
            look(node.callee, OUTSIDE_CALLS);
          },
          NewExpression(node) {
            look(node.callee, OUTSIDE);
          },
          VariableDeclarator(node) {
            if (node.init !== null) look(node.init, OUTSIDE);
          },
          "Program:exit"() {
            for (const { node, name } of reached) {
              if (declared.has(name)) continue;
              context.report({ node, message: `lib/${layer} is pure: ${name} reaches outside the model` });
            }
          },
        };
      },
    },
    "no-module-state": {
      create(context) {
        if (layerOf(pathInProject(context.filename)) === undefined) return {};
        const report = (node: Deno.lint.Node, why: string) =>
          context.report({ node, message: `Module-level state: ${why}` });
        return {
          Program(program) {
            for (const statement of program.body) {
              const declaration = statement.type === "ExportNamedDeclaration"
                ? statement.declaration
                : statement;
              if (declaration?.type !== "VariableDeclaration" || declaration.declare) continue;
              if (declaration.kind !== "const") {
                report(declaration, `${declaration.kind} can be assigned; use a const or an owner object`);
                continue;
              }
              for (const declarator of declaration.declarations) {
                const why = mutability(declarator);
                if (why !== undefined) report(declarator, why);
              }
            }
          },
          PropertyDefinition(node) {
            if (node.static && !node.readonly) report(node, "a static property must be readonly");
          },
        };
      },
    },
  },
};

export default plugin;

/** Does this name stand where a name is declared: variable, parameter, pattern, function, import? */
function isDeclaration(node: Deno.lint.Identifier): boolean {
  const { parent } = node;
  switch (parent.type) {
    case "VariableDeclarator":
      return parent.id === node;
    case "FunctionDeclaration":
    case "FunctionExpression":
    case "ArrowFunctionExpression":
      return parent.params.includes(node) || parent.type !== "ArrowFunctionExpression" && parent.id === node;
    case "Property":
      return parent.value === node && parent.parent.type === "ObjectPattern";
    case "AssignmentPattern":
      return parent.left === node;
    case "ArrayPattern":
      return true;
    case "ImportSpecifier":
      return parent.local === node;
    default:
      return false;
  }
}

/** Why the value of a top-level constant can change, or `undefined` if it cannot or its type hides how. */
function mutability(declarator: Deno.lint.VariableDeclarator): string | undefined {
  const { id, init } = declarator;
  const isReadOnly = id.type === "Identifier" && id.typeAnnotation !== undefined &&
    /^(Readonly|readonly\b)/.test(typeText(id.typeAnnotation.typeAnnotation));
  if (init === null || isReadOnly) return undefined;
  if (init.type === "ArrayExpression") return "an array; declare it as a ReadonlyArray or `as const`";
  if (init.type !== "NewExpression" || init.callee.type !== "Identifier") return undefined;
  const made = init.callee.name;
  if (COLLECTIONS.has(made)) return `a ${made}; declare it as a Readonly${made} or give it an owner`;
  const isBuffer = /^(Array|ArrayBuffer|DataView|(Big)?(Int|Uint|Float)\d+(Clamped)?Array)$/.test(made);
  const isTable = made.endsWith("Array") && init.arguments[0]?.type === "ArrayExpression";
  if (isBuffer && !isTable) return `a buffer (${made}); give it an owner`;
  return undefined;
}

/** The start of a type as far as the rule looks at it. */
function typeText(type: Deno.lint.TypeNode): string {
  if (type.type === "TSTypeOperator") return type.operator;
  if (type.type === "TSTypeReference" && type.typeName.type === "Identifier") return type.typeName.name;
  return "";
}

/** `lib/core/show.ts` of a whole path: from the last folder `lib` on. */
function pathInProject(filename: string): string {
  const path = filename.replaceAll("\\", "/");
  const at = path.lastIndexOf("/lib/");
  return at >= 0 ? path.slice(at + 1) : path.startsWith("lib/") ? path : "";
}
