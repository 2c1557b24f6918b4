/**
 * What people mistype at the prompt, where no checker sees it: each is refused with action, value and reason, never by
 * whatever inside stumbles over it first.
 */

import { assertEquals, assertThrows } from "@std/assert";
import { PAGE } from "../../../lib/core/geometry.ts";
import type { Process } from "../../../lib/experiments/process.ts";
import { type World, world } from "../../../lib/experiments/world.ts";

// deno-lint-ignore no-explicit-any
type Anything = any;

interface Stage {
  readonly w: World & Anything;
  readonly qemu: Process & Anything;
  readonly at: number;
}

/** Calls of no type, as they are typed, and how the refusal begins. */
type Mistyped = readonly [call: (on: Stage) => unknown, says: string];

const make = world as Anything;

const WORLDS: readonly Mistyped[] = [
  [() => make({ kernal: "x" }), 'Cannot give world() the option "kernal": there is no such option'],
  [() => make("linux6_1"), 'Cannot give world() "linux6_1": it must be a record of options'],
  [() => make(null), "Cannot give world() null: it must be a record"],
  [() => make([]), "Cannot give world() []: it must be a record"],
  [() => make({ kernel: null }), "Cannot find the kernel flavour null: it must be a string"],
  [() => make({ xen: 4 }), "Cannot boot as hypervisor 4: it must be a name, or a record"],
  [() => make({ xen: null }), "Cannot boot as hypervisor null: it must be a name"],
  [() => make({ xen: {} }), "Cannot boot as hypervisor {}: it lacks name, locks, flush; derive it"],
  [() => make({ dom0Frames: "x" }), 'Cannot give dom0 frames: "x": it must be a whole number'],
  [({ w }) => w.process(5), "Cannot name a process 5: it must be a string"],
  [({ w }) => w.process(null), "Cannot name a process null: it must be a string"],
  [({ w }) => w.addGuest("x"), 'Cannot give the guest frames: "x": it must be a whole number'],
  [({ w }) => w.addGuest(8, { name: "x" }), 'Cannot name a guest {"name":"x"}: it must be a string'],
  [({ w }) => w.events(5), "Cannot count the events of 5: it must be a function"],
  [({ w }) => w.advance("x"), 'Cannot let milliseconds pass: "x"'],
];

const GUESTS: readonly Mistyped[] = [
  [({ w }) => w.guest.grant(4, { readOnly: true }), 'did you mean "readonly"'],
  [
    ({ w }) => w.guest.grant(4, { readonly: "no" }),
    'Cannot give guest.grant() as readonly "no": it must be true or false',
  ],
  [({ w }) => w.net({ orphan: 0 }), "Cannot give w.net() as orphan 0: it must be true or false"],
  [
    ({ w }) => w.blk({ persistent: "yes" }),
    'Cannot give w.blk() as persistent "yes": it must be true or false',
  ],
  [({ w }) => w.guest.grant(4, true), "Cannot give guest.grant() true: it must be a record"],
  [({ w }) => w.guest.grant(4, null), "Cannot give guest.grant() null: it must be a record"],
  [({ w }) => w.guest.revoke(), "Cannot revoke undefined: it must be what guest.grant() answers"],
  [({ w }) => w.guest.revoke(5), "Cannot revoke 5: it must be what guest.grant() answers"],
  [({ w }) => w.guest.read(), "Cannot read undefined: it must be what guest.grant() answers"],
  [({ w }) => w.guest.allocFrames(), "Cannot allocate frames undefined: it must be a whole number"],
];

const PROCESSES: readonly Mistyped[] = [
  [({ qemu }) => qemu.mmapGrants(), "Cannot map grants undefined: it must be what guest.grant()"],
  [
    ({ qemu }) => qemu.mmapGrants(world().guest.grant(2)),
    'Cannot map grants "2 grants of domain 1, writable: refs 8 9, frames 0x',
  ],
  [({ qemu }) => qemu.mmapGrants([8]), "Cannot map grants [8]: it must be what guest.grant()"],
  [({ qemu }) => qemu.tryMmapGrants(3), "Cannot map grants 3: it must be what guest.grant()"],
  [
    ({ qemu }) => qemu.munmap(qemu.vmas[0], PAGE),
    "Cannot take as an address Vma 0x7ffff7ffd000-0x7ffff7fff000",
  ],
  [({ qemu, at }) => qemu.mprotect(at, PAGE), "Cannot take as rights undefined: it must be a whole"],
  [({ qemu, at }) => qemu.mprotect(at, PAGE, "r"), 'Cannot take as rights "r": it must be a whole'],
  [({ qemu }) => qemu.mmap(), "Cannot give mmap() undefined: it must be a record"],
  [({ qemu }) => qemu.mmap({ len: 4096 }), 'Cannot give mmap() the option "len"'],
  [({ qemu }) => qemu.mmap({ length: 4096 }), "Cannot take as flags undefined: it must be a whole"],
  [({ qemu }) => qemu.mmap({ length: 4096, flags: 0x22 }), "Cannot take as rights undefined"],
  [({ qemu }) => qemu.read(), "Cannot access address undefined: it must be a number or a bigint"],
  [({ qemu }) => qemu.read(NaN), "Cannot access address NaN: it must be a whole number"],
  [({ qemu }) => qemu.read(-1), "Cannot access address -1: it must be a whole number"],
  [({ qemu }) => qemu.write("x", 1), 'Cannot access address "x": it must be a number or a bigint'],
  [({ qemu }) => qemu.maps.since(), "Cannot tell what changed since undefined: it must be an earlier"],
];

const DEVICES: readonly Mistyped[] = [
  [({ w }) => w.blk({ persistant: true }), 'did you mean "persistent"'],
  [({ w }) => w.blk({ parameters: { max_queue: 1 } }), 'did you mean "max_queues"'],
  [({ w }) => w.blk({ parameters: 5 }), "Cannot give w.blk({ parameters }) 5: it must be a record"],
  [({ w }) => w.blk(null), "Cannot give w.blk() null: it must be a record"],
  [({ w }) => w.blk({ guest: 5 }), "Cannot give a device to 5: it must be a guest"],
  [({ w }) => w.blk({ guest: world().guest }), "it is a guest of another world"],
  [({ w }) => w.blk({ wire: 5 }), "Cannot put a network before a disk: 5: it must be a function"],
  [({ w }) => w.blk({ device: 5 }), "Cannot make a block device by 5: it must be a function"],
  [({ w }) => w.blk().read(), "Cannot read from sector undefined: it must be a whole number"],
  [({ w }) => w.blk().read("x"), 'Cannot read from sector "x": it must be a whole number'],
  [({ w }) => w.blk().write(-1), "Cannot write from sector -1: it must be a whole number"],
  [({ w }) => w.blk().read(0, 0), "Cannot read sectors, of number 0: it must be a whole number"],
  [({ w }) => w.blk().read(0, 2 ** 16), "Cannot read sectors, of number 0x10000: it must be"],
  [({ w }) => w.blk().run(), "Cannot run as a block workload undefined: it must be a list"],
  [({ w }) => w.blk().run([5]), "Cannot request of a disk 5: it must be { atMs, operation"],
  [({ w }) => w.blk().run([{ atMs: 0, operation: "raed" }]), 'did you mean "read"'],
  [({ w }) => w.blk().run([{ operation: "read" }]), "Cannot start to read at ms undefined"],
  [({ w }) => w.blk().run([], { queDepth: 1 }), 'did you mean "queueDepth"'],
  [({ w }) => w.net({ queue: 1 }), 'did you mean "queues"'],
  [({ w }) => w.net({ parameters: { max_queue: 1 } }), 'did you mean "max_queues"'],
  [({ w }) => w.net({ to: "wir" }), 'did you mean "wire"'],
  [({ w }) => w.net({ to: 5 }), 'Cannot send packets to 5: it must be "wire", "local" or a network'],
  [({ w }) => w.net({ wireMs: -1 }), "Cannot keep packets on the wire for ms: -1"],
  [({ w }) => w.net({ rxPages: "x" }), 'Cannot offer pages for packets: "x"'],
  [({ w }) => w.net({ guest: 5 }), "Cannot give a device to 5: it must be a guest"],
  [({ w }) => w.net().send(), "Cannot send packets undefined: it must be a list of Uint8Array"],
  [({ w }) => w.net().send("x"), 'Cannot send packets "x": it must be a list of Uint8Array'],
  [({ w }) => w.net().send([5]), "Cannot send a packet 5: it must be a Uint8Array"],
  [({ w }) => w.net().send(1e12), "Cannot send a packet of bytes 0xe8d4a51000: it must be"],
  [({ w }) => w.net().deliver(5), "Cannot send packets 5: it must be a list of Uint8Array"],
  [({ w }) => w.net().deliver([], 0), "Cannot deliver packets in parts of bytes 0: it must be"],
];

for (const [of, cases] of Object.entries({ WORLDS, GUESTS, PROCESSES, DEVICES })) {
  Deno.test(`a mistyped call is refused with action, value and reason: ${of.toLowerCase()}`, () => {
    for (const [call, says] of cases) {
      const w = world();
      const qemu = w.process("qemu");
      const { start } = qemu.mmapGrants(w.guest.grant(2));
      assertThrows(() => call({ w, qemu, at: start }), Error, says, String(call));
    }
  });
}

const AFTER_EXIT: Readonly<Record<string, (qemu: Process, at: number, w: World) => unknown>> = {
  "map grants": (qemu, _at, w) => qemu.mmapGrants(w.guest.grant(1)),
  mmap: (qemu) => qemu.mmap({ length: PAGE, prot: 3, flags: 0x22 }),
  munmap: (qemu, at) => qemu.munmap(at, PAGE),
  mprotect: (qemu, at) => qemu.mprotect(at, PAGE, 1),
  read: (qemu, at) => qemu.read(at),
  write: (qemu, at) => qemu.write(at, 1),
  walk: (qemu, at) => qemu.walk(at),
  "do direct I/O": (qemu, at) => qemu.directRead(at, PAGE),
  "open gntdev": (qemu) => qemu.gntdev,
  "close gntdev": (qemu) => qemu.closeGntdev(),
  exit: (qemu) => qemu.exit(),
};

for (const [action, call] of Object.entries(AFTER_EXIT)) {
  Deno.test(`Process refuses to ${action} after exit`, () => {
    const w = world();
    const qemu = w.process("qemu");
    const { start } = qemu.mmapGrants(w.guest.grant(2));
    qemu.exit();
    assertThrows(
      () => call(qemu, start, w),
      RangeError,
      `Cannot ${action}: process qemu has exited; start another: world.process()`,
    );
  });
}

Deno.test("a process that has exited says so", () => {
  const w = world();
  const qemu = w.process("qemu");
  assertEquals(qemu.hasExited, false);
  qemu.exit();
  assertEquals([qemu.hasExited, String(qemu)], [true, "process qemu, exited"]);
  assertEquals(/qemu +exited/.test(Deno.inspect(w)), true, Deno.inspect(w));
});

Deno.test("munmap() and mprotect() of a process take bigints as its kernel does", () => {
  const w = world();
  const qemu = w.process("qemu");
  const { start } = qemu.mmapGrants(w.guest.grant(4));
  assertEquals(qemu.munmap(BigInt(start), BigInt(PAGE)).ok, true);
  assertEquals(qemu.mprotect(BigInt(start + PAGE), 4096n, 1).ok, true);
  assertEquals(qemu.vmas.map((vma) => vma.start), [start + PAGE, start + 2 * PAGE]);
  assertEquals(qemu.directRead(start, PAGE).pages[0]!.verdict, "ok");
});

Deno.test("a guest without frames says so", () => {
  const w = world({ guestFrames: 0 });
  assertEquals(String(w).includes("guest is domain 1 with no frames"), true, String(w));
  assertEquals(/guest +no frames +0/.test(Deno.inspect(w)), true, Deno.inspect(w));
  assertEquals(String(w.guest.grant(0)), "no grants of domain 1");
});

Deno.test("BlkDevice reads and writes as many requests as it takes, one after another", () => {
  const blk = world().blk();
  const most = 11 * 8;
  for (const [nrSectors, requests] of [[most, 1], [most + 1, 2], [30_000, 341]] as const) {
    const wrote = blk.write(0, nrSectors);
    assertEquals([wrote.requests, wrote.verdict], [requests, "ok"]);
    assertEquals([blk.read(0, nrSectors).requests, blk.read(8).verdict], [requests, "ok"]);
  }
  const wide = world().blk({ maxIndirectSegments: 32 });
  assertEquals([wide.write(0, 256).requests, wide.write(0, 257).requests], [1, 2]);
});

Deno.test("BlkDevice without its back end keeps no grants", () => {
  const blk = world().blk();
  blk.write(0, 8);
  assertEquals([blk.kept, blk.disconnect().ok, blk.kept, blk.mapped], [1, true, 0, 0]);
});

Deno.test("a run of packets shows itself", () => {
  const run = world().net().send(9000);
  assertEquals(String(run), "packets 1: right 1, wrong 0; slots: okay 3, error 0, unanswered 0");
  assertEquals(/hypercall +xen +/.test(Deno.inspect(run)), true, Deno.inspect(run));
});
