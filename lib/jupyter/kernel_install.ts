/**
 * Installs the kernel for a user: one folder among Jupyter's kernels that holds all it needs, a copy of the running Deno
 * binary included. Neither the project nor any cache is touched afterwards.
 *
 * ```text
 * <Jupyter's data>/kernels/grantlab/
 *   kernel.json      how Jupyter starts it
 *   deno[.exe]       the binary that installed it
 *   library/         the library, its configuration, its packages
 * ```
 *
 * The folder is made beside its place and moved there when it is whole.
 *
 * @module
 */

import { copyFolder, copyPackages } from "./copy_packages.ts";
import { joinPath, jupyterDataFolder, type Surroundings } from "./data_folder.ts";

/** Name of the kernel, of its folder and in notebooks. */
export const KERNEL_NAME = "grantlab";

/** What is installed. */
export interface KernelParts extends Surroundings {
  /** The project's folder. */
  readonly project: string;
  /** Files and folders of it that the kernel needs. */
  readonly sources: readonly string[];
  /** The kernel's main module within it. */
  readonly main: string;
  /** The Deno binary. */
  readonly deno: string;
}

/** Where the kernel is, or would be. */
export function kernelFolder(surroundings: Surroundings): string {
  return joinPath(surroundings.os, jupyterDataFolder(surroundings), "kernels", KERNEL_NAME);
}

/**
 * Installs or replaces the kernel.
 *
 * @returns its folder
 * @throws {Error} if a folder cannot be written; what was there before is still there then, and nothing else
 */
export async function installKernel(parts: KernelParts): Promise<string> {
  const folder = kernelFolder(parts);
  const made = `${folder}.${Deno.pid}.part`;
  const old = `${folder}.${Deno.pid}.old`;
  try {
    await make(made, folder, parts);
    const isReplaced = await moved(folder, old);
    try {
      await Deno.rename(made, folder);
    } catch (error) {
      if (isReplaced) await Deno.rename(old, folder);
      throw error;
    }
    if (isReplaced) await Deno.remove(old, { recursive: true });
    return folder;
  } catch (error) {
    await removed(made);
    throw new Error(`Cannot install the kernel in ${folder}: ${(error as Error).message}`);
  }
}

/**
 * Removes the kernel.
 *
 * @returns its folder, or nothing if there was none
 * @throws {Error} if it cannot be removed
 */
export async function uninstallKernel(surroundings: Surroundings): Promise<string | undefined> {
  const folder = kernelFolder(surroundings);
  try {
    await Deno.remove(folder, { recursive: true });
    return folder;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw new Error(`Cannot remove the kernel in ${folder}: ${(error as Error).message}`);
  }
}

/** Writes everything to `made`, for use at `folder`. */
async function make(made: string, folder: string, parts: KernelParts): Promise<void> {
  const { os, project, sources, main, deno } = parts;
  const library = joinPath(os, made, "library");
  await Deno.mkdir(library, { recursive: true });
  for (const source of sources) {
    const [from, to] = [joinPath(os, project, source), joinPath(os, library, source)];
    if ((await Deno.stat(from)).isDirectory) await copyFolder(from, to);
    else {
      await Deno.mkdir(to.slice(0, Math.max(to.lastIndexOf("/"), to.lastIndexOf("\\"))), { recursive: true });
      await Deno.copyFile(from, to);
    }
  }
  const config = JSON.parse(await Deno.readTextFile(joinPath(os, project, "deno.json")));
  await copyPackages(
    packagesOf(config.imports),
    joinPath(os, project, "node_modules"),
    joinPath(os, library, "node_modules"),
  );
  // What is installed is all there is: nothing is fetched, nothing written.
  const { name, version, imports, compilerOptions } = config;
  await writeJson(joinPath(os, library, "deno.json"), {
    name,
    version,
    exports: config.exports,
    nodeModulesDir: "manual",
    lock: false,
    imports,
    compilerOptions,
  });
  await writeJson(joinPath(os, library, "package.json"), { dependencies: dependenciesOf(imports) });
  const binary = os === "windows" ? "deno.exe" : "deno";
  await Deno.copyFile(deno, joinPath(os, made, binary));
  await writeJson(joinPath(os, made, "kernel.json"), {
    argv: [
      joinPath(os, folder, binary),
      "run",
      "--no-check",
      "--no-lock",
      "--cached-only",
      "--allow-all",
      joinPath(os, folder, "library", main),
      "{connection_file}",
      "--types",
    ],
    display_name: KERNEL_NAME,
    language: "typescript",
    interrupt_mode: "message",
    env: { DENO_NO_UPDATE_CHECK: "1" },
  });
}

/** Packages of an import map, those for tests left out. */
function packagesOf(imports: Readonly<Record<string, string>>): string[] {
  return Object.keys(dependenciesOf(imports));
}

const PACKAGE = /^npm:\/?((?:@[^/]+\/)?[^@/]+)@([^/]+)/;
const FOR_TESTS: readonly string[] = ["fast-check"];

/** Package and version, by an import map. */
function dependenciesOf(imports: Readonly<Record<string, string>>): Record<string, string> {
  const dependencies: Record<string, string> = {};
  for (const target of Object.values(imports)) {
    const [, name, version] = PACKAGE.exec(target) ?? [];
    if (name !== undefined && !FOR_TESTS.includes(name)) dependencies[name] = version!;
  }
  return dependencies;
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await Deno.writeTextFile(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** Moves a folder, if there is one. */
async function moved(from: string, to: string): Promise<boolean> {
  try {
    await Deno.rename(from, to);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function removed(folder: string): Promise<void> {
  await Deno.remove(folder, { recursive: true }).catch(() => {});
}
