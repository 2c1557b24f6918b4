/**
 * Line coverage out of an lcov report.
 *
 * @module
 */

/** Lines of one file. */
export interface FileCoverage {
  readonly file: string;
  readonly lines: number;
  readonly hit: number;
}

/** The records of a report whose file is below `root` (a path with a slash at the end), by path from there. */
export function readLcov(report: string, root: string): FileCoverage[] {
  return report.split("end_of_record").flatMap((record) => {
    const file = /^SF:(.*)$/m.exec(record)?.[1]?.replaceAll("\\", "/");
    if (file === undefined || !file.startsWith(root)) return [];
    return [{
      file: file.slice(root.length),
      lines: Number(/^LF:(\d+)/m.exec(record)?.[1] ?? 0),
      hit: Number(/^LH:(\d+)/m.exec(record)?.[1] ?? 0),
    }];
  });
}

/**
 * Lines that would run, of a file that no test loaded: not blank, no comment, no import, no lone bracket. A file of
 * types only has none.
 */
export function countCodeLines(text: string): number {
  const runs =
    /^(?:export\s+)?(?:default\s+)?(?:async\s+)?(?:function|class|abstract class|const|let|enum)\b/m;
  const code = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "").replace(/^import\b[\s\S]*?;$/gm, "");
  return runs.test(code) ? code.split("\n").filter((line) => /\w/.test(line)).length : 0;
}

/** All files together, files that were not loaded counted as not covered. */
export function summarize(
  covered: readonly FileCoverage[],
  all: readonly { readonly file: string; readonly text: string }[],
): { percent: number; files: FileCoverage[] } {
  const byFile = new Map(covered.map((c) => [c.file, c]));
  const files = all
    .map(({ file, text }) => byFile.get(file) ?? { file, lines: countCodeLines(text), hit: 0 })
    .filter(({ lines }) => lines > 0);
  const lines = files.reduce((n, f) => n + f.lines, 0);
  const hit = files.reduce((n, f) => n + f.hit, 0);
  return { percent: lines === 0 ? 100 : 100 * hit / lines, files };
}
