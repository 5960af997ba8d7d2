// argv -> Options -> Plan -> one FFI call -> we are the program.
import OTHER from "#bundles/other.js" with { type: "file" };
import { readRun } from "./cli.ts";
import { launch } from "./launch.ts";
import { makePlan } from "./plan.ts";

// A bundle of its own, carried as a file: a launch loads one module and nothing
// else. As a module it would come with bytecode, node:fs's for one, 1.9 MB whose
// mere presence takes 0.25 ms of every start.
type Other = typeof import("./other.ts");

const command = process.argv[2];
const words = process.argv.slice(3);

try {
  if (command === "run" && !isHelp(words[0])) {
    const options = readRun(words);
    const plan = makePlan(options);
    if (options.dryRun || options.verbose) {
      const { decide, describe }: Other = await import(OTHER);
      describe(decide(plan), options);
    }
    if (!options.dryRun) launch(plan); // returns never: it becomes the program, or throws
  } else {
    const { runOther }: Other = await import(OTHER);
    process.exitCode = await runOther(command, words);
  }
} catch (error) {
  const { report }: Other = await import(OTHER);
  process.exit(report(error));
}

function isHelp(word?: string): boolean {
  return word === "--help" || word === "-h";
}
