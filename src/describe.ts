// A plan, told instead of taken: --dry-run on stdout, --verbose on stderr.
import { readFileSync } from "node:fs";
import type { RunOptions } from "./cli.ts";
import { log } from "./log.ts";
import type { Plan } from "./plan.ts";
import { commandOf, methodOf, stepsOf, whyOf } from "./steps.ts";

/** The plan is a decided one. */
export function describe(plan: Plan, options: RunOptions): void {
  if (options.json) {
    console.log(toJson(plan));
    return;
  }
  const lines = toLines(plan);
  const note = plan.covers.length > 0 ? propagationNote(readFileSync("/proc/self/mountinfo", "utf8")) : "";
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
export function propagationNote(mountinfo: string): string {
  const roots = mountinfo.split("\n").filter((line) => line.split(" ")[4] === "/");
  const tags = roots.at(-1)?.split(" - ")[0] ?? "";
  if (roots.length === 0 || / shared:/.test(tags)) return "";
  return / master:/.test(tags)
    ? "/ is a slave: mounts from its master reach the program; those that the program makes on / reach no one"
    : "/ is private: mounts made on / by the host do not reach the program, nor the program's the host";
}
