// nspin run --wait: until the network namespace is there, and the file that its program resolves by.
import { closeSync, lstatSync, openSync, readlinkSync, readSync, statfsSync, statSync } from "node:fs";
import { constants } from "node:os";
import { isatty } from "node:tty";
import { STATUSES } from "../contract.ts";
import { quote, Refusal, tryHelp } from "../errors.ts";
import { loadLibc } from "../libc.ts";
import { log } from "../log.ts";
import { NSFS_MAGIC } from "../netns.ts";
import { type Plan, RESOLV_CONF } from "../plan.ts";
import { ABSENT, attempt, failure, failureByNumber } from "../system-error.ts";

const STDERR = 2;
const TABLE = "/proc/self/mountinfo";

interface Awaited {
  readonly path: string;
  readonly what: string;
  readonly hint?: string;
  /** What it lacks; undefined: it is there. */
  readonly lacks: () => string | undefined;
}

/**
 * Returns when all is there. inotify(7) tells of a file that comes, but not of what is mounted on one:
 * `ip netns add` makes an empty file, and mounts the namespace on that. Of a change of the mount table
 * poll(2) of mountinfo tells, by POLLPRI, proc_pid_mounts(5). Throws Refusal.
 */
export function wait(plan: Plan, duration: string, isDry: boolean): void {
  const end = performance.now() + readDuration(duration);
  const things = awaited(plan);
  if (isDry) return;
  const mounts = attempt("open", TABLE, undefined, () => openSync(TABLE, "r")); // before the first look: what changes after it is told
  const names = new Names();
  const isTold = isatty(STDERR);
  let said = "";
  try {
    for (;;) {
      names.drain();
      for (const { path } of things) watchWay(names, path);
      const thing = things.find(({ lacks }) => lacks() !== undefined);
      if (thing === undefined) return;
      const missing = `${thing.what} ${thing.path}`;
      if (isTold && missing !== said) log.info(`waiting for ${missing}`);
      said = missing;
      if (!names.waitUntil(end, mounts)) {
        throw new Refusal(
          `${missing} ${thing.lacks() ?? "came too late"}, after ${withUnit(duration)}: nothing was started`,
          thing.hint,
          STATUSES.NOT_IN_TIME,
        );
      }
    }
  } finally {
    closeSync(mounts);
    names.close();
  }
}

/** inotify(7): names that appear in directories. */
class Names {
  readonly #libc = loadLibc("inotify_init1", "inotify_add_watch", "poll");
  readonly #fd: number;

  /** Throws Refusal. */
  constructor() {
    const IN_NONBLOCK = 0o4000;
    const IN_CLOEXEC = 0o2000000;
    this.#fd = this.#libc.inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    const hint = "the limit is the sysctl fs.inotify.max_user_instances";
    if (this.#fd < 0) throw failureByNumber("watch", "inotify", this.#libc.errno(), hint);
  }

  /** A directory; once more is the same. One that is gone meanwhile is no error. Throws Refusal. */
  watch(directory: string): void {
    const IN_CLOSE_WRITE = 0x8;
    const IN_MOVED_TO = 0x80;
    const IN_CREATE = 0x100;
    const IN_MOVE_SELF = 0x800;
    const IN_ONLYDIR = 0x01000000;
    const mask = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_MOVE_SELF | IN_ONLYDIR;
    if (this.#libc.inotify_add_watch(this.#fd, Buffer.from(`${directory}\0`), mask) >= 0) return;
    const { ENOENT, ENOTDIR, ELOOP, ENOSPC } = constants.errno;
    const errno = this.#libc.errno();
    if ([ENOENT, ENOTDIR, ELOOP].includes(errno)) return;
    // Else what comes in there would never be told.
    const hint = errno === ENOSPC ? "the limit is the sysctl fs.inotify.max_user_watches" : undefined;
    throw failureByNumber("watch", directory, errno, hint);
  }

  /** Takes what was told: a look at everything follows. */
  drain(): void {
    const events = Buffer.alloc(65_536);
    try {
      while (readSync(this.#fd, events) > 0);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    }
  }

  /** Until something is told, of a name or of the mount table. False: the time is over. */
  waitUntil(end: number, mounts: number): boolean {
    const [POLLIN, POLLPRI] = [1, 2];
    const LONGEST = 3_600_000; // poll(2) takes 24 days at most
    const left = end - performance.now();
    if (left <= 0) return false;
    const polled = Int32Array.of(this.#fd, POLLIN, mounts, POLLPRI); // struct pollfd, little-endian
    const polls = this.#libc.poll(polled, 2, Math.min(Math.ceil(left), LONGEST));
    const errno = polls < 0 ? this.#libc.errno() : 0;
    // Where a signal has stopped it: look again.
    if (errno !== 0 && errno !== constants.errno.EINTR)
      throw failureByNumber("wait for a change of", TABLE, errno);
    return true;
  }

  close(): void {
    closeSync(this.#fd);
  }
}

const FILE_HINT = "it is what the program resolves by; --no-etc starts with the host's";

/** Throws Refusal. */
function awaited({ netns, etc, covers }: Plan): Awaited[] {
  if (netns === undefined || netns.startsWith("/proc/"))
    throw new Refusal("option --wait needs a network namespace with a name or a path", tryHelp);
  const bound = covers.find(({ target }) => target === RESOLV_CONF);
  const file = bound?.source ?? (etc === undefined ? undefined : `${etc}/resolv.conf`);
  return [
    {
      path: netns,
      what: "network namespace",
      hint: "'ip netns list' shows the network namespaces that have a name",
      lacks: () => lackOfNetns(netns),
    },
    ...(file === undefined
      ? []
      : [{ path: file, what: "file", hint: FILE_HINT, lacks: () => lackOfFile(file) }]),
  ];
}

function lackOfNetns(path: string): string | undefined {
  const type = unlessGone(path, () => statfsSync(path).type);
  if (type === undefined) return "is not there";
  return type === NSFS_MAGIC ? undefined : "is a name with no namespace mounted on it";
}

/** A shell's redirection makes an empty file first, by which glibc would ask 127.0.0.1. */
function lackOfFile(path: string): string | undefined {
  const status = unlessGone(path, () => statSync(path));
  if (status === undefined) return "is not there";
  return status.isFile() && status.size === 0 ? "is empty" : undefined;
}

/** Names come and go meanwhile. Throws Refusal. */
function unlessGone<Result>(path: string, look: () => Result): Result | undefined {
  try {
    return look();
  } catch (error) {
    if (ABSENT.includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw failure("look at", path, error);
  }
}

/** Watches each directory on the way to what is or will be there, through symbolic links. */
function watchWay(names: Names, path: string): void {
  const MOST_LINKS = 40;
  let rest = path.split("/").filter((name) => name !== "");
  let at = "";
  for (let links = 0; rest.length > 0 && links <= MOST_LINKS; ) {
    names.watch(at === "" ? "/" : at); // and then look: what comes in between is told
    const [name = "", ...more] = rest;
    rest = more;
    const next = name === ".." ? at.slice(0, at.lastIndexOf("/")) : name === "." ? at : `${at}/${name}`;
    const leads = next === "" ? "" : leadsTo(next);
    if (leads === undefined) return;
    if (leads !== "") {
      links++;
      if (leads.startsWith("/")) at = "";
      rest = [...leads.split("/").filter((one) => one !== ""), ...rest];
    } else at = next;
  }
}

/** Of a symbolic link what it holds, else ""; undefined: there is nothing. */
function leadsTo(path: string): string | undefined {
  return unlessGone(path, () => (lstatSync(path).isSymbolicLink() ? readlinkSync(path) : ""));
}

function withUnit(duration: string): string {
  return /[0-9]$/.test(duration) ? `${duration}s` : duration;
}

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  sec: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Milliseconds. As sleep(1) and systemd.time(7) have it: 10, 1.5, 500ms, 10s, 2min, 1h. Throws Refusal. */
export function readDuration(text: string): number {
  if (text === "infinity") return Number.POSITIVE_INFINITY;
  const [, number, unit] = /^(\d{1,9}(?:\.\d{1,9})?) ?(ms|s|sec|m|min|h|d|)$/.exec(text) ?? [];
  if (number === undefined)
    throw new Refusal(
      `option --wait needs a duration, not ${quote(text)}`,
      "a number of seconds, or one with ms, s, min, h or d: 10, 500ms, 2min",
    );
  return Number(number) * (UNITS[unit || "s"] as number);
}
