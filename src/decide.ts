// What the pinned sequence would do with a plan here and now.
import { ask } from "./launch.ts";
import { readDecided, type Step } from "./launch-struct.ts";
import { addressOf, ownMemory } from "./library.ts";
import type { Cover, Plan } from "./plan.ts";

export interface Decided {
  /** With the covers of plan.etc, how each would be made, and how the program would be entered. */
  readonly plan: Plan;
  /** Entries of plan.etc without a namesake in /etc. */
  readonly leftOut: readonly Cover[];
  readonly steps: readonly Step[];
}

/** Changes nothing. Throws Reported. */
export function decide(plan: Plan): Decided {
  const { covers, leftOut, isByCommand, steps } = readDecided(ownMemory, addressOf(ask(plan)));
  const own = { enter: "setns", words: plan.words.slice(plan.commandWords), commandWords: 0 } as const;
  const entry = plan.tidWord === 0 ? {} : isByCommand ? ({ enter: "nsenter" } as const) : own;
  return { plan: Object.freeze({ ...plan, ...entry, covers }), leftOut, steps };
}
