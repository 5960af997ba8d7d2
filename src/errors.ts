// Every way in which nspin says no: exit statuses as env(1) and nsenter(1) have them.

/** nspin itself failed, usage included: nothing was started. */
export const CANNOT = 125;
// Told apart by name: main.ts and other.ts are bundles, each with its own classes.

/** One sentence for the user, without the "nspin: " in front of it, and what to do about it. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  constructor(
    message: string,
    readonly hint?: string,
  ) {
    super(message);
  }
}

/** A step of the pinned sequence failed, which ffi/report.c has told the user. */
export class Reported extends Error {
  override readonly name = "Reported";
  constructor(readonly status: number) {
    super(`exit status ${status}`);
  }
}
