import { assertEquals } from "@std/assert";
import {
  describeReached,
  expectedAt,
  judge,
  type Reached,
  type Verdict,
} from "../../../lib/reference/oracle.ts";

const frame = (n: number): Reached => ({ kind: "frame", frame: n });
const EFAULT: Reached = { kind: "errno", errno: "EFAULT" };
const EINVAL: Reached = { kind: "errno", errno: "EINVAL" };
const SIGBUS: Reached = { kind: "signal", signal: "SIGBUS" };
const SIGSEGV: Reached = { kind: "signal", signal: "SIGSEGV" };
const CRASH: Reached = { kind: "crash", where: "gup_pte_range" };

const JUDGEMENTS: readonly [given: string, expected: Reached, reached: Reached, verdict: Verdict][] = [
  ["control: the frame", frame(1), frame(1), "ok"],
  ["another frame", frame(1), frame(2), "wrong-page"],
  ["frame 0 is a frame", frame(0), frame(1), "wrong-page"],
  ["errno instead of a frame", frame(1), EFAULT, "errno"],
  ["signal instead of a frame", frame(1), SIGBUS, "signal"],
  ["crash instead of a frame", frame(1), CRASH, "crash"],
  ["the errno", EFAULT, EFAULT, "ok"],
  ["another errno", EFAULT, EINVAL, "errno"],
  ["a frame instead of an errno", EFAULT, frame(1), "must-fail"],
  ["crash instead of an errno", EFAULT, CRASH, "crash"],
  ["the signal", SIGBUS, SIGBUS, "ok"],
  ["another signal", SIGBUS, SIGSEGV, "signal"],
  ["errno instead of a signal", SIGBUS, EFAULT, "errno"],
  ["a frame instead of a signal", SIGBUS, frame(1), "must-fail"],
];

for (const [given, expected, reached, verdict] of JUDGEMENTS) {
  Deno.test(`judge() says ${verdict}: ${given}`, () => assertEquals(judge(expected, reached), verdict));
}

for (
  const [given, prot, needsWrite, expected] of [
    ["read of rw", 3, false, frame(7)],
    ["write of rw", 3, true, frame(7)],
    ["read of r", 1, false, frame(7)],
    ["write of r", 1, true, EFAULT],
    ["read of w", 2, false, EFAULT],
    ["write of w", 2, true, frame(7)],
    ["read of x", 4, false, EFAULT],
    ["read of none", 0, false, EFAULT],
  ] as const
) {
  Deno.test(`expectedAt() asks for the right: ${given}`, () => {
    assertEquals(expectedAt({ frame: 7, prot }, needsWrite), expected);
  });
}

Deno.test("expectedAt() answers EFAULT where there is nothing", () => {
  assertEquals([expectedAt(undefined, false), expectedAt(undefined, true)], [EFAULT, EFAULT]);
});

Deno.test("describeReached() has one word for each kind", () => {
  const words = [frame(0x1f), EFAULT, SIGBUS, CRASH].map(describeReached);
  assertEquals(words, ["0x1f", "EFAULT", "SIGBUS", "crash in gup_pte_range"]);
});
