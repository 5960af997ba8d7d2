// argv -> Options -> Plan -> one FFI call -> we are the program.
import { readRun } from "./cli.ts";
import { etcEntries } from "./etc.ts";
import { decide, launch } from "./launch.ts";
import { makePlan } from "./plan.ts";

const [command, ...words] = process.argv.slice(2);

try {
  if (command === "run" && !isHelp(words[0])) {
    const options = readRun(words);
    const plan = makePlan(options, etcEntries);
    if (options.dryRun || options.verbose) {
      const { describe } = await import("./describe.ts");
      const decisions = decide(plan);
      describe(plan, options, decisions);
      if (!options.dryRun) launch(plan, decisions);
    } else {
      launch(plan); // returns never: it becomes the program, or throws
    }
  } else {
    const { runOther } = await import("./commands.ts");
    process.exitCode = await runOther(command, words);
  }
} catch (error) {
  const { report } = await import("./report.ts");
  process.exit(report(error));
}

function isHelp(word?: string): boolean {
  return word === "--help" || word === "-h";
}
