import { assertEquals } from "@std/assert";
import { world } from "../../../../lib/experiments/world.ts";
import { GnttabPageCache } from "../../../../lib/linux/xen/page_cache.ts";

Deno.test("GnttabPageCache gives the page that came back last, asks the kernel when empty, and is shrunk", () => {
  const { kernel } = world({ ballooned: 3 });
  const cache = new GnttabPageCache(kernel);
  const pages = [cache.get(), cache.get(), cache.get()];
  assertEquals([new Set(pages).size, cache.get(), kernel.frameSource.nrFree], [3, -1, 0]);
  cache.put(pages);
  assertEquals([cache.get(), cache.size], [pages[2], 2]);
  cache.shrink(1);
  assertEquals([cache.size, kernel.frameSource.nrFree, cache.get()], [1, 1, pages[0]]);
});
