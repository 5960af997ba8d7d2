// The mount table of this process, proc_pid_mountinfo(5): its text, and its lines.
import { readFileSync } from "node:fs";

export function mountinfo(): string {
  return readFileSync("/proc/self/mountinfo", "utf8");
}

export function mountTable(): string[] {
  return mountinfo().trim().split("\n");
}
