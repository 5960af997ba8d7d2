// The keepers that run, as /proc shows them.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false; // it has just ended
  }
}

export function keepers(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/comm`, "utf8") === "nspin-keeper\n" && isRunning(pid);
      } catch {
        return false;
      }
    });
}

/** In ppoll(2): its number, the files, how many, and NULL for a timeout. */
export function isAtRest(keeper: number): boolean {
  const ppoll = process.arch === "x64" ? "271" : "73";
  return new RegExp(`^${ppoll} 0x[0-9a-f]+ 0x4 0x0 `).test(readFileSync(`/proc/${keeper}/syscall`, "utf8"));
}

/** Those of the mount namespace that the process is in. */
export function keepersOf(pid: number): number[] {
  const namespace = readlinkSync(`/proc/${pid}/ns/mnt`);
  return keepers().filter((keeper) => {
    try {
      return readlinkSync(`/proc/${keeper}/ns/mnt`) === namespace;
    } catch {
      return false;
    }
  });
}
