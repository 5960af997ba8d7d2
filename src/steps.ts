// The pinned sequence in words: the same table makes errors and --dry-run.
import { DECISIONS, STEPS } from "./contract.ts";
import type { Decision } from "./launch.ts";
import type { Cover, Plan } from "./plan.ts";

export type Step = (typeof STEPS)[number];

export interface Taken {
  readonly name: Step["name"];
  readonly does: string;
}

/** The steps of this plan, decided so, in the order in which ffi/launch.c takes them. */
export function stepsOf(plan: Plan, decisions: readonly Decision[]): Taken[] {
  const acts = decisions.map(({ number }) => DECISIONS[number - 1]?.act ?? "UNKNOWN");
  const once = {
    ALWAYS: true,
    NETNS: plan.netns !== undefined,
    JOIN: plan.netns !== undefined && plan.enter === "setns",
    COVERS: plan.covers.length > 0,
    PINS: acts.includes("PIN"),
    UNPIN: false,
  };
  const rejoins = (act?: string) => act === "REJOIN" || act === "OVERLAY" || act === "UNKNOWN";
  const each = {
    COVER: () => true,
    PIN: (i: number) => acts[i] === "PIN",
    OVERLAY: (i: number) => acts[i] === "OVERLAY",
    HOLDER: (i: number) =>
      rejoins(acts[i]) && decisions[i]?.holder === i && DECISIONS[decisions[i].number - 1]?.name !== "ALONE",
    EVERY: () => true,
    READ_ONLY: () => plan.readOnly,
  };
  const taken: Taken[] = [];
  let together: Step[] = [];
  const flush = () => {
    plan.covers.forEach((cover, i) => {
      const apply = together.filter(({ when }) => each[when as keyof typeof each](i));
      taken.push(...apply.map((step) => take(step, plan, cover, decisions[i])));
    });
    together = [];
  };
  for (const step of STEPS) {
    const isAlone = [step, together[0]].some((one) => one?.when === "HOLDER" || one?.when === "EVERY");
    if (isAlone || !(step.when in each)) flush();
    if (step.when in each) together.push(step);
    else if (once[step.when as keyof typeof once]) taken.push(take(step, plan));
  }
  flush();
  return taken;
}

function take(step: Step, plan: Plan, cover?: Cover, decision?: Decision): Taken {
  const object =
    step.name === "EXECUTE"
      ? commandOf(plan).map(shellQuote).join(" ")
      : step.name === "DECIDE" && cover !== undefined && decision !== undefined
        ? `${methodOf(decision, plan)} on ${cover.target}: ${whyOf(decision)}`
        : objectOf(step, plan, cover);
  return { name: step.name, does: `${step.verb} ${object}`.trim() };
}

/** "cover" where nothing but the bind is done; "rejoin or pin" where only root can be told. */
export function methodOf({ number }: Decision, plan: Plan): string {
  const act = DECISIONS[number - 1]?.act.toLowerCase() ?? "";
  if (act !== "unknown") return act;
  return plan.method === "auto" ? "rejoin or pin" : plan.method;
}

export function whyOf({ number }: Decision): string {
  return DECISIONS[number - 1]?.why ?? "";
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
    METHOD: `${plan.method} on ${cover?.target}`,
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
