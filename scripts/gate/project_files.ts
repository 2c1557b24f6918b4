/**
 * The files of the project, as the checks see them.
 *
 * @module
 */

/** Folders that hold nothing of ours. */
const NOT_OURS: ReadonlySet<string> = new Set([".git", "node_modules", "coverage", "out"]);

/** The project's root, with a slash at the end. */
export const ROOT = new URL("../../", import.meta.url);

/**
 * Paths from the root of all files below `folder` (`""` is the root) whose name ends with one of `endings`, sorted.
 * A folder that does not exist has no files.
 */
export function filesBelow(folder: string, endings: readonly string[], root: URL = ROOT): string[] {
  const found: string[] = [];
  const visit = (path: string) => {
    for (const entry of entriesOf(new URL(path, root))) {
      if (entry.isDirectory && !NOT_OURS.has(entry.name)) visit(`${path}${entry.name}/`);
      if (entry.isFile && endings.some((e) => entry.name.endsWith(e))) found.push(path + entry.name);
    }
  };
  visit(folder === "" ? "" : `${folder}/`);
  return found.sort();
}

function entriesOf(folder: URL): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(folder)];
  } catch (e) {
    if (e instanceof Deno.errors.NotFound) return [];
    throw e;
  }
}

/** The text of a file given by its path from the root. */
export function readText(path: string, root: URL = ROOT): string {
  return Deno.readTextFileSync(new URL(path, root));
}

/** True if there is such a file. */
export function exists(path: string, root: URL = ROOT): boolean {
  try {
    return Deno.statSync(new URL(path, root)).isFile;
  } catch (e) {
    if (e instanceof Deno.errors.NotFound) return false;
    throw e;
  }
}

/** Number (from 1) of the line that character `index` of `text` is in. */
export function lineAt(text: string, index: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at >= 0 && at < index; at = text.indexOf("\n", at + 1)) line++;
  return line;
}
