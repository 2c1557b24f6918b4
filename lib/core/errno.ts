/**
 * Errno values and the result of a modelled system call. An errno is an answer, not an exception.
 *
 * @module
 */

/** Linux errno numbers, as far as the model uses them. @cite linux 6.1 include/uapi/asm-generic/errno-base.h */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  E2BIG: 7,
  EBADF: 9,
  ECHILD: 10,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  ENOTTY: 25,
  ENOSPC: 28,
  EMLINK: 31,
  ERANGE: 34,
  EDEADLK: 35,
  ENOSYS: 38,
  EOVERFLOW: 75,
  EOPNOTSUPP: 95,
  EHWPOISON: 133,
} as const;

/** The name of an errno. */
export type Errno = keyof typeof ERRNO;

/** What the C library says of each, but for ENOSYS, whose words mean something else in this tree. @cite linux 6.1 include/uapi/asm-generic/errno-base.h EPERM */
const TEXTS: Readonly<Record<Errno, string>> = {
  EPERM: "Operation not permitted",
  ENOENT: "No such file or directory",
  ESRCH: "No such process",
  EINTR: "Interrupted system call",
  EIO: "Input/output error",
  ENXIO: "No such device or address",
  E2BIG: "Argument list too long",
  EBADF: "Bad file descriptor",
  ECHILD: "No child processes",
  EAGAIN: "Resource temporarily unavailable",
  ENOMEM: "Cannot allocate memory",
  EACCES: "Permission denied",
  EFAULT: "Bad address",
  EBUSY: "Device or resource busy",
  EEXIST: "File exists",
  ENODEV: "No such device",
  EINVAL: "Invalid argument",
  ENOTTY: "Inappropriate ioctl for device",
  ENOSPC: "No space left on device",
  EMLINK: "Too many links",
  ERANGE: "Numerical result out of range",
  EDEADLK: "Resource deadlock avoided",
  ENOSYS: "No such system call",
  EOVERFLOW: "Value too large for defined data type",
  EOPNOTSUPP: "Operation not supported",
  EHWPOISON: "Memory page has hardware error",
};

/**
 * An errno in words.
 *
 * @example
 * ```ts
 * import { errnoText } from "grantlab/core";
 * if (errnoText("EINVAL") !== "Invalid argument") throw new Error();
 * ```
 */
export function errnoText(errno: Errno): string {
  return TEXTS[errno];
}

/** A modelled system call that failed. `why` is for people, where the errno alone would leave them guessing. */
export interface SysFailure {
  readonly ok: false;
  readonly errno: Errno;
  readonly why?: string;
}

/** What a modelled system call returns. */
export type SysResult<T> = { readonly ok: true; readonly value: T } | SysFailure;

/**
 * A successful result.
 *
 * @example
 * ```ts
 * import { fail, ok, type SysResult } from "grantlab/core";
 * const half = (n: number): SysResult<number> => n % 2 === 0 ? ok(n / 2) : fail("EINVAL");
 * const r = half(4);
 * if (!r.ok || r.value !== 2) throw new Error();
 * ```
 */
export function ok<T>(value: T): SysResult<T> {
  return { ok: true, value };
}

/** A failed result. */
export function fail(errno: Errno): SysFailure {
  return { ok: false, errno };
}
