// Into a mount or network namespace, by a file that is open there; and back, by one that was opened before.
import { constants } from "node:os";
import type { loadLibc } from "../libc.ts";
import { failureByNumber } from "../system-error.ts";

type Calls = ReturnType<typeof loadLibc<"unshare" | "setns">>;

const CLONE_FS = 0x200;

const hint =
  "run it as root, for example with sudo: setns(2) needs CAP_SYS_ADMIN and CAP_SYS_CHROOT, also for programs of your own";

/**
 * With a root and a working directory of this thread's own, without which there is no entering a mount
 * namespace: each time, as the runtime can have started a thread that shares them. Throws Refusal.
 */
export function setns(libc: Calls, namespace: number, what: string): void {
  if (libc.unshare(CLONE_FS) === 0 && libc.setns(namespace, 0) === 0) return;
  const errno = libc.errno();
  throw failureByNumber("enter", what, errno, errno === constants.errno.EPERM ? hint : undefined);
}
