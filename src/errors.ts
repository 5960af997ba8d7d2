// Every way in which nspin says no.
// Known by name, and not by class: main.ts and commands/ are bundles, each with its own classes.

/** One sentence for the user, without the "nspin: " in front of it, and what to do about it. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  constructor(
    message: string,
    readonly hint?: string,
    /** Where it is not that of all others. */
    readonly status?: number,
  ) {
    super(message);
  }
}

/** A word as a message shows it: on one line, its ends visible. */
export function quote(word: string): string {
  return JSON.stringify(word);
}

/** The hint where a word of nspin's own is wrong. */
export const tryHelp = "try 'nspin --help', or 'nspin COMMAND --help'";

/** Among the options stands --help: what was begun ends, and the command's help is printed. */
export class HelpAsked extends Error {
  override readonly name = "HelpAsked";
}

/** A step of the pinned sequence failed, which the sequence has reported itself. */
export class Reported extends Error {
  override readonly name = "Reported";
  constructor(readonly status: number) {
    super(`exit status ${status}`);
  }
}
