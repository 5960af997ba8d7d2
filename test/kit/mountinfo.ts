// The mount table of this process, proc_pid_mountinfo(5): its text, and its lines.
import { readFileSync } from "node:fs";

/**
 * Without nsdelegate: of cgroup2 there is one in the whole kernel, and whatever mounts it, in another
 * container too, sets that or takes it away, cgroups(7).
 */
export function mountinfo(): string {
  return readFileSync("/proc/self/mountinfo", "utf8").replaceAll(",nsdelegate", "");
}

export function mountTable(): string[] {
  return mountinfo().trim().split("\n");
}
