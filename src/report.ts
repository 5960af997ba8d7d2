// What the user reads when nspin says no: one line on stderr, and what to do about it.
import { STATUSES } from "./contract.ts";
import type { Refusal, Reported } from "./errors.ts";
import { log } from "./log.ts";

/** Prints the error; returns the exit status. */
export function report(error: unknown): number {
  const { name, message, status, hint } = error as Error & Partial<Reported & Refusal>;
  if (name === "Reported" && status !== undefined) return status;
  log.error(message ?? String(error));
  if (name === "Refusal" && hint !== undefined) log.error(`hint: ${hint}`);
  return status ?? STATUSES.CANNOT;
}
