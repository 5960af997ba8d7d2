// Every way in which nspin says no: exit statuses as env(1) and nsenter(1) have them.

/** nspin itself failed, usage included: nothing was started. */
export const CANNOT = 125;
/** The program was found, and cannot be executed. */
export const NOT_EXECUTABLE = 126;
/** The program was not found. */
export const NOT_FOUND = 127;

/** One sentence for the user, without the "nspin: " in front of it, and what to do about it. */
export class Refusal extends Error {
  constructor(
    message: string,
    readonly hint?: string,
    readonly status: number = CANNOT,
  ) {
    super(message);
  }
}

/** A step of the pinned sequence failed; the plan says what it was about. */
export class StepFailed extends Error {
  constructor(
    readonly step: number,
    readonly errno: number,
    readonly cover: number,
    readonly plan: import("./plan.ts").Plan,
    /** Why that cover's method was chosen, where it was. */
    readonly why: string | undefined,
  ) {
    super();
  }
}
