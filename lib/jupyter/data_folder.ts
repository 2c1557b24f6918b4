/**
 * Where Jupyter looks for a user's kernels.
 *
 * @module
 */

/** What the folder depends on. */
export interface Surroundings {
  readonly os: typeof Deno.build.os;
  /** Value of an environment variable. */
  readonly variable: (name: string) => string | undefined;
}

/**
 * Jupyter's data folder of the user: `JUPYTER_DATA_DIR`, or that of the system.
 *
 * @throws {Error} if the surroundings do not say where it is
 */
export function jupyterDataFolder({ os, variable }: Surroundings): string {
  const given = variable("JUPYTER_DATA_DIR");
  if (given) return given;
  const home = variable(os === "windows" ? "USERPROFILE" : "HOME");
  if (os === "windows") {
    const roaming = variable("APPDATA") || home && `${home}\\AppData\\Roaming`;
    if (roaming) return `${roaming}\\jupyter`;
  } else if (os === "darwin") {
    if (home) return `${home}/Library/Jupyter`;
  } else {
    const data = variable("XDG_DATA_HOME") || home && `${home}/.local/share`;
    if (data) return `${data}/jupyter`;
  }
  throw new Error("Cannot find the folder of Jupyter's kernels: neither JUPYTER_DATA_DIR nor a home is set");
}

/** Parts of a path joined as the system does. */
export function joinPath(os: Surroundings["os"], ...parts: readonly string[]): string {
  return parts.join(os === "windows" ? "\\" : "/");
}
