// What the kernel says about a path, as a Refusal in the words of the pinned sequence.
import { realpathSync, type Stats, statSync } from "node:fs";
import { constants } from "node:os";
import { ERRORS, HINTS } from "./contract.ts";
import { Refusal } from "./errors.ts";

type ErrorName = keyof typeof ERRORS;

/** By these nothing is at a path. */
export const ABSENT: readonly string[] = ["ENOENT", "ENOTDIR", "ELOOP"];
/** By these this user may not look at it. */
export const REFUSED: readonly string[] = ["EACCES", "EPERM"];

export function real(verb: string, path: string, hint?: string): string {
  return attempt(verb, path, hint, () => realpathSync(path));
}

export function stat(verb: string, path: string): Stats {
  return attempt(verb, path, undefined, () => statSync(path));
}

/** Of what is there, and can be looked at; else undefined, whatever the reason (a link to itself, for one). */
export function statusOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/** The hint is for ENOENT only. */
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
  return failureByNumber(verb, object, Math.abs(errno), code === "ENOENT" ? hint : undefined);
}

/** Of a call by libc.ts or library.ts. */
export function failureByNumber(verb: string, object: string, errno: number, hint?: string): Refusal {
  return new Refusal(`cannot ${verb} ${object}: ${textOf(errno)}`, hint);
}

/** For what nspin itself refuses: the same words as if the kernel had. */
export function cannot(verb: string, object: string, name: ErrorName, hint?: string): Refusal {
  return new Refusal(`cannot ${verb} ${object}: ${ERRORS[name]} (${name})`, hint);
}

/** The sequence's hint for a step that fails so. */
export function hintOf(
  step: (typeof HINTS)[number]["step"],
  error: ErrorName,
  isEntry = false,
): string | undefined {
  return HINTS.find(
    (row) =>
      row.step === step &&
      row.error === error &&
      (row.when === "ALWAYS" || (row.when === "ENTRY" && isEntry)),
  )?.hint;
}

/** By the number: Node's names are not all those of errno(3). */
function textOf(number: number): string {
  const numbers: Record<string, number> = constants.errno;
  for (const [name, text] of Object.entries(ERRORS)) if (numbers[name] === number) return `${text} (${name})`;
  return `errno ${number}`;
}
