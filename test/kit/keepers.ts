// The keepers that run, as /proc shows them.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false; // it has just ended
  }
}

/** What cannot be looked at has just ended. */
function processes(isMeant: (pid: number) => boolean): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return isMeant(pid);
      } catch {
        return false;
      }
    });
}

export function keepers(): number[] {
  return processes((pid) => readFileSync(`/proc/${pid}/comm`, "utf8") === "nspin-keeper\n" && isRunning(pid));
}

/** In ppoll(2): its number, the files, how many, and NULL for a timeout. */
export function isAtRest(keeper: number): boolean {
  const ppoll = process.arch === "x64" ? "271" : "73";
  return new RegExp(`^${ppoll} 0x[0-9a-f]+ 0x4 0x0 `).test(readFileSync(`/proc/${keeper}/syscall`, "utf8"));
}

/** Who is in the mount namespace that the process is in, itself included. */
export function membersOf(pid: number): number[] {
  const namespace = readlinkSync(`/proc/${pid}/ns/mnt`);
  return processes((member) => readlinkSync(`/proc/${member}/ns/mnt`) === namespace);
}

/** Those of the mount namespace that the process is in. */
export function keepersOf(pid: number): number[] {
  const members = membersOf(pid);
  return keepers().filter((keeper) => members.includes(keeper));
}
