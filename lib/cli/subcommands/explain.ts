/**
 * `grantlab explain WORD…`: what a status, an errno, an event, a flavour, a function of Linux or Xen, or a name of the
 * library means. Exit code 1 if one of them means nothing here.
 *
 * @module
 */

import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { multiple } from "@optique/core/modifiers";
import { argument } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import { lookUp } from "../../core/nearest.ts";
import { type Meaning, meaningsOf } from "../meanings.ts";
import { jsonFlag } from "../names.ts";
import { pathOf } from "../paths.ts";
import { EXIT, type Place, type Subcommand, subcommand } from "../subcommand.ts";

/** How `helpFor` begins when it has nothing to tell. */
const NO_HELP = /^(?:Nothing is known of|Cannot) /;

const MISSING = message`There must be a WORD to explain: grantlab explain GNTST_bad_gntref invlpg`;

const parser = object({
  json: jsonFlag,
  words: multiple(
    argument(string({ metavar: "WORD" }), {
      description: message`GNTST_bad_gntref, -3, EFAULT, invlpg, linux6_1, vm_normal_page, Process.munmap, …`,
    }),
    { min: 1, errors: { tooFew: MISSING } },
  ),
}, { errors: { endOfInput: MISSING } });

function isNumeral(arg: string): boolean {
  return /^-\d+$/.test(arg);
}

/** The subcommand. */
export const command: Subcommand = subcommand({
  brief: "say what a status, errno, event, flavour or name means, and where it is modelled",
  asks: "reading the library; running Deno, which reads the docstrings",
  parser,
  // -3 is a status, no option.
  arrange(args) {
    if (args.includes("--") || !args.some(isNumeral)) return args;
    const isWord = (arg: string) => isNumeral(arg) || !arg.startsWith("-");
    return [...args.filter((arg) => !isWord(arg)), "--", ...args.filter(isWord)];
  },
  rights: (_, { project }) => ({ read: [pathOf(project), Deno.execPath()], run: true }),
  async run({ json, words }, place) {
    const found: { word: string; meanings: Meaning[] }[] = [];
    for (const word of words) found.push({ word, meanings: await allMeanings(word, place) });
    if (json) console.log(JSON.stringify(found));
    else for (const { word, meanings } of found) await tell(word, meanings);
    return found.some(({ meanings }) => meanings.length === 0) ? EXIT.failed : EXIT.ok;
  },
});

/** Options begin with a dash, so a negative status is typed without one: 3 is tried as -3, too. */
async function allMeanings(word: string, { project }: Place): Promise<Meaning[]> {
  const inTables = [...meaningsOf(word), ...(/^\d+$/.test(word) ? meaningsOf(`-${word}`) : [])];
  const unique = [...new Map(inTables.map((each) => [each.name, each])).values()];
  const { referencesTo } = await import("../meanings.ts");
  const theirs = project.protocol === "file:" ? referencesTo(word, project) : [];
  const named = [...unique, ...theirs];
  if (named.length > 0 || /^\d/.test(word)) return named;
  const { helpFor } = await import("../../repl/help.ts");
  const module = new URL("mod.ts", project).href;
  const text = await helpFor(word, { module, classOf: () => Promise.resolve(undefined) });
  return NO_HELP.test(text) ? [] : [{ kind: "grantlab", name: word, text }];
}

async function tell(word: string, meanings: readonly Meaning[]): Promise<void> {
  for (const { kind, name, text } of meanings) {
    console.log(kind === "grantlab" ? text : `${name}: ${kind}: ${text}`);
  }
  if (meanings.length > 0) return;
  const { knownWords } = await import("../meanings.ts");
  const known = Object.fromEntries(knownWords().map((each) => [each, true]));
  try {
    lookUp("word", known, word);
  } catch (error) {
    // Without a near word the whole list would follow; it is of no use.
    const near = /did you mean .*$/.exec((error as Error).message)?.[0];
    console.error(`${word}: nothing here has that name${near === undefined ? "" : `; ${near}`}`);
  }
}
