/**
 * Links that lead out of a folder. Deno looks at the name that is written to, not at where its links lead, so a link that
 * came with a notebook would let its cells write anywhere.
 *
 * @module
 */

/**
 * The entries of `folder` that are links out of it, or have one somewhere below: with these names denied, nothing outside
 * can be written to through it. A whole entry each, as a folder that may be renamed takes its links along.
 *
 * @param folder its real path
 */
export async function linksOut(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    if (await leadsOut(`${folder}/${entry.name}`, entry, folder)) found.push(`${folder}/${entry.name}`);
  }
  return found.sort();
}

/** Is this a link to what is not below `folder`, or a folder with one? A link to nothing leads out, too. */
async function leadsOut(path: string, entry: Deno.DirEntry, folder: string): Promise<boolean> {
  try {
    if (entry.isSymlink) return !`${await Deno.realPath(path)}/`.startsWith(`${folder}/`);
    if (!entry.isDirectory) return false;
    for await (const inner of Deno.readDir(path)) {
      if (await leadsOut(`${path}/${inner.name}`, inner, folder)) return true;
    }
    return false;
  } catch {
    return true;
  }
}
