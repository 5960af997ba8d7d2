// A plan, told instead of taken: --dry-run on stdout, --verbose on stderr.
import { readFileSync } from "node:fs";
import type { RunOptions } from "./cli.ts";
import type { Decided } from "./decide.ts";
import { log } from "./log.ts";
import type { Plan } from "./plan.ts";
import { commandOf, methodOf, shellQuote, type Told, tell, whyOf } from "./steps.ts";

export function describe({ plan, steps }: Decided, options: RunOptions): void {
  const told = tell(steps, plan);
  if (options.json) {
    console.log(toJson(plan, told));
    return;
  }
  const lines = told.map(({ does }, i) => `${String(i + 1).padStart(2)}. ${does}`);
  const note = plan.covers.length > 0 ? propagationNote(readFileSync("/proc/self/mountinfo", "utf8")) : "";
  if (note !== "") lines.push(`note: ${note}`);
  for (const line of lines) options.dryRun ? console.log(line) : log.info(line);
}

/** What a launcher's file holds: how each file is covered is found out at its start. */
export function toLines(plan: Plan): string[] {
  const lines = plan.covers.map(({ source, target }) => `bind ${source} over ${target}`);
  if (plan.netns !== undefined) lines.unshift(`join network namespace ${plan.netns}`);
  if (plan.etc !== undefined) lines.push(`bind each entry of ${plan.etc} over its namesake in /etc`);
  if (lines.length > 0 && plan.readOnly) lines.push("make them read-only");
  return [...lines, `method ${plan.method}`, `execute ${commandOf(plan).map(shellQuote).join(" ")}`];
}

export function toJson(plan: Plan, steps?: readonly Told[]): string {
  const { netns = null, etc = null, method, readOnly, enter } = plan;
  const covers = plan.covers.map((cover) => {
    const { source, target, isEntry } = cover;
    const from = isEntry ? "/etc/netns" : "--bind";
    const decided = steps === undefined ? {} : { method: methodOf(cover, plan), why: whyOf(cover) };
    return { source, target, from, ...decided };
  });
  return JSON.stringify(
    { netns, etc, covers, method, readOnly, enter, command: commandOf(plan), steps },
    null,
    2,
  );
}

/** What will not propagate, mount_namespaces(7), whatever nspin does: "" where / is shared. */
export function propagationNote(mountinfo: string): string {
  const roots = mountinfo.split("\n").filter((line) => line.split(" ")[4] === "/");
  const tags = roots.at(-1)?.split(" - ")[0] ?? "";
  if (roots.length === 0 || / shared:/.test(tags)) return "";
  return / master:/.test(tags)
    ? "/ is a slave: mounts from its master reach the program; those that the program makes on / reach no one"
    : "/ is private: mounts made on / by the host do not reach the program, nor the program's the host";
}
