/**
 * The steps of the gate, as data: each is one command line of `deno` with the rights it needs and no more.
 *
 * @module
 */

/** One step. */
export interface Step {
  readonly name: string;
  /** Arguments of `deno`. */
  readonly args: readonly string[];
  /** True if what counts is the number of tests in it; else the step counts as one. */
  readonly isTests?: boolean;
  /** Where it and the processes that it starts leave coverage profiles. */
  readonly coverage?: string;
}

/** Tests that start commands, talk to them and write files of their own; all others may only read. */
const TESTS_THAT_RUN = [
  "tests/arch",
  "tests/commands",
  "tests/unit/cli/rights_test.ts",
  "tests/unit/jupyter",
  "tests/unit/repl",
  "tests/unit/plots/save_test.ts",
  "tests/unit/sweep",
];

const READ = ["run", "--no-prompt", "--allow-read"];
const READ_RUN = [...READ, "--allow-run"];
const TEST = ["test", "--no-prompt", "--allow-read"];

/** Packages first: what runs at the same time must not install at the same time. */
const INSTALL: readonly Step[] = [{ name: "packages", args: ["install", "--frozen"] }];

/** What needs no test to run: seconds. */
const FAST: readonly Step[] = [
  { name: "format", args: ["fmt", "--check"] },
  { name: "lint", args: ["lint"] },
  { name: "types", args: ["check", "."] },
  { name: "layers", args: [...READ_RUN, "scripts/check_layers.ts"] },
  { name: "citations", args: [...READ, "scripts/check_citations.ts"] },
  { name: "events", args: [...READ, "scripts/check_events.ts"] },
  { name: "docs", args: [...READ_RUN, "scripts/check_docs.ts"] },
  { name: "words", args: [...READ, "scripts/check_words.ts"] },
  { name: "notebook index", args: [...READ, "scripts/check_notebooks.ts"] },
];

/** What runs the model. Types are checked already, those of the examples excepted. */
const SLOW: readonly Step[] = [
  {
    name: "unit tests",
    args: [...TEST, "--no-check", `--ignore=${TESTS_THAT_RUN}`, "tests"],
    isTests: true,
    coverage: "coverage/unit",
  },
  { name: "doc tests", args: [...TEST, "--doc", "lib", "mod.ts", "README.md"], isTests: true },
  {
    name: "command tests",
    args: [...TEST, "--no-check", "--allow-run", "--allow-write", "--allow-net=127.0.0.1", ...TESTS_THAT_RUN],
    isTests: true,
    coverage: "coverage/commands",
  },
  {
    name: "conformance",
    args: [...READ_RUN, "scripts/check_conformance.ts"],
    coverage: "coverage/conformance",
  },
  {
    name: "notebooks",
    args: [
      ...READ_RUN,
      "--allow-write",
      "--allow-net=127.0.0.1",
      "scripts/grantlab.ts",
      "--here",
      "notebook",
      "check",
    ],
  },
  { name: "seed", args: [...READ_RUN, "scripts/check_seed.ts"] },
];

/** What reads the profiles that the tests left. */
const LAST: readonly Step[] = [
  { name: "coverage", args: [...READ_RUN, "scripts/check_coverage.ts"] },
];

/**
 * The phases of the gate; the steps of one phase do not depend on each other.
 *
 * @param fastOnly leave out what runs the model
 */
export function phases(fastOnly: boolean): readonly (readonly Step[])[] {
  return fastOnly ? [INSTALL, FAST] : [INSTALL, FAST, SLOW, LAST];
}
