/**
 * What a check finds, and how it says so.
 *
 * @module
 */

/** One thing that is wrong. */
export interface Finding {
  /** Path from the project's root. */
  readonly file: string;
  /** From 1, if the thing has a line. */
  readonly line?: number;
  /** What is wrong, without full stop. */
  readonly reason: string;
}

/** `file:line: reason`. */
export function showFinding({ file, line, reason }: Finding): string {
  return `${file}${line === undefined ? "" : `:${line}`}: ${reason}`;
}

/**
 * Prints findings, then one line of summary, and leaves with code 1 if there are any.
 *
 * @param checked what was looked at: `213 citations`
 */
export function conclude(findings: readonly Finding[], checked: string): void {
  for (const finding of findings) console.log(showFinding(finding));
  console.log(`${checked} checked, ${findings.length} wrong`);
  if (findings.length > 0) Deno.exit(1);
}
