/**
 * Notices that the front end has gone without a word: a kernel that outlives it would run for ever.
 *
 * @module
 */

/** How often is looked. */
const EVERY_MS = 500;

/**
 * Settles when the parent of this process has changed, as happens on Linux and macOS when it dies. On Windows it does
 * not; there only a shutdown ends a kernel.
 *
 * @param parent tells the parent's id
 */
export function parentGone(parent: () => number = () => Deno.ppid): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const first = parent();
  const timer = setInterval(() => {
    if (parent() === first) return;
    clearInterval(timer);
    resolve();
  }, EVERY_MS);
  Deno.unrefTimer(timer);
  return promise;
}
