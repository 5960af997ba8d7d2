// The steps of the pinned sequence, as ffi/sequence.c reports them, in words.
import { DECISIONS, STEPS } from "./contract.ts";
import type { Cover, Plan } from "./plan.ts";

/** A step that the sequence would take, and the cover that it is about. */
export interface Step {
  /** From 1, as in STEPS. */
  readonly number: number;
  readonly cover: number;
}

export interface Told {
  readonly name: (typeof STEPS)[number]["name"];
  readonly does: string;
}

export function tell(steps: readonly Step[], plan: Plan): Told[] {
  return steps.map(({ number, cover }) => {
    const step = STEPS[number - 1] as (typeof STEPS)[number];
    return { name: step.name, does: `${step.does} ${objectOf(step, plan, plan.covers[cover])}`.trim() };
  });
}

/** "cover" where nothing but the bind is done; "rejoin or pin" where only root can be told. */
export function methodOf(cover: Cover, plan: Plan): string {
  const act = ruleOf(cover)?.act.toLowerCase() ?? "unknown";
  if (act !== "unknown") return act;
  return plan.method === "auto" ? "rejoin or pin" : plan.method;
}

export function whyOf(cover: Cover): string {
  return ruleOf(cover)?.why ?? "";
}

function ruleOf({ decision = 0 }: Cover) {
  return DECISIONS[decision - 1];
}

/** What a step is about, as ffi/report.c names it; the program with its arguments, the method with its reason. */
function objectOf(step: (typeof STEPS)[number], plan: Plan, cover?: Cover): string {
  if (step.name === "EXECUTE") return commandOf(plan).map(shellQuote).join(" ");
  if (step.name === "DECIDE" && cover !== undefined)
    return `${methodOf(cover, plan)} on ${cover.target}: ${whyOf(cover)}`;
  const objects: Record<(typeof STEPS)[number]["object"], string | undefined> = {
    NONE: "",
    COMMAND: commandOf(plan)[0],
    NETNS: plan.netns,
    ETC: plan.etc,
    RESOLV_CONF: `${plan.etc}/resolv.conf`,
    SOURCE: cover?.source,
    TARGET: cover?.target,
    BIND: `${cover?.source} over ${cover?.target}`,
    METHOD: `${plan.method} on ${cover?.target}`,
    LOCK: plan.lock,
    USED: cover?.target,
  };
  return objects[step.object] ?? "";
}

/** The words that execve gets; TID stands for the thread's id. */
export function commandOf(plan: Plan): string[] {
  const words = plan.words.map((word) => (typeof word === "string" ? word : new TextDecoder().decode(word)));
  return [...words, ...plan.program];
}

export function shellQuote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
