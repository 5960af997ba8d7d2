// The pinned sequence in words: the same table makes errors and --dry-run.
import { STEPS } from "./contract.ts";
import type { Cover, Plan } from "./plan.ts";

export type Step = (typeof STEPS)[number];

export interface Taken {
  readonly name: Step["name"];
  readonly does: string;
}

/** The steps of this plan, in the order in which ffi/launch.c takes them. */
export function stepsOf(plan: Plan): Taken[] {
  const applies = {
    ALWAYS: true,
    NETNS: plan.netns !== undefined,
    JOIN: plan.netns !== undefined && plan.enter === "setns",
    COVERS: plan.covers.length > 0,
    COVER: true,
    SHARED: true,
  };
  const taken: Taken[] = [];
  let together: Step[] = [];
  const flush = () => {
    for (const cover of plan.covers) taken.push(...together.map((step) => take(step, plan, cover)));
    together = [];
  };
  for (const step of STEPS) {
    if (step.when === "COVER" || step.when === "SHARED") {
      together.push(step);
    } else {
      flush();
      if (applies[step.when]) taken.push(take(step, plan));
    }
  }
  return taken;
}

function take(step: Step, plan: Plan, cover?: Cover): Taken {
  const object =
    step.name === "EXECUTE" ? commandOf(plan).map(shellQuote).join(" ") : objectOf(step, plan, cover);
  const condition = step.when === "SHARED" ? ", unless that mount is private" : "";
  return { name: step.name, does: `${step.verb} ${object}`.trim() + condition };
}

/** What a step is about, as its error message names it. */
export function objectOf(step: Step, plan: Plan, cover?: Cover): string {
  const objects: Record<Step["object"], string | undefined> = {
    NONE: "",
    COMMAND: commandOf(plan)[0],
    NETNS: plan.netns,
    SOURCE: cover?.source,
    TARGET: cover?.target,
    BIND: `${cover?.source} over ${cover?.target}`,
    LOCK: plan.lock,
  };
  return objects[step.object] ?? "";
}

/** The words that execve gets; TID stands for the thread's id. */
export function commandOf(plan: Plan): string[] {
  return [...plan.enterWords.map((word) => word || "TID"), ...plan.program];
}

function shellQuote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
