import { assertEquals } from "@std/assert";
import { PAGE } from "../../../../lib/core/geometry.ts";
import {
  invalidateRangeStart,
  mmuIntervalNotifierInsert,
  mmuIntervalNotifierRemove,
} from "../../../../lib/linux/mm/mmu_notifier.ts";
import { exitMmap } from "../../../../lib/linux/mm/exit.ts";
import { mmap } from "../../../../lib/linux/mm/mmap.ts";
import { mprotect } from "../../../../lib/linux/mm/mprotect.ts";
import { munmap } from "../../../../lib/linux/mm/munmap.ts";
import { nativeLinux } from "../../../../lib/linux/mm/native.ts";
import {
  MAP_ANONYMOUS,
  MAP_POPULATE,
  MAP_PRIVATE,
  PROT_READ,
  PROT_WRITE,
} from "../../../../lib/linux/mm/prot.ts";
import { splitVma } from "../../../../lib/linux/mm/split.ts";

const OVERLAPS: readonly { given: string; start: number; end: number; told: boolean }[] = [
  { given: "control: the range itself", start: 4, end: 8, told: true },
  { given: "ends where it starts", start: 2, end: 4, told: false },
  { given: "ends one page later", start: 2, end: 5, told: true },
  { given: "starts where it ends", start: 8, end: 9, told: false },
  { given: "starts one page earlier", start: 7, end: 9, told: true },
  { given: "inside", start: 5, end: 6, told: true },
  { given: "around", start: 0, end: 100, told: true },
];

for (const { given, start, end, told } of OVERLAPS) {
  Deno.test(`invalidateRangeStart() tells ${told ? "whom it concerns" : "nobody"}: ${given}`, () => {
    const linux = nativeLinux({ frames: 256 });
    const mm = linux.process();
    const calls: unknown[] = [];
    mmuIntervalNotifierInsert(mm, {
      start: 4 * PAGE,
      end: 8 * PAGE,
      invalidate: (...call) => calls.push(call),
    });
    invalidateRangeStart(mm, start * PAGE, end * PAGE, "MMU_NOTIFY_CLEAR");
    assertEquals(calls, told ? [[start * PAGE, end * PAGE, "MMU_NOTIFY_CLEAR"]] : []);
    assertEquals(linux.trace.count("notifier_call"), told ? 1 : 0);
  });
}

Deno.test("invalidateRangeStart() goes on when a notifier removes itself", () => {
  const mm = nativeLinux({ frames: 256 }).process();
  const calls: string[] = [];
  const first = {
    start: 0,
    end: PAGE,
    invalidate() {
      calls.push("first");
      mmuIntervalNotifierRemove(mm, first);
    },
  };
  mmuIntervalNotifierInsert(mm, first);
  mmuIntervalNotifierInsert(mm, { start: 0, end: PAGE, invalidate: () => calls.push("second") });
  invalidateRangeStart(mm, 0, PAGE, "MMU_NOTIFY_CLEAR");
  invalidateRangeStart(mm, 0, PAGE, "MMU_NOTIFY_CLEAR");
  assertEquals(calls, ["first", "second", "second"]);
  mmuIntervalNotifierRemove(mm, first);
  assertEquals(mm.notifiers.length, 1);
});

Deno.test("notifiers hear of munmap, mprotect and exit, and not of splits", () => {
  const mm = nativeLinux({ frames: 256 }).process();
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE;
  const at = mmap(mm, { length: 8 * PAGE, prot: PROT_READ | PROT_WRITE, flags });
  if (!at.ok) throw new Error(at.errno);
  const events: string[] = [];
  mmuIntervalNotifierInsert(mm, {
    start: at.value,
    end: at.value + 8 * PAGE,
    invalidate: (start, end, event) =>
      events.push(`${event} ${(start - at.value) / PAGE} ${(end - at.value) / PAGE}`),
  });
  splitVma(mm.vmas.lookup(at.value)!, at.value + 6 * PAGE, true);
  assertEquals(events, []);
  mprotect(mm, at.value + 4 * PAGE, PAGE, PROT_READ);
  munmap(mm, at.value + PAGE, PAGE);
  munmap(mm, at.value + 100 * PAGE, PAGE);
  assertEquals(events, ["MMU_NOTIFY_PROTECTION_VMA 4 5", "MMU_NOTIFY_UNMAP 1 2"]);
  exitMmap(mm);
  assertEquals(events[2]!.split(" ")[0], "MMU_NOTIFY_RELEASE");
});
