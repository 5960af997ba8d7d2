// What nspin itself prints on stdout: all of it, or an error.
import { writeSync } from "node:fs";
import { failure } from "./system-error.ts";

const STDOUT = 1;

/**
 * One line or several, and a newline. Not by process.stdout, which sets O_NONBLOCK on a pipe that
 * others write to as well, and not by console.log, which says nothing of a full disk. Throws Refusal.
 */
export function print(text: string): void {
  const bytes = Buffer.from(`${text}\n`);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(STDOUT, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw failure("write to", "stdout", error);
      Bun.sleepSync(1); // somebody else has set O_NONBLOCK on it
    }
  }
}

/** A name as a terminal may show it: its control characters are the file's maker's choice. */
export function printable(name: string): string {
  return name.replace(/[\0-\x1f\x7f-\x9f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
