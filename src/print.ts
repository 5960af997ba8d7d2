// What nspin itself prints on stdout: all of it, or an error; nothing but the exit status tells a reader that
// has closed the pipe.
import { writeSync } from "node:fs";
import { STATUSES } from "./contract.ts";
import { Reported } from "./errors.ts";
import { failure } from "./system-error.ts";

const STDOUT = 1;

/**
 * One line or several, and a newline. Not by process.stdout, which sets O_NONBLOCK on a pipe that
 * others write to as well, and not by console.log, which says nothing of a full disk. Throws Refusal or Reported.
 */
export function print(text: string): void {
  const bytes = Buffer.from(`${text}\n`);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(STDOUT, bytes, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EPIPE") throw new Reported(STATUSES.CANNOT); // a reader that has enough, head(1) for one
      if (code !== "EAGAIN") throw failure("write to", "stdout", error);
      Bun.sleepSync(1); // somebody else has set O_NONBLOCK on it
    }
  }
}

/**
 * A name as a terminal may show it: its control characters are the file's maker's choice, and so are
 * those by which what follows is shown from right to left, or not at all.
 */
export function printable(name: string): string {
  return name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (c) => {
    const code = (c.codePointAt(0) as number).toString(16);
    return code.length <= 2 ? `\\x${code.padStart(2, "0")}` : `\\u{${code}}`;
  });
}

/** The same of a document: JSON itself escapes only some of the control characters. */
export function printableJson(document: unknown, indent = 2): string {
  return JSON.stringify(document, null, indent).replace(/[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/gu, (c) =>
    [...Array(c.length).keys()].map((i) => `\\u${c.charCodeAt(i).toString(16).padStart(4, "0")}`).join(""),
  );
}
