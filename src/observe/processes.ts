// One pass over /proc, which stops nobody and waits for nobody. Only what the kernel itself keeps of
// a process is read: its command line and environment are its own memory, and what is below
// its root its own file systems; both can be made to hang whoever reads them, or to lie.
import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { constants, uptime } from "node:os";
import { loadLibc } from "../libc.ts";
import { ABSENT, failure, failureByNumber, REFUSED, statusOf } from "../system-error.ts";

export interface Process {
  readonly pid: number;
  /** Its directory in /proc; or, of one whose first thread has ended, another thread's. */
  readonly at: string;
  /** Of its start, in clock ticks since boot: with pid this is one process and no other. */
  readonly start: number;
  readonly name: string;
}

interface Pass {
  /** Inode of a mount namespace: who is in it. */
  readonly byMounts: ReadonlyMap<number, readonly number[]>;
  /** Those that this user may not look at, in words; undefined: there are none. */
  readonly hidden: string | undefined;
}

export function pass(): Pass {
  const byMounts = new Map<number, number[]>();
  let hidden = 0;
  const names = list("/proc");
  for (const name of names) {
    const pid = Number(name);
    if (!(pid > 0)) continue;
    const inode = namespaceOf(name, "mnt");
    if (inode === "hidden") hidden++;
    if (typeof inode !== "number") continue;
    const members = byMounts.get(inode);
    if (members === undefined) byMounts.set(inode, [pid]);
    else members.push(pid);
  }
  if (!names.includes("1"))
    return { byMounts, hidden: "processes of other users, which /proc hides (hidepid=)" };
  const some = hidden === 1 ? "1 process of another user" : `${hidden} processes of other users`;
  return { byMounts, hidden: hidden === 0 ? undefined : some };
}

export type Kind = "mnt" | "net" | "pid" | "user" | "cgroup" | "ipc" | "uts" | "time";

/** Its inode. */
export function namespaceOf(process: number | string, kind: Kind): number | "hidden" | undefined {
  return readNamespace(`/proc/${process}`, kind) ?? readNamespace(otherThread(process), kind);
}

function readNamespace(at: string | undefined, kind: Kind): number | "hidden" | undefined {
  if (at === undefined) return undefined;
  const path = `${at}/ns/${kind}`;
  try {
    return Number(readlinkSync(path).slice(kind.length + 2, -1)); // "mnt:[4026531841]"
  } catch (error) {
    if (isAbsent(error)) return undefined;
    if (isRefused(error)) return "hidden";
    throw failure("look at", path, error);
  }
}

/** A file of it; undefined: the process has ended. Throws Refusal. */
export function openNamespace(process: Process, kind: Kind): number | undefined {
  const path = `${process.at}/ns/${kind}`;
  try {
    const file = openSync(path, "r");
    if (isStill(process)) return file;
    closeSync(file); // it can be another one's by that id
    return undefined;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw failure("open", path, error);
  }
}

/**
 * Of a process that has just ended there is nothing (EINVAL: the mount table of a zombie). A shortage says nothing of
 * it, nor does a refusal: who took that for its end would miss a program.
 */
function isAbsent(error: unknown): boolean {
  const { code = "" } = error as NodeJS.ErrnoException;
  return [...ABSENT, "ESRCH", "EINVAL"].includes(code);
}

/** What another may not see is EACCES; by hidepid=1, proc(5), EPERM. */
function isRefused(error: unknown): boolean {
  const { code = "" } = error as NodeJS.ErrnoException;
  return REFUSED.includes(code);
}

/** Of a process whose first one has ended, one that lives on. */
function otherThread(process: number | string): string | undefined {
  const threads = list(`/proc/${process}/task`).filter((thread) => thread !== String(process));
  return threads.length === 0 ? undefined : `/proc/${process}/task/${threads[0]}`;
}

/** Nothing is in one that is not there. Throws Refusal. */
export function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (isAbsent(error)) return [];
    throw failure("look at", directory, error);
  }
}

/** Undefined: it has ended. */
export function look(pid: number): Process | undefined {
  const stat = read(`/proc/${pid}/stat`);
  const end = stat.lastIndexOf(")"); // the name can hold any other
  const fields = stat.slice(end + 2).split(" ");
  const START = 19; // counted from the state
  if (end < 0 || fields[0] === "X") return undefined;
  const at = fields[0] === "Z" ? otherThread(pid) : `/proc/${pid}`;
  if (at === undefined) return undefined;
  const name = stat.slice(stat.indexOf("(") + 1, end);
  return { pid, at, start: Number(fields[START]), name: whole(at, name) };
}

export function isStill({ pid, start }: Process): boolean {
  return look(pid)?.start === start;
}

/** The kernel keeps 15 bytes of a name; the file that is executed can have the rest. */
function whole(at: string, name: string): string {
  if (Buffer.byteLength(name) < 15) return name;
  try {
    const file = readlinkSync(`${at}/exe`).replace(/^.*\//, "");
    return file.startsWith(name) ? file : name;
  } catch {
    return name;
  }
}

/** Nothing is in one that is not there. Throws Refusal. */
export function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (isAbsent(error)) return "";
    throw failure("look at", file, error);
  }
}

/** Of process 1; by hidepid= of this process itself, which is in the same mount namespace, or as good as. */
export function hostTable(): string {
  try {
    return readFileSync("/proc/1/mountinfo", "utf8");
  } catch (error) {
    if (isAbsent(error) || isRefused(error)) return read("/proc/self/mountinfo");
    throw failure("look at", "/proc/1/mountinfo", error);
  }
}

const CAP_DAC_READ_SEARCH = 1n << 2n;
const CAP_SYS_CHROOT = 1n << 18n;
const CAP_SYS_PTRACE = 1n << 19n;
const CAP_SYS_ADMIN = 1n << 21n;
const KEEPERS = CAP_DAC_READ_SEARCH | CAP_SYS_CHROOT | CAP_SYS_PTRACE | CAP_SYS_ADMIN;

/**
 * Any user can give a process a keeper's name, or start a setuid program by that; none can
 * have it be root's by all four ids with a keeper's few capabilities. One whose seccomp filter refuses capset(2)
 * has all that root has: then its file must be none by which a user becomes root. And where another user may
 * start nspin, by an ambient CAP_SYS_ADMIN, the keeper is that user's, with a capability that is worth nothing in a
 * user namespace of their own.
 */
export function isKeeper({ pid, name }: Process): boolean {
  if (name !== "nspin-keeper") return false;
  const status = read(`/proc/${pid}/status`);
  const permitted = BigInt(`0x${/^CapPrm:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? 0}`);
  const user = /^Uid:\t(\d+)\t\1\t\1\t\1$/m.exec(status)?.[1];
  if (user === undefined || (permitted & CAP_SYS_ADMIN) === 0n) return false;
  const hasFew = (permitted & ~KEEPERS) === 0n;
  if (user === "0") return hasFew || !isSetuid(pid);
  return hasFew && namespaceOf(pid, "user") === namespaceOf("self", "user");
}

/** Or setgid; one that cannot be looked at counts for one. */
function isSetuid(pid: number): boolean {
  const mode = statusOf(`/proc/${pid}/exe`)?.mode;
  return mode === undefined || (mode & 0o6000) !== 0;
}

/** The process that it was started for; its words are in its own memory, which is root's. */
export function keptBy(keeper: Process): number {
  return Number(read(`/proc/${keeper.pid}/cmdline`).split("\0")[1]);
}

let libc: ReturnType<typeof loadLibc<"ioctl">> | undefined;

/** Its mount namespace is of the user namespace that this process is in, ioctl_ns(2). */
export function isOwn({ at }: Process): boolean {
  const NS_GET_USERNS = 0xb701;
  const path = `${at}/ns/mnt`;
  let namespace = -1;
  let owner = -1;
  try {
    namespace = openSync(path, "r");
    libc ??= loadLibc("ioctl");
    owner = libc.ioctl(namespace, NS_GET_USERNS, null);
    const errno = libc.errno();
    if (owner < 0 && errno !== constants.errno.EPERM) throw failureByNumber("look at", path, errno);
    // EPERM: of no user namespace within this one.
    return owner >= 0 && fstatSync(owner).ino === statSync("/proc/self/ns/user").ino;
  } catch (error) {
    if (isAbsent(error)) return false;
    throw failure("look at", path, error);
  } finally {
    for (const fd of [namespace, owner]) if (fd >= 0) closeSync(fd);
  }
}

/** When it was started. */
export function since({ start }: Process): Date {
  const TICKS = 100; // a second, on every machine that Linux runs on by this ABI
  // Not there under ProcSubset=pid of systemd.exec(5), and some containers have another machine's.
  const boot = /^btime (\d+)$/m.exec(read("/proc/stat"))?.[1] ?? Math.round(Date.now() / 1000 - uptime());
  return new Date((Number(boot) + start / TICKS) * 1000);
}
