import { assertThrows } from "@std/assert";
import { knownOptions } from "../../../lib/core/options.ts";

const KNOWN = { kernel: true, cpus: true } as const;

Deno.test("knownOptions() takes every known name, and none", () => {
  for (const options of [{}, { kernel: "x" }, { kernel: undefined, cpus: 1 }]) {
    knownOptions("world()", options, KNOWN);
  }
});

Deno.test("knownOptions() refuses a name that nothing reads, with the near ones", () => {
  const cases: [options: object, message: string][] = [
    [
      { kernal: "x" },
      'Cannot give world() the option "kernal": there is no such option; did you mean "kernel"',
    ],
    [{ cpus: 1, colour: 1 }, "there are kernel, cpus"],
    [{ constructor: 1 }, 'Cannot give world() the option "constructor"'],
    [{ ["__proto__"]: 1 }, 'Cannot give world() the option "__proto__"'],
  ];
  for (const [options, message] of cases) {
    assertThrows(() => knownOptions("world()", options, KNOWN), RangeError, message);
  }
});

Deno.test("knownOptions() wants a record", () => {
  const cases: [options: unknown, text: string][] = [
    ["linux6_1", '"linux6_1"'],
    [4, "4"],
    [null, "null"],
    [["kernel"], '["kernel"]'],
  ];
  for (const [options, text] of cases) {
    assertThrows(
      () => knownOptions("world()", options as object, KNOWN),
      TypeError,
      `Cannot give world() ${text}: it must be a record of options`,
    );
  }
});
