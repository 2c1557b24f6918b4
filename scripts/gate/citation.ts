/**
 * Citations: one form, so that a reader can look the thing cited up and a script can list them.
 *
 * ```text
 * @cite linux    6.1                    mm/memory.c vm_normal_page          release, file, symbol or words
 * @cite xen      4.17                   xen/common/grant_table.c map_grant_ref
 * @cite classic  2.6.18-xen             drivers/xen/core/gnttab.c gnttab_map
 * @cite sdm      3A                     4.10.4.1                            volume, section or `Table 4-20`
 * @cite apm      2                      5.3
 * @cite list     2014-10-13             Subject of the mail
 * @cite commit   c6961d4f4a             subject of the commit
 * @cite recorded vma-scripted.jsonl     case of the recording; a folder before the file is the releases it was made on
 * ```
 *
 * @module
 */

import type { Finding } from "./finding.ts";
import { lineAt } from "./project_files.ts";

/** A well-formed citation. */
export interface Citation {
  readonly source: string;
  /** Release, volume, date, hash or recording. */
  readonly edition: string;
  /** File, section, subject or case. */
  readonly where: string;
  /** Symbol or words; may be empty. */
  readonly words: string;
  readonly file: string;
  readonly line: number;
}

/** What one source demands of its edition and place. */
interface Form {
  readonly edition: RegExp | readonly string[];
  readonly editionIs: string;
  /** Matches from the start of the rest; what follows the match are the words. */
  readonly where: RegExp;
  readonly whereIs: string;
}

const SOURCE_FILE = /^(?:[\w.+-]+\/)*[\w+-]+(?:\.[\w.+-]*\w|\b)(?=\s|$)/;
const SECTION = /^(?:\d+(?:\.\d+)*|Table \d+-\d+|Figure \d+-\d+)(?=\s|$)/;
const SENTENCE = /^\S.*\S$/;

/** Releases that are cited. One more is one word here. */
const LINUX = [
  "2.6.38",
  "3.10",
  "3.15",
  "3.18",
  "3.19",
  "4.0",
  "4.20",
  "5.10",
  "6.0",
  "6.1",
  "6.12",
  "7.1",
  "7.2",
];
const XEN = ["3.0", "4.2", "4.5", "4.14", "4.17", "4.20", "4.23"];

/** The forms, by source. */
const FORMS: Readonly<Record<string, Form>> = {
  linux: { edition: LINUX, editionIs: "a release", where: SOURCE_FILE, whereIs: "a file" },
  xen: { edition: XEN, editionIs: "a release", where: SOURCE_FILE, whereIs: "a file" },
  classic: { edition: ["2.6.18-xen"], editionIs: "a release", where: SOURCE_FILE, whereIs: "a file" },
  sdm: {
    edition: ["1", "2A", "2B", "2C", "2D", "3A", "3B", "3C", "3D", "4"],
    editionIs: "a volume",
    where: SECTION,
    whereIs: "a section such as 4.10.4.1 or Table 4-20",
  },
  apm: {
    edition: ["1", "2", "3", "4", "5"],
    editionIs: "a volume",
    where: SECTION,
    whereIs: "a section such as 5.3.3",
  },
  list: {
    edition: /^(?:19|20)\d\d-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?$/,
    editionIs: "a date (YYYY-MM-DD, or YYYY-MM if the day is not known)",
    where: SENTENCE,
    whereIs: "the subject",
  },
  commit: {
    edition: /^[0-9a-f]{10,40}$/,
    editionIs: "a hash of 10 to 40 digits",
    where: SENTENCE,
    whereIs: "the subject",
  },
  recorded: {
    edition: /^(?:[\w-]+\/)?[\w.-]+\.(?:jsonl|csv|json)(?:\.gz)?$/,
    editionIs: "a recording (NAME.jsonl or NAME.csv)",
    where: SENTENCE,
    whereIs: "the case",
  },
};

/**
 * Reads the text of a citation, without `@cite`.
 *
 * @returns the citation's parts, or the reason why it is none
 */
export function parseCitation(
  text: string,
): { source: string; edition: string; where: string; words: string } | string {
  const [, source = "", edition = "", rest = ""] = /^(\S+)\s*(\S*)\s*(.*)$/.exec(text.trim()) ?? [];
  const form = Object.hasOwn(FORMS, source) ? FORMS[source]! : undefined;
  if (form === undefined) return `unknown source "${source}"; there are ${Object.keys(FORMS).join(", ")}`;
  const known = form.edition instanceof RegExp ? form.edition.test(edition) : form.edition.includes(edition);
  if (!known) {
    const list = form.edition instanceof RegExp ? "" : `; known are ${form.edition.join(", ")}`;
    return `"${edition}" after ${source} is not ${form.editionIs}${list}`;
  }
  const where = form.where.exec(rest)?.[0];
  if (where === undefined) return `"${rest}" after ${source} ${edition} is not ${form.whereIs}`;
  return { source, edition, where, words: rest.slice(where.length).trim() };
}

/**
 * All citations of a file: `@cite` in comments and `cite: "…"` in rows of data (`"cite": "…"` in JSON). One citation
 * is one line.
 */
export function citationsOf(file: string, text: string): { citations: Citation[]; findings: Finding[] } {
  const citations: Citation[] = [];
  const findings: Finding[] = [];
  const cites = /(?<!`)@cite\b[ \t]*(.*)|\bcite"?:\s*"((?:[^"\\]|\\.)*)"/g;
  for (const match of text.matchAll(cites)) {
    const cited = match[2] ?? match[1]!.replace(/\s*\*\/.*$/, "");
    const line = lineAt(text, match.index);
    const parsed = parseCitation(cited);
    if (typeof parsed === "string") findings.push({ file, line, reason: `citation "${cited}": ${parsed}` });
    else citations.push({ ...parsed, file, line });
  }
  return { citations, findings };
}
