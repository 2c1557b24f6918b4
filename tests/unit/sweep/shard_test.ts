import { assertEquals, assertThrows } from "@std/assert";
import { parseShard, shardFrom, WHOLE } from "../../../lib/sweep/shard.ts";

Deno.test("parseShard() takes i/n from 1/1 on", () => {
  assertEquals([parseShard("1/1"), parseShard(" 3/8 "), parseShard("8/8")], [
    WHOLE,
    { index: 2, count: 8 },
    { index: 7, count: 8 },
  ]);
  for (const text of ["0/4", "5/4", "1", "1/0", "a/b", "1/4/2", "-1/4", "1.5/4", "1/100001", ""]) {
    assertThrows(() => parseShard(text), RangeError, "it must be i/n", text);
  }
});

Deno.test("shardFrom() understands Slurm's arrays and Kubernetes' indexed jobs", () => {
  const slurm = (id: string, count: string, min?: string, step?: string) =>
    shardFrom({
      SLURM_ARRAY_TASK_ID: id,
      SLURM_ARRAY_TASK_COUNT: count,
      SLURM_ARRAY_TASK_MIN: min,
      SLURM_ARRAY_TASK_STEP: step,
    });
  assertEquals(shardFrom({}), WHOLE);
  assertEquals(slurm("0", "4"), { index: 0, count: 4 });
  assertEquals(slurm("4", "4", "1"), { index: 3, count: 4 }); // --array=1-4
  assertEquals(slurm("14", "3", "10", "2"), { index: 2, count: 3 }); // --array=10-14:2
  assertEquals(shardFrom({ JOB_COMPLETION_INDEX: "2", JOB_COMPLETIONS: "3" }), { index: 2, count: 3 });
  assertThrows(() => slurm("4", "4"), RangeError, "Cannot do shard 4: it must be a whole number from 0 to 3");
  assertThrows(() => slurm("x", "4"), RangeError, 'SLURM_ARRAY_TASK_ID = "x"');
  assertThrows(() => slurm("11", "3", "10", "2"), RangeError, "Cannot do shard");
  assertThrows(() => shardFrom({ JOB_COMPLETION_INDEX: "0" }), RangeError, "JOB_COMPLETIONS");
});
