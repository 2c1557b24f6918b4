/**
 * Steps that ask the kernel for other things: futexes, NUMA, long-term pins, event channels, the life of processes.
 *
 * @module
 */

import { KernelBug } from "../../core/crash.ts";
import { ERRNO } from "../../core/errno.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { PORT_BYTES } from "../../drivers/evtchn/open.ts";
import { futexValue, futexWaitSetup, futexWake, type FutexWord } from "../../drivers/futex.ts";
import { ioUringRegisterBuffer, ioUringUnregister } from "../../drivers/io_uring.ts";
import { mbind, movePages } from "../../drivers/numa.ts";
import { copyFromUser } from "../../linux/mm/user_copy.ts";
import { BadInput, type Row } from "../format.ts";
import type { Ending, GrantWorld } from "../grant_world.ts";
import type { GrantOperation } from "./memory.ts";
import { UNSEEN } from "./outputs.ts";
import { BUFFER } from "./setup.ts";
import { numberOf, outcomeOf, type Step, WINDOW } from "./step.ts";

const UFFD_FLAGS = 0x80801; // UFFD_USER_MODE_ONLY | O_NONBLOCK | O_CLOEXEC

export const SYSTEM_OPERATIONS: Readonly<Record<string, GrantOperation>> = {
  futex_wake(_world, step, { mm }) {
    const waiters = step.number("waiters", 0);
    return outcomeOf(futexWake(mm, wordOf(step), waiters, step.number("count", 1)), (n) => n);
  },
  futex_wait_mismatch: (_world, step, { mm }) =>
    outcomeOf(futexWaitSetup(mm, wordOf(step), step.number("expected_value"))),
  futex_wait_wake(_world, step, { mm }) {
    const word = wordOf(step);
    const now = copyFromUser(mm, 0, word.address, 4);
    const waits = futexWaitSetup(mm, word, now.ok ? futexValue(now.value) : 0);
    const woken = futexWake(mm, word, waits.ok ? 1 : 0, step.number("count", 1));
    return { ...outcomeOf(woken, (n) => n), waiter: waits.ok ? 0 : -ERRNO[waits.errno] };
  },
  move_pages: (world, step, { mm }) => ({
    ret: 0,
    errno: "0",
    status: movePages(world.kernel, mm, step.rows("pages").map((page) => addressOf(page, step))),
  }),
  mbind(_world, step, { mm }) {
    const errno = mbind(mm, step.address(), step.length());
    return errno === null ? { ret: 0, errno: "0" } : { ret: null, errno };
  },
  io_uring_register_buffers(world, step, { mm }) {
    const buffer = step.get("buffer");
    const address = typeof buffer === "object" && buffer !== null
      ? addressOf(buffer as Row, step)
      : step.get("at") !== undefined
      ? step.address()
      : BUFFER;
    const length = (buffer as Row | undefined)?.len ?? step.get("len");
    const result = ioUringRegisterBuffer(mm, address, Number(length));
    if (result.ok) closeRing(world, () => ioUringUnregister(mm, result.value));
    return outcomeOf(result);
  },
  userfaultfd: (_world, step) =>
    (step.number("flags", 0) & ~UFFD_FLAGS) === 0 ? { ret: 3, errno: "0" } : { ret: null, errno: "EINVAL" },
  evtchn(world, step) {
    const ports = step.get("ports");
    const names = Array.isArray(ports) ? ports : [];
    return { bound: names.every((name) => world.ports.has(String(name))) };
  },
  evtchn_read(world, step) {
    const { evtchn } = world.file(step.text("file"), step.where);
    if (evtchn === undefined) throw new BadInput(step.where, `${step.text("file")} is no file of evtchn`);
    const result = evtchn.read(step.number("bytes", PORT_BYTES));
    const expected = step.get("expects_port");
    const matches = result.ok && typeof expected === "string" &&
      result.value[0] === world.ports.get(expected);
    // The driver notifies through p2, which arrives at p1.
    const isNotified = result.ok && result.value.includes(world.ports.get("p1") ?? 0);
    return {
      ...outcomeOf(result, (ports) => ports.length * PORT_BYTES),
      before_unmap: !isNotified,
      port_matches: matches,
    };
  },
  wait: (world, step) => ({ ...world.endings.get(step.text("waits_for", "child")) ?? { exit: 0 } }),
  note: () => ({}),
  xen_debug_key: () => ({}),
  end(world) {
    const killed = endWorld(world);
    if (world.lateRings) world.kernel.work.advance(AFTERWARDS_MS);
    const kinds = world.newMessages();
    world.workersAfterwards = world.workerMessages;
    const ending = killed ?? world.endings.get("parent") ?? { exit: 0 };
    // A process that an oops kills cannot read the log any more; the taint tells.
    return { ...ending, tainted: world.tainted, kmsg_kinds: killed === null ? kinds : UNSEEN };
  },
};

/** Everything ends; answers how an oops ended the process, if the machine survives that. */
function endWorld(world: GrantWorld): Ending | null {
  const { rules } = world.kernel;
  const hasOops = () => world.kernel.system.log.some(({ kind }) => kind === "oops");
  if (rules.oopsEndsProcess && hasOops()) return KILLED;
  try {
    world.end();
  } catch (e) {
    if (!(e instanceof KernelBug) || !rules.oopsEndsProcess) throw e;
    return KILLED;
  }
  return null;
}

/** @cite linux 5.10 arch/x86/kernel/dumpstack.c oops_end */
const KILLED: Ending = { signal: 9 };

/** The ring is closed at once; late, its pages come back when the work that ends it has run. */
function closeRing(world: GrantWorld, giveBack: () => void): void {
  if (world.lateRings) world.kernel.work.schedule(RING_EXIT_MS, giveBack);
  else giveBack();
}

/** Longer than it takes to do the next step and to look at the state after it. */
const RING_EXIT_MS = 30;
/** Between the end of a case and the look at what the kernel has to say. */
const AFTERWARDS_MS = 100;

function wordOf(step: Step): FutexWord {
  return {
    address: addressOf(step.get("word") as Row, step),
    shared: step.get("private_flag") !== true,
  };
}

function addressOf(place: Row, step: Step): number {
  return WINDOW + numberOf(place, "at", step.where) * PAGE_SIZE + numberOf(place, "byte", step.where, 0);
}
