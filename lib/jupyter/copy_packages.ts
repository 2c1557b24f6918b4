/**
 * Copies installed packages and all that they depend on to a folder of their own, without links, so that the copy can
 * be moved and outlives the original.
 *
 * @module
 */

/** One package where it is installed. */
interface Installed {
  readonly name: string;
  readonly version: string;
  /** Its folder, links resolved. */
  readonly folder: string;
  readonly dependencies: readonly string[];
}

/**
 * Copies packages to `to`, a `node_modules` folder that does not exist yet. The first version of a package lies at the
 * top; another version that is needed lies within the package that needs it.
 *
 * @param names packages that the project itself imports
 * @param from the project's `node_modules`
 * @returns how many were copied
 * @throws {Error} if one is not installed
 */
export async function copyPackages(names: readonly string[], from: string, to: string): Promise<number> {
  const top = new Map<string, string>();
  let copied = 0;

  const place = async (found: Installed, within: string): Promise<void> => {
    const version = top.get(found.name);
    if (version === found.version) return;
    const isTop = version === undefined;
    if (isTop) top.set(found.name, found.version);
    const target = `${isTop ? to : `${within}/node_modules`}/${found.name}`;
    if (await exists(target)) return;
    await copyFolder(found.folder, target);
    copied++;
    for (const name of found.dependencies) {
      await place(await installed(name, found.folder), target);
    }
  };

  for (const name of names) await place(await installedAt(`${from}/${name}`, name), to);
  return copied;
}

/** A dependency as its dependent finds it: beside it, or in a folder further up. */
async function installed(name: string, from: string): Promise<Installed> {
  for (let at = from; at.includes("/"); at = at.slice(0, at.lastIndexOf("/"))) {
    const folder = `${at}/node_modules/${name}`;
    if (await exists(folder)) return await installedAt(folder, name);
    if (at.endsWith("/node_modules") && await exists(`${at}/${name}`)) {
      return await installedAt(`${at}/${name}`, name);
    }
  }
  throw new Error(`Cannot copy the package ${name}: it is not installed`);
}

async function installedAt(path: string, name: string): Promise<Installed> {
  let folder: string;
  try {
    folder = (await Deno.realPath(path)).replaceAll("\\", "/");
  } catch {
    throw new Error(`Cannot copy the package ${name}: it is not installed`);
  }
  const { version, dependencies = {} } = JSON.parse(await Deno.readTextFile(`${folder}/package.json`));
  return { name, version, folder, dependencies: Object.keys(dependencies) };
}

/** Copies a folder without the `node_modules` in it. */
export async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory, isFile } of Deno.readDir(from)) {
    if (isDirectory && name !== "node_modules") await copyFolder(`${from}/${name}`, `${to}/${name}`);
    else if (isFile) await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
