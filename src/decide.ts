// What the pinned sequence would do with a plan here and now.
import { ask } from "./launch.ts";
import { readCovers, readSteps, type Step } from "./launch-struct.ts";
import { addressOf, ownMemory } from "./library.ts";
import type { Plan } from "./plan.ts";

export interface Decided {
  /** With the covers of plan.etc, and how each would be made. */
  readonly plan: Plan;
  readonly steps: readonly Step[];
}

/** Changes nothing. Throws Reported. */
export function decide(plan: Plan): Decided {
  const address = addressOf(ask(plan));
  const covers = readCovers(ownMemory, address);
  return { plan: Object.freeze({ ...plan, covers }), steps: readSteps(ownMemory, address) };
}
