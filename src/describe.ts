// A plan, told instead of taken: --dry-run on stdout, --verbose on stderr.
import type { RunOptions } from "./cli.ts";
import { log } from "./log.ts";
import type { Plan } from "./plan.ts";
import { commandOf, stepsOf } from "./steps.ts";

export function describe(plan: Plan, options: RunOptions): void {
  const steps = stepsOf(plan);
  if (options.json) {
    const { netns = null, covers, enter } = plan;
    console.log(JSON.stringify({ netns, covers, enter, command: commandOf(plan), steps }, null, 2));
    return;
  }
  const lines = steps.map(({ does }, i) => `${String(i + 1).padStart(2)}. ${does}`);
  for (const line of lines) options.dryRun ? console.log(line) : log.info(line);
}
