// Into a mount or network namespace, by a file that is open there; and back, by one that was opened before.
import { Refusal } from "../errors.ts";
import type { loadLibc } from "../library.ts";

type Calls = Pick<ReturnType<typeof loadLibc<"unshare" | "setns">>, "unshare" | "setns">;

const CLONE_FS = 0x200;

/**
 * With a root and a working directory of this thread's own, without which there is no entering a mount
 * namespace: each time, as the runtime can have started a thread that shares them. Throws Refusal.
 */
export function setns(libc: Calls, namespace: number, what: string): void {
  if (libc.unshare(CLONE_FS) !== 0 || libc.setns(namespace, 0) !== 0)
    throw new Refusal(`cannot enter ${what}`, "setns(2) needs root with CAP_SYS_ADMIN and CAP_SYS_CHROOT");
}
