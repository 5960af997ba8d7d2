// What the kernel says about a path, as a Refusal.
import { dlopen } from "bun:ffi";
import { realpathSync, type Stats, statSync } from "node:fs";
import { constants } from "node:os";
import { Refusal } from "./errors.ts";

export function real(verb: string, path: string, hint?: string): string {
  return attempt(verb, path, hint, () => realpathSync(path));
}

export function stat(verb: string, path: string): Stats {
  return attempt(verb, path, undefined, () => statSync(path));
}

export function attempt<Result>(
  verb: string,
  path: string,
  hint: string | undefined,
  act: () => Result,
): Result {
  try {
    return act();
  } catch (error) {
    throw failure(verb, path, error, hint);
  }
}

export function failure(verb: string, object: string, error: unknown, hint?: string): unknown {
  const { code, errno } = error as NodeJS.ErrnoException;
  if (code === undefined || errno === undefined) return error;
  return new Refusal(
    `cannot ${verb} ${object}: ${errnoText(Math.abs(errno))} (${code})`,
    code === "ENOENT" ? hint : undefined,
  );
}

type Own = "ENOTDIR" | "EISDIR" | "EEXIST" | "EBUSY" | "ENOENT" | "ENOTEMPTY";

/** A refusal of nspin's own that says what the kernel would. */
export function cannot(verb: string, object: string, code: Own, hint?: string): Refusal {
  return new Refusal(`cannot ${verb} ${object}: ${errnoText(constants.errno[code])} (${code})`, hint);
}

function errnoText(errno: number): string {
  const libc = dlopen("libc.so.6", { strerror: { args: ["i32"], returns: "cstring" } });
  return String(libc.symbols.strerror(errno));
}
