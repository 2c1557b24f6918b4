import { assertEquals, assertThrows } from "@std/assert";
import { ReferenceSpace } from "../../../lib/reference/address_space.ts";

const AT = 0x10000;
const PAGE = 4096;

function space(): ReferenceSpace {
  const reference = new ReferenceSpace();
  reference.map(AT, [0x20, 0x21, 0x22, 0x23], 3);
  return reference;
}

/** Frame of each of the four pages, null where a page stands for nothing. */
function frames(reference: ReferenceSpace): (number | null)[] {
  return [0, 1, 2, 3].map((i) => reference.at(AT + i * PAGE)?.frame ?? null);
}

const CHANGES: readonly { given: string; change: (r: ReferenceSpace) => void; frames: (number | null)[] }[] =
  [
    { given: "control: nothing", change: () => {}, frames: [0x20, 0x21, 0x22, 0x23] },
    { given: "unmap one page", change: (r) => r.unmap(AT + PAGE, PAGE), frames: [0x20, null, 0x22, 0x23] },
    { given: "unmap a page in part", change: (r) => r.unmap(AT + PAGE, 1), frames: [0x20, null, 0x22, 0x23] },
    {
      given: "unmap one byte more than a page",
      change: (r) => r.unmap(AT, PAGE + 1),
      frames: [null, null, 0x22, 0x23],
    },
    {
      given: "unmap up to the mapping",
      change: (r) => r.unmap(AT - PAGE, PAGE),
      frames: [0x20, 0x21, 0x22, 0x23],
    },
    { given: "unmap all there can be", change: (r) => r.unmap(0, 2 ** 47), frames: [null, null, null, null] },
    { given: "same rights", change: (r) => r.protect(AT, 4 * PAGE, 3), frames: [0x20, 0x21, 0x22, 0x23] },
    {
      given: "other rights",
      change: (r) => r.protect(AT + PAGE, 2 * PAGE, 1),
      frames: [0x20, null, null, 0x23],
    },
    {
      given: "other rights and back",
      change: (r) => {
        r.protect(AT, PAGE, 1);
        r.protect(AT, PAGE, 3);
      },
      frames: [null, 0x21, 0x22, 0x23],
    },
    {
      given: "other rights across a gap, call fails there",
      change: (r) => {
        r.unmap(AT + 2 * PAGE, PAGE);
        r.protect(AT, 4 * PAGE, 1, true);
      },
      frames: [null, null, null, 0x23],
    },
    {
      given: "a page without its grant is no gap",
      change: (r) => {
        r.protect(AT + PAGE, PAGE, 1);
        r.protect(AT, 5 * PAGE, 1, true);
      },
      frames: [null, null, null, null],
    },
    {
      given: "other rights from a gap on, call fails at once",
      change: (r) => r.protect(AT - PAGE, 4 * PAGE, 1, true),
      frames: [0x20, 0x21, 0x22, 0x23],
    },
    {
      given: "mapped anew",
      change: (r) => {
        r.protect(AT, 4 * PAGE, 1);
        r.map(AT + PAGE, [0x99], 1);
      },
      frames: [null, 0x99, null, null],
    },
  ];

for (const { given, change, frames: expected } of CHANGES) {
  Deno.test(`ReferenceSpace: ${given}`, () => {
    const reference = space();
    change(reference);
    assertEquals(frames(reference), expected);
  });
}

Deno.test("ReferenceSpace answers for every byte of a page", () => {
  const reference = space();
  assertEquals(reference.at(AT + PAGE - 1), { frame: 0x20, prot: 3 });
  assertEquals(reference.at(AT + PAGE), { frame: 0x21, prot: 3 });
  assertEquals(reference.at(AT - 1), undefined);
});

Deno.test("ReferenceSpace refuses addresses that are no pages", () => {
  const reference = space();
  for (const address of [1, -PAGE, NaN, 0.5]) {
    assertThrows(() => reference.map(address, [1], 3), RangeError, "Cannot map pages from");
    assertThrows(() => reference.unmap(address, PAGE), RangeError, "Cannot unmap pages from");
    assertThrows(() => reference.protect(address, PAGE, 1), RangeError, "Cannot protect pages from");
  }
  assertEquals(frames(reference), [0x20, 0x21, 0x22, 0x23]);
});
