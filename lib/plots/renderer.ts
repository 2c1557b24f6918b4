/**
 * The PNG renderer (WebAssembly) and the fonts it draws with, read from the installed packages.
 *
 * WebAssembly of this kind is started once per process. Being a module does just that, without any state of ours:
 * `png.ts` imports this file at the first picture, and whoever imports it again gets the same.
 *
 * @module
 */

import { initWasm, Resvg } from "@resvg/resvg-wasm";

const [wasm, ...fonts] = await Promise.all([
  packageFile(import.meta.resolve("@resvg/resvg-wasm/index_bg.wasm")),
  packageFile(import.meta.resolve("dejavu-fonts-ttf/ttf/DejaVuSans.ttf")),
  packageFile(import.meta.resolve("dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf")),
]);

try {
  await initWasm(wasm);
} catch (error) {
  // Somebody else in this process has started it: just as good.
  if (!(error instanceof Error && error.message.startsWith("Already initialized"))) throw error;
}

/** PNG file of an SVG picture, enlarged `zoom` times. */
export function rasterize(svg: string, zoom: number): Uint8Array<ArrayBuffer> {
  const picture = new Resvg(svg, {
    font: { fontBuffers: fonts, defaultFontFamily: "DejaVu Sans", sansSerifFamily: "DejaVu Sans" },
    fitTo: { mode: "zoom", value: zoom },
  });
  const image = picture.render();
  try {
    return new Uint8Array(image.asPng());
  } finally {
    image.free();
    picture.free();
  }
}

async function packageFile(url: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await (await fetch(url)).arrayBuffer());
}
