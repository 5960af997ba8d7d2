// A plan in words: --dry-run on stdout, --verbose on stderr, and inspect.
import type { RunOptions } from "./arguments.ts";
import { DECISIONS, STEPS } from "./contract.ts";
import { log } from "./log.ts";
import { type Mount, mountTable } from "./mountinfo.ts";
import type { Cover, Plan } from "./plan.ts";

type Step = (typeof STEPS)[number];

interface Taken {
  readonly name: Step["name"];
  readonly does: string;
}

/** Prints a decided plan. */
export function explain(plan: Plan, options: RunOptions): void {
  if (options.json) {
    console.log(toJson(plan));
    return;
  }
  const lines = toLines(plan);
  const note = plan.covers.length > 0 ? propagationNote(mountTable()) : "";
  if (note !== "") lines.push(`note: ${note}`);
  for (const line of lines) options.dryRun ? console.log(line) : log.info(line);
}

export function toLines(plan: Plan): string[] {
  return stepsOf(plan).map(({ does }, i) => `${String(i + 1).padStart(2)}. ${does}`);
}

export function toJson(plan: Plan): string {
  const { netns = null, etc = null, method, readOnly, enter } = plan;
  const covers = plan.covers.map((cover) => {
    const { source, target, isEntry } = cover;
    const from = isEntry ? "/etc/netns" : "--bind";
    return { source, target, from, method: methodOf(cover, plan), why: whyOf(cover) };
  });
  const steps = stepsOf(plan);
  return JSON.stringify(
    { netns, etc, covers, method, readOnly, enter, command: commandOf(plan), steps },
    null,
    2,
  );
}

/** What will not propagate, mount_namespaces(7), whatever nspin does: "" where / is shared. */
export function propagationNote(table: readonly Mount[]): string {
  const root = table.findLast(({ point }) => point === "/");
  if (root === undefined || root.isShared) return "";
  return root.isSlave
    ? "/ is a slave: mounts from its master reach the program; those that the program makes on / reach no one"
    : "/ is private: mounts made on / by the host do not reach the program, nor the program's the host";
}

/** The steps of a decided plan, in the order in which the pinned sequence takes them. */
export function stepsOf(plan: Plan): Taken[] {
  const acts = plan.covers.map((cover) => ruleOf(cover)?.act ?? "UNKNOWN");
  const once = {
    ALWAYS: true,
    NETNS: plan.netns !== undefined,
    JOIN: plan.netns !== undefined && plan.enter === "setns",
    ETC: plan.etc !== undefined,
    COVERS: plan.covers.length > 0 || plan.etc !== undefined,
    PINS: acts.includes("PIN"),
    UNPIN: false,
  };
  const rejoins = (act?: string) => act === "REJOIN" || act === "OVERLAY" || act === "UNKNOWN";
  const each = {
    COVER: () => true,
    PIN: (i: number) => acts[i] === "PIN",
    OVERLAY: (i: number) => acts[i] === "OVERLAY",
    HOLDER: (i: number) =>
      rejoins(acts[i]) && plan.covers[i]?.holder === i && ruleOf(plan.covers[i])?.name !== "ALONE",
    EVERY: () => true,
    READ_ONLY: () => plan.readOnly,
  };
  const taken: Taken[] = [];
  let together: Step[] = [];
  const flush = () => {
    plan.covers.forEach((cover, i) => {
      const apply = together.filter(({ when }) => each[when as keyof typeof each](i));
      taken.push(...apply.map((step) => take(step, plan, cover)));
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

function take(step: Step, plan: Plan, cover?: Cover): Taken {
  const object =
    step.name === "EXECUTE"
      ? commandOf(plan).map(shellQuote).join(" ")
      : step.name === "DECIDE" && cover !== undefined && ruleOf(cover) !== undefined
        ? `${methodOf(cover, plan)} on ${cover.target}: ${whyOf(cover)}`
        : objectOf(step, plan, cover);
  return { name: step.name, does: `${step.verb} ${object}`.trim() };
}

/** "cover" where nothing but the bind is done; "rejoin or pin" where the kernel answers root only. */
function methodOf(cover: Cover, plan: Plan): string {
  const act = ruleOf(cover)?.act.toLowerCase() ?? "unknown";
  if (act !== "unknown") return act;
  return plan.method === "auto" ? "rejoin or pin" : plan.method;
}

function whyOf(cover: Cover): string {
  return ruleOf(cover)?.why ?? "";
}

function ruleOf({ decision = 0 }: Cover) {
  return DECISIONS[decision - 1];
}

/** What a step acts on, in the same words as in an error message of the sequence. */
function objectOf(step: Step, plan: Plan, cover?: Cover): string {
  const objects: Record<Step["object"], string | undefined> = {
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
  };
  return objects[step.object] ?? "";
}

/** The words that execve gets; TID stands for the thread's id. */
function commandOf(plan: Plan): string[] {
  const words = plan.words.map((word) => (typeof word === "string" ? word : new TextDecoder().decode(word)));
  return [...words, ...plan.program];
}

function shellQuote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
