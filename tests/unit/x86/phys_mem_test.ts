import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { type Maddr, maddr, maddrOf, mfn } from "../../../lib/core/frames.ts";
import { PhysMem, WORDS_PER_FRAME } from "../../../lib/x86/phys_mem.ts";
import { holds } from "../../support/property.ts";

Deno.test("PhysMem reads as zero until written, and costs nothing", () => {
  const mem = new PhysMem(2 ** 28);
  assertStrictEquals(mem.read64(maddrOf(mfn(2 ** 28 - 1), 0xff8)), 0n);
  assertStrictEquals(mem.framesWithContent, 0);
  assertStrictEquals(mem.slotOf(5), -1);
});

Deno.test("PhysMem is little-endian at every width", () => {
  const mem = new PhysMem(16);
  const at = (offset: number) => maddrOf(mfn(3), offset);
  mem.write64(at(8), 0x8877_6655_4433_2211n);
  assertEquals([0, 1, 2, 3, 4, 5, 6, 7].map((i) => mem.read8(at(8 + i))), [
    0x11,
    0x22,
    0x33,
    0x44,
    0x55,
    0x66,
    0x77,
    0x88,
  ]);
  assertEquals([mem.read16(at(8)), mem.read16(at(10)), mem.read16(at(14))], [0x2211, 0x4433, 0x8877]);
  assertEquals([mem.read32(at(8)), mem.read32(at(12))], [0x4433_2211, -0x7788_99ab]);
  mem.write8(at(9), 0x1ab);
  mem.write16(at(14), 0x1_cdef);
  assertStrictEquals(mem.read64(at(8)), 0xcdef_6655_4433_ab11n);
  mem.write32(at(12), 0xffff_ffff);
  assertStrictEquals(mem.read64(at(8)), 0xffff_ffff_4433_ab11n);
  assertStrictEquals(mem.read64(at(0)), 0n);
  assertStrictEquals(mem.read64(at(16)), 0n);
});

Deno.test("PhysMem refuses a write where there is no memory", () => {
  const mem = new PhysMem(16);
  mem.write8(maddrOf(mfn(15), 4095), 1);
  assertThrows(
    () => mem.write8(maddrOf(mfn(16)), 1),
    RangeError,
    "Cannot write to frame 16: this machine has 0x10 frames",
  );
  assertStrictEquals(mem.read8(maddrOf(mfn(16))), 0);
  assertEquals([mem.isBacked(-1), mem.isBacked(0), mem.isBacked(15), mem.isBacked(16)], [
    false,
    true,
    true,
    false,
  ]);
});

Deno.test("PhysMem refuses a machine of no size or beyond the budget", () => {
  for (const frames of [0, -1, 1.5, 2 ** 31]) {
    assertThrows(() => new PhysMem(frames), RangeError, "Cannot make machine memory of frames ");
  }
  assertStrictEquals(new PhysMem(2 ** 31 - 1).nrFrames, 2 ** 31 - 1);
});

Deno.test("PhysMem clears, fills and copies whole frames", () => {
  const mem = new PhysMem(16);
  mem.fillFrame(mfn(1), 0xab);
  assertEquals([mem.read8(maddrOf(mfn(1))), mem.read8(maddrOf(mfn(1), 4095))], [0xab, 0xab]);
  mem.copyFrame(mfn(2), mfn(1));
  mem.write8(maddrOf(mfn(1)), 1);
  assertEquals([mem.read8(maddrOf(mfn(2))), mem.read8(maddrOf(mfn(2), 4095))], [0xab, 0xab]);
  mem.clearFrame(mfn(2));
  assertStrictEquals(mem.read64(maddrOf(mfn(2))), 0n);
  assertStrictEquals(mem.framesWithContent, 1);
  mem.copyFrame(mfn(1), mfn(9));
  assertStrictEquals(mem.framesWithContent, 0);
  mem.fillFrame(mfn(1), 7);
  mem.fillFrame(mfn(1), 0);
  assertStrictEquals(mem.framesWithContent, 0);
  mem.clearFrame(mfn(1));
});

Deno.test("PhysMem gives a slot again that was given up, empty", () => {
  const mem = new PhysMem(16);
  mem.fillFrame(mfn(1), 0xff);
  const slot = mem.slotOf(1);
  mem.clearFrame(mfn(1));
  assertStrictEquals(mem.makeSlot(2), slot);
  assertStrictEquals<number>(mem.mfnOfSlot(slot), 2);
  assertStrictEquals(mem.read64(maddrOf(mfn(2))), 0n);
});

Deno.test("PhysMem keeps its content while the pool grows", () => {
  const mem = new PhysMem(4096);
  for (let frame = 0; frame < 1000; frame++) mem.write32(maddrOf(mfn(frame), 4), frame);
  for (let frame = 0; frame < 1000; frame++) {
    assertStrictEquals(mem.read32(maddrOf(mfn(frame), 4)), frame);
    assertStrictEquals(mem.words[mem.slotOf(frame) * WORDS_PER_FRAME + 1], frame);
  }
});

Deno.test("PhysMem behaves like a table of bytes through any history", () => {
  const address = fc.tuple(fc.nat(5), fc.nat(15)).map(([frame, offset]) => maddr(frame * 4096 + offset * 8));
  const command = fc.oneof(
    fc.record({
      what: fc.constant("write64" as const),
      at: address,
      value: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    }),
    fc.record({
      what: fc.constant("write8" as const),
      at: address,
      value: fc.bigInt({ min: 0n, max: 255n }),
    }),
    fc.record({ what: fc.constant("clear" as const), at: address, value: fc.constant(0n) }),
  );
  holds([fc.array(command, { maxLength: 100, size: "max" })], (history) => {
    const mem = new PhysMem(8);
    const model = new Map<number, bigint>();
    for (const { what, at, value } of history) {
      if (what === "write64") {
        mem.write64(at, value);
        model.set(at, value);
      } else if (what === "write8") {
        mem.write8(at, Number(value));
        model.set(at, (model.get(at) ?? 0n) & ~0xffn | value);
      } else {
        const frame = Math.floor(at / 4096);
        mem.clearFrame(mfn(frame));
        for (const key of model.keys()) if (Math.floor(key / 4096) === frame) model.delete(key);
      }
    }
    for (let frame = 0; frame < 6; frame++) {
      for (let offset = 0; offset < 128; offset += 8) {
        const at = (frame * 4096 + offset) as Maddr;
        assertStrictEquals(mem.read64(at), model.get(at) ?? 0n);
      }
    }
  });
});

Deno.test("PhysMem of 1 TiB with 1000 touched frames holds less than 5 MB", () => {
  const mem = new PhysMem(2 ** 28);
  for (let i = 0; i < 1000; i++) mem.write8(maddrOf(mfn(i * 268_000)), 1);
  assertStrictEquals(mem.framesWithContent, 1000);
  assertStrictEquals(mem.bytesHeld <= 5e6, true, `${mem.bytesHeld} bytes`);
});
