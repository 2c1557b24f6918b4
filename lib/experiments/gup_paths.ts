/**
 * What does it cost to pin n pages, by the lock-less walk and by the slow path, on memory of one's own and on grants?
 *
 * `walk: "fast"` is get_user_pages_fast, which falls back by itself; `slow` is get_user_pages. The column `path` says
 * which half found the pages.
 *
 * @module
 */

import { PAGE_SIZE } from "../core/geometry.ts";
import { KERNEL_FLAVOURS } from "../linux/kernel.ts";
import { getUserPages, getUserPagesFast, releaseUserPages } from "../linux/mm/gup.ts";
import { FOLL_GET, FOLL_WRITE } from "../linux/mm/gup_flags.ts";
import { nameAxis, numberAxis } from "./axis.ts";
import { type Experiment, experiment } from "./experiment.ts";
import { GrantHost, must } from "./grant_host.ts";

const FLAGS = FOLL_GET | FOLL_WRITE;

/** The experiment. */
export const gupPaths: Experiment = experiment({
  name: "gup_paths",
  question: "What does pinning n pages cost, by the fast and the slow path of get_user_pages?",
  axes: {
    design: nameAxis("kernel flavour", KERNEL_FLAVOURS, ["linux3_19", "seed2014", "linux6_1"]),
    memory: nameAxis("kind of memory", { own: true, grants: true }),
    walk: nameAxis("entry of get_user_pages", { fast: true, slow: true }),
    pages: numberAxis("pages", [1, 2, 4, 8, 16, 32, 64, 128, 256], { from: 1, to: 4096 }),
  },
  run({ design, memory, walk, pages }) {
    const host = new GrantHost({ kernel: design, grants: memory === "grants" ? pages : 0 });
    const at = memory === "own" ? host.ownPages(pages) : host.mapGrants(0, pages);
    let fast = 0;
    const events = host.count(() => {
      if (walk === "slow") {
        releaseUserPages(host.mm, must(getUserPages(host.mm, at, pages, FLAGS)), FLAGS);
        return;
      }
      const got = must(getUserPagesFast(host.mm, at, pages, FLAGS));
      fast = got.nrFast;
      releaseUserPages(host.mm, got.pages, FLAGS);
    });
    const path = fast === pages ? "fast" : fast === 0 ? "slow" : "both";
    return [{ columns: { path }, amounts: { bytes: pages * PAGE_SIZE }, events }];
  },
  figure: {
    kind: "lines",
    x: "pages",
    series: "walk",
    per: "pages",
    where: { design: "linux6_1", memory: "own" },
    title: "Pinning pages of one's own: fast against slow",
  },
});
