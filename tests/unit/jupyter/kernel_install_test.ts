import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { jupyterDataFolder } from "../../../lib/jupyter/data_folder.ts";
import { installKernel, type KernelParts, uninstallKernel } from "../../../lib/jupyter/kernel_install.ts";

Deno.test("jupyterDataFolder() is Jupyter's own on each system", () => {
  const rows: [typeof Deno.build.os, Record<string, string>, string][] = [
    ["linux", { HOME: "/h" }, "/h/.local/share/jupyter"],
    ["linux", { HOME: "/h", XDG_DATA_HOME: "/x" }, "/x/jupyter"],
    ["linux", { HOME: "/h", XDG_DATA_HOME: "" }, "/h/.local/share/jupyter"],
    ["linux", { HOME: "/h", XDG_DATA_HOME: "/x", JUPYTER_DATA_DIR: "/j" }, "/j"],
    ["darwin", { HOME: "/h", XDG_DATA_HOME: "/x" }, "/h/Library/Jupyter"],
    ["darwin", { HOME: "/h", JUPYTER_DATA_DIR: "/j" }, "/j"],
    ["windows", { APPDATA: "C:\\a", USERPROFILE: "C:\\u" }, "C:\\a\\jupyter"],
    ["windows", { USERPROFILE: "C:\\u" }, "C:\\u\\AppData\\Roaming\\jupyter"],
  ];
  for (const [os, variables, folder] of rows) {
    assertEquals(jupyterDataFolder({ os, variable: (name) => variables[name] }), folder);
  }
  assertThrows(() => jupyterDataFolder({ os: "linux", variable: () => undefined }), Error, "Cannot find");
});

/** A project of one file and the packages a, b and two versions of c, installed as Deno does it. */
async function project(root: string): Promise<KernelParts> {
  const store = `${root}/project/node_modules/.deno`;
  const add = async (name: string, version: string, dependencies: Record<string, string>) => {
    const folder = `${store}/${name}@${version}/node_modules/${name}`;
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeTextFile(`${folder}/package.json`, JSON.stringify({ name, version, dependencies }));
    for (const [other, its] of Object.entries(dependencies)) {
      await Deno.symlink(
        `../../${other}@${its}/node_modules/${other}`,
        `${store}/${name}@${version}/node_modules/${other}`,
      );
    }
  };
  await add("c", "1.0.0", {});
  await add("c", "2.0.0", {});
  await add("a", "1.0.0", { c: "1.0.0" });
  await add("b", "1.0.0", { c: "2.0.0", a: "1.0.0" });
  for (const name of ["a", "b"]) {
    await Deno.symlink(`.deno/${name}@1.0.0/node_modules/${name}`, `${store}/../${name}`);
  }
  await Deno.mkdir(`${root}/project/lib`);
  await Deno.writeTextFile(`${root}/project/lib/main.ts`, "");
  await Deno.writeTextFile(`${root}/project/mod.ts`, "");
  await Deno.writeTextFile(
    `${root}/project/deno.json`,
    JSON.stringify({
      name: "p",
      version: "1.0.0",
      exports: "./mod.ts",
      imports: {
        a: "npm:a@1.0.0",
        "b/": "npm:/b@1.0.0/",
        "fast-check": "npm:fast-check@1.0.0",
        p: "./mod.ts",
      },
    }),
  );
  await Deno.writeTextFile(`${root}/binary`, "#!");
  return {
    os: "linux",
    variable: (name) => name === "JUPYTER_DATA_DIR" ? `${root}/data` : undefined,
    project: `${root}/project`,
    sources: ["lib", "mod.ts"],
    main: "lib/main.ts",
    deno: `${root}/binary`,
  };
}

async function withProject(use: (parts: KernelParts, root: string) => Promise<void>): Promise<void> {
  const root = await Deno.realPath(await Deno.makeTempDir());
  try {
    await use(await project(root), root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

const json = async (path: string) => JSON.parse(await Deno.readTextFile(path));
const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

Deno.test("installKernel() copies all that the kernel needs, without links", async () => {
  await withProject(async (parts, root) => {
    const folder = await installKernel(parts);
    assertEquals(folder, `${root}/data/kernels/grantlab`);
    await Deno.remove(parts.project, { recursive: true });
    assertEquals(names(folder), ["deno", "kernel.json", "library"]);
    const { argv, interrupt_mode, language } = await json(`${folder}/kernel.json`);
    assertEquals([argv[0], ...argv.slice(-3)], [
      `${folder}/deno`,
      `${folder}/library/lib/main.ts`,
      "{connection_file}",
      "--types",
    ]);
    assertEquals([interrupt_mode, language], ["message", "typescript"]);
    const packages = `${folder}/library/node_modules`;
    assertEquals(names(packages), ["a", "b", "c"]);
    assertEquals((await json(`${packages}/c/package.json`)).version, "1.0.0");
    assertEquals((await json(`${packages}/b/node_modules/c/package.json`)).version, "2.0.0");
    assert(!(await Deno.lstat(`${packages}/a`)).isSymlink);
    assertEquals((await json(`${folder}/library/deno.json`)).nodeModulesDir, "manual");
    assertEquals((await json(`${folder}/library/package.json`)).dependencies, { a: "1.0.0", b: "1.0.0" });
  });
});

Deno.test("installKernel() replaces what was there, uninstallKernel() removes it", async () => {
  await withProject(async (parts, root) => {
    const folder = await installKernel(parts);
    await Deno.writeTextFile(`${folder}/stale`, "");
    await installKernel(parts);
    assertEquals(names(folder), ["deno", "kernel.json", "library"]);
    assertEquals(names(`${root}/data/kernels`), ["grantlab"]);
    assertEquals(await uninstallKernel(parts), folder);
    assertEquals(names(`${root}/data/kernels`), []);
    assertEquals(await uninstallKernel(parts), undefined);
  });
});

Deno.test("installKernel() that fails says why and leaves what was there", async () => {
  await withProject(async (parts, root) => {
    const folder = await installKernel(parts);
    const rows: [Partial<KernelParts>, string][] = [
      [{ deno: `${root}/missing` }, "No such file"],
      [{ sources: ["lib", "missing"] }, "No such file"],
    ];
    for (const [broken, reason] of rows) {
      const error = await assertRejects(() => installKernel({ ...parts, ...broken }), Error, reason);
      assert(error.message.startsWith(`Cannot install the kernel in ${folder}: `), error.message);
      assertEquals(names(`${root}/data/kernels`), ["grantlab"]);
      assertEquals(names(folder), ["deno", "kernel.json", "library"]);
    }
    await Deno.remove(`${parts.project}/node_modules/.deno/c@2.0.0`, { recursive: true });
    await assertRejects(() => installKernel(parts), Error, "the package c: it is not installed");
    assertEquals(names(`${root}/data/kernels`), ["grantlab"]);
  });
});

Deno.test("installKernel() into a folder that cannot be written is one error and no file", async () => {
  await withProject(async (parts, root) => {
    await Deno.writeTextFile(`${root}/data`, "a file, not a folder");
    await assertRejects(
      () => installKernel(parts),
      Error,
      `Cannot install the kernel in ${root}/data/kernels/grantlab: Not a directory`,
    );
    assertEquals(names(root), ["binary", "data", "project"]);
  });
});
