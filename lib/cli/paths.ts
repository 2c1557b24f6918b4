/**
 * File names: from URLs, their folders, their last parts.
 *
 * @module
 */

/** A `file:` URL as the system writes it, without a slash at the end. */
export function pathOf(url: URL): string {
  const path = decodeURIComponent(url.pathname).replace(/(?<=.)\/$/, "");
  return Deno.build.os === "windows" ? path.replace(/^\//, "").replaceAll("/", "\\") : path;
}

/** The folder that a file is in. */
export function folderOf(file: string): string {
  const at = Math.max(file.lastIndexOf("/"), file.lastIndexOf("\\"));
  return at < 0 ? "." : at === 0 ? file[0]! : file.slice(0, at);
}

/**
 * The last part of a path.
 *
 * @throws {RangeError} if it is none that a file can have: empty, `.` or `..`
 */
export function baseNameOf(path: string): string {
  const name = path.split(/[/\\]/).at(-1)!;
  if (name === "" || name === "." || name === "..") {
    throw new RangeError(`Cannot name a file after ${JSON.stringify(path)}: its last part is no name`);
  }
  return name;
}
