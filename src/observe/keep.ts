// A keeper beside a program that runs already: started in its mount namespace, by a process that may hang.
import { closeSync, constants, existsSync, openSync, readlinkSync, writeSync } from "node:fs";
import { constants as os } from "node:os";
import { Refusal } from "../errors.ts";
import { writePlan } from "../launch-struct.ts";
import { loadLibc } from "../libc.ts";
import { addressOf, loadKeeper } from "../library.ts";
import { log } from "../log.ts";
import { NO_OPTIONS } from "../plan.ts";
import { printable } from "../print.ts";
import { failureByNumber } from "../system-error.ts";
import { OWN_DNS } from "./covers.ts";
import { isStill, type Process, read } from "./processes.ts";
import { setns } from "./setns.ts";

export interface Keeping {
  readonly process: Process;
  readonly covers: readonly { readonly source: string; readonly target: string }[];
  readonly isReadOnly: boolean;
}

/** Where it has ended, nothing is to be done. Throws Refusal. */
export function keep({ process, covers, isReadOnly }: Keeping): void {
  const start = loadKeeper();
  if (start === undefined) throw new Refusal("run from source, without the entry guard, there is no keeper");
  if (readlinkSync("/proc/self") !== String(globalThis.process.pid))
    throw new Refusal("cannot start a keeper: /proc is that of another PID namespace", "mount this one's");
  const libc = loadLibc("unshare", "setns");
  const mounts = openSync(`${process.at}/ns/mnt`, "r");
  if (!isStill(process)) return;
  const planned = covers.map((cover) => ({ ...cover, isEntry: false, isOwn: cover.source === OWN_DNS }));
  const launch = writePlan({ ...NO_OPTIONS, covers: planned, readOnly: isReadOnly }, addressOf);
  const [pid, name] = [String(process.pid), printable(process.name)].map((word) => Buffer.from(`${word}\0`));
  joinCgroup(process);
  setns(libc, mounts, `the mount namespace of process ${process.pid}`);
  const result = Number(start(launch, null, pid, name));
  if (result < 0)
    throw failureByNumber("start a keeper for", `process ${process.pid}`, -result, hints[-result]);
}

const hints: Readonly<Record<number, string>> = {
  [os.errno.ENOSYS]:
    "a keeper needs Linux 5.15; without it, start the program again once the host has replaced a file",
  [os.errno.EPERM]:
    "a seccomp filter can be what refuses this (systemd's SystemCallFilter=, a container's profile): run it without one",
};

/** Else whatever this command is a part of, a service for one, would end the keeper when it ends. */
function joinCgroup({ pid, at }: Process): void {
  const cgroup = (of: string) => /^0::(\/.*)$/m.exec(read(`${of}/cgroup`))?.[1];
  const wanted = cgroup(at);
  if (wanted === undefined || wanted === cgroup("/proc/self")) return;
  try {
    const root = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].find((at) => existsSync(`${at}/cgroup.procs`));
    const file = openSync(`${root}${wanted}/cgroup.procs`, constants.O_WRONLY);
    writeSync(file, "0");
    closeSync(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    log.warn(`the keeper for process ${pid} stays in this command's cgroup: cannot join ${wanted} (${code})`);
  }
}
